//! The upgrade in place: letter `E`.

use super::*;

/// Where this supervise is found when it is upgraded: a link, which can be turned.
fn installed(scratch: &Scratch) -> PathBuf {
    let path = scratch.dir("bin").join("supervise");
    install(scratch, &program("supervise"));
    path
}

fn install(scratch: &Scratch, program: &Path) {
    let new = scratch.copy("bin/new", program);
    fs::rename(new, scratch.join("bin/supervise")).expect("put it in place");
}

/// The inode of the program that a process runs, or none if it is gone from its place.
fn runs_installed(scratch: &Scratch, pid: i32) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
    let exe = id(Path::new(&format!("/proc/{pid}/exe")));
    exe.is_some() && exe == id(&scratch.join("bin/supervise"))
}

fn start(scratch: &Scratch) -> Child {
    let child = Run::new(installed(scratch)).arg("s").cwd(scratch.path()).spawn();
    let ok = || Run::new(program("svok")).arg("s").cwd(scratch.path()).output().code == 0;
    wait_until("supervise", SOON, ok);
    child
}

/// Installs the program anew, and waits until it has taken over.
fn upgrade(scratch: &Scratch, child: &Child) {
    install(scratch, &program("supervise"));
    assert!(!runs_installed(scratch, child.pid()));
    send(scratch, b"E");
    wait_until("the new program", SOON, || runs_installed(scratch, child.pid()));
}

#[test]
fn the_service_notices_nothing() {
    let scratch = place("supervise-upgrade", SLEEP);
    let child = start(&scratch);
    let pid = wait_up(&scratch);
    svc(&scratch, "-p");
    wait_status(&scratch, "paused", |_, paused, _| paused);
    let before = fs::read(scratch.join("s/supervise/status")).expect("status");
    for _ in 0..3 {
        upgrade(&scratch, &child);
        let again = Run::new(program("supervise")).arg("s").cwd(scratch.path()).output();
        assert_eq!(again.code, 111, "the lock is held");
        assert_eq!(fs::read(scratch.join("s/supervise/status")).expect("status"), before);
    }
    // It is still a child whose end is noticed, and its exit is known.
    svc(&scratch, "-c");
    svc(&scratch, "-k");
    wait_status(&scratch, "up again", |new, _, _| new != 0 && new != pid);
    assert_eq!(death(&scratch), Some(Death::Signal(9)));
    // What is open for a moment only is not counted.
    let fds = || fs::read_dir(format!("/proc/{}/fd", child.pid())).expect("fd").count();
    let mut counts = Vec::new();
    for _ in 0..2 {
        upgrade(&scratch, &child);
        wait_until("supervise to sleep", SOON, || {
            let stat = fs::read_to_string(format!("/proc/{}/stat", child.pid()));
            stat.is_ok_and(|stat| stat.contains(") S "))
        });
        counts.push(fds());
    }
    assert_eq!(counts[0], counts[1], "descriptors are left over");
    let outcome = end(&scratch, child);
    assert_eq!(outcome.err(), "");
    assert!(!scratch.join("s/supervise/process").exists());
}

#[test]
fn in_every_state() {
    let scratch =
        place("supervise-upgrade-states", "#!/bin/sh\necho run >>said; exec sleep 10000\n");
    let script = |name: &str| {
        let wait = "until test -e go; do sleep 0.02; done; rm go";
        scratch.script(&format!("s/{name}"), &format!("#!/bin/sh\necho {name} >>said; {wait}\n"));
    };
    ["start", "finish", "stop"].iter().for_each(|name| script(name));
    let child = start(&scratch);
    let go = |words: &[&str]| {
        wait_said(&scratch, words);
        upgrade(&scratch, &child);
        scratch.file("s/go", "");
    };
    go(&["start"]);
    wait_state(&scratch, State::Running);
    upgrade(&scratch, &child);
    svc(&scratch, "-d");
    go(&["start", "run", "finish"]);
    go(&["start", "run", "finish", "stop"]);
    wait_state(&scratch, State::Stopped);
    upgrade(&scratch, &child);
    scratch.script("s/start", "#!/bin/sh\nexit 1\n");
    svc(&scratch, "-u");
    wait_state(&scratch, State::Failed);
    upgrade(&scratch, &child);
    // The new one knows of the failure: it shows at its next word.
    send(&scratch, b"d");
    wait_state(&scratch, State::Failed);
    end(&scratch, child);
}

#[test]
fn timers_go_on() {
    let scratch = place(
        "supervise-upgrade-timers",
        "#!/bin/sh\ntrap '' TERM\necho up >>said\nexec sleep 10000\n",
    );
    scratch.file("s/timeout-kill", "1500");
    let child = start(&scratch);
    wait_said(&scratch, &["up"]);
    svc(&scratch, "-d");
    wait_state(&scratch, State::Stopping);
    upgrade(&scratch, &child);
    wait_state(&scratch, State::Stopped);
    scratch.file("s/back-off", "60");
    scratch.script("s/run", "#!/bin/sh\necho short >>said\n");
    svc(&scratch, "-u");
    wait_until("two short ones", SOON, || said(&scratch).len() == 3);
    let second = Instant::now();
    upgrade(&scratch, &child);
    wait_until("a third one", SOON, || said(&scratch).len() == 4);
    assert!(second.elapsed() > Duration::from_millis(1200), "{:?}", second.elapsed());
    end(&scratch, child);
}

#[test]
fn readiness_and_the_log_go_on() {
    let run = "#!/bin/sh\n\
        n=0; until test -e go; do echo $n; n=$((n+1)); sleep 0.002; done\n\
        echo $n >written; echo >&7; exec sleep 10000\n";
    let scratch = place("supervise-upgrade-log", run);
    scratch.file("s/notification-fd", "7");
    scratch.script("s/log", "#!/bin/sh\nwhile read -r line; do echo $line >>logged; done\n");
    let child = start(&scratch);
    let lines = || fs::read_to_string(scratch.join("s/logged")).unwrap_or_default().lines().count();
    for round in 1..=3 {
        wait_until("lines", SOON, || lines() > 50 * round);
        upgrade(&scratch, &child);
    }
    scratch.file("s/go", "");
    wait_until("ready", SOON, || detail(&scratch)[32..44] != [0; 12]);
    end(&scratch, child);
    let written = fs::read_to_string(scratch.join("s/written")).expect("the service's count");
    let logged = fs::read_to_string(scratch.join("s/logged")).expect("the log");
    let expected: String =
        (0..written.trim().parse().expect("a number")).map(|n: u32| format!("{n}\n")).collect();
    assert_eq!(logged, expected);
}

#[test]
fn a_logger_of_svscans_goes_on_waiting() {
    let scratch = place("supervise-upgrade-logger", SLEEP);
    scratch.script("s/log/run", "#!/bin/sh\nexec cat >/dev/null\n");
    nix::unistd::mkfifo(&scratch.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("mkfifo");
    let bin = installed(&scratch).display().to_string();
    let service = Run::sh(&format!("exec {bin} s 1<>pipe")).cwd(scratch.path()).spawn();
    let logger = Run::sh(&format!("exec {bin} log 0<>../pipe")).cwd(scratch.join("s")).spawn();
    wait_up(&scratch);
    let log = scratch.join("s/log");
    wait_until("the logger", SOON, || status(&log).is_some_and(|(pid, ..)| pid != 0));
    install(&scratch, &program("supervise"));
    let letter = |letters: &[u8]| {
        fs::write(log.join("supervise/control"), letters).expect("write letters");
    };
    // Held back, as its service stays up: for a second, across the upgrade.
    letter(b"dE");
    wait_until("the new program", SOON, || runs_installed(&scratch, logger.pid()));
    wait_until("its end", SOON, || status(&log).is_some_and(|(pid, ..)| pid == 0));
    letter(b"x");
    assert_eq!(logger.wait(SOON).code, 0);
    svc(&scratch, "-dx");
    assert_eq!(service.wait(SOON).code, 0);
}

#[test]
fn one_that_cannot_take_over_changes_nothing() {
    for (script, reason) in [
        ("#!/bin/sh\nexit 3\n", "it can't take over: exit code 3"),
        ("#!/bin/sh\nkill -9 $$\n", "it can't take over: ended by signal 9"),
        ("#!/nonexistent\n", "file does not exist"),
    ] {
        let scratch = place("supervise-upgrade-refused", SLEEP);
        let child = start(&scratch);
        let pid = wait_up(&scratch);
        let broken = scratch.script("broken", script);
        install(&scratch, &broken);
        send(&scratch, b"E");
        child.expect_stderr(": warning: unable to ");
        child.expect_stderr(&format!("bin/supervise: {reason}, going on as before\n"));
        // As before: it hears, it notices, it can still be upgraded.
        svc(&scratch, "-k");
        wait_status(&scratch, "up again", |new, _, _| new != 0 && new != pid);
        upgrade(&scratch, &child);
        end(&scratch, child);
    }
}

#[test]
fn found_by_name_it_is_looked_for_again() {
    let scratch = place("supervise-upgrade-path", SLEEP);
    let bin = installed(&scratch);
    let path = format!("{}:/usr/bin:/bin", bin.parent().expect("bin").display());
    let child = Run::sh("exec supervise s").env("PATH", &path).cwd(scratch.path()).spawn();
    let pid = wait_up(&scratch);
    upgrade(&scratch, &child);
    assert_eq!(wait_up(&scratch), pid);
    end(&scratch, child);
}

#[test]
fn a_service_that_was_taken_over_is_handed_on() {
    let scratch = place("supervise-upgrade-adopted", SLEEP);
    let child = start(&scratch);
    let pid = wait_up(&scratch);
    murder(child);
    let child = start(&scratch);
    child.expect_stderr(&format!("supervise: taking over s (pid {pid})\n"));
    upgrade(&scratch, &child);
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("kill the service");
    wait_status(&scratch, "up again", |new, _, _| new != 0 && new != pid);
    assert_eq!(services(&scratch), 1);
    end(&scratch, child);
}

/// Upgraded again and again while its scripts come and go and letters pour in: no end is missed, no
/// letter is lost, nothing runs twice.
#[test]
fn at_any_moment() {
    let scratch = place("supervise-upgrade-storm", "#!/bin/sh\n");
    let script =
        "#!/bin/sh\ntrap '' TERM\nmkdir alone || echo $0 >>../doubled\nsleep 0.01\nrmdir alone\n";
    for name in ["start", "run", "finish", "stop"] {
        scratch.script(&format!("s/{name}"), script);
    }
    let child = start(&scratch);
    for round in 0..60_u64 {
        send(&scratch, [&b"E"[..], b"dE", b"uE", b"oEu"][round as usize % 4]);
        // Not a wait for anything: the next letters come at another moment in each round.
        std::thread::park_timeout(Duration::from_micros(round * 1993 % 30_000));
    }
    send(&scratch, b"d");
    wait_state(&scratch, State::Stopped);
    scratch.script("s/run", SLEEP);
    send(&scratch, b"Eu");
    wait_state(&scratch, State::Running);
    assert_eq!(services(&scratch), 1);
    let outcome = end(&scratch, child);
    assert_eq!(outcome.err(), "");
    let doubled = fs::read_to_string(scratch.join("doubled")).unwrap_or_default();
    assert_eq!(doubled, "");
}
