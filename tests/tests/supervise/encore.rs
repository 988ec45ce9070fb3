//! daemontools-encore's rules: `start`, `stop`, `notify`, exit code 100, sessions, `$SUPERVISEDIR`.

use super::*;

/// Scripts that leave a word each in `said`.
fn scripts(scratch: &Scratch) {
    for (name, rest) in [("start", ""), ("stop", ""), ("run", "exec sleep 10000")] {
        scratch.script(&format!("s/{name}"), &format!("#!/bin/sh\necho {name} >>said\n{rest}\n"));
    }
}

#[test]
fn start_before_run_and_stop_after_it() {
    let scratch = Scratch::new("supervise-encore");
    scripts(&scratch);
    let child = supervise(&scratch);
    wait_said(&scratch, &["start", "run"]);
    wait_state(&scratch, State::Running);
    // A death alone is no reason for either.
    svc(&scratch, "-k");
    wait_said(&scratch, &["start", "run", "run"]);
    wait_state(&scratch, State::Running);
    svc(&scratch, "-d");
    wait_said(&scratch, &["start", "run", "run", "stop"]);
    wait_state(&scratch, State::Stopped);
    // What is down already isn't stopped again; but each way up begins with `start`.
    svc(&scratch, "-d");
    svc(&scratch, "-u");
    wait_said(&scratch, &["start", "run", "run", "stop", "start", "run"]);
    end(&scratch, child);
    wait_said(&scratch, &["start", "run", "run", "stop", "start", "run", "stop"]);
}

#[test]
fn once_is_started_and_stopped_too() {
    let scratch = Scratch::new("supervise-encore-once");
    scripts(&scratch);
    scratch.script("s/run", "#!/bin/sh\necho run >>said\n");
    scratch.file("s/down", "");
    let child = supervise(&scratch);
    svc(&scratch, "-o");
    wait_said(&scratch, &["start", "run", "stop"]);
    wait_state(&scratch, State::Stopped);
    end(&scratch, child);
    wait_said(&scratch, &["start", "run", "stop"]);
}

#[test]
fn a_service_that_consists_of_its_start() {
    let scratch = Scratch::new("supervise-encore-started");
    scripts(&scratch);
    fs::remove_file(scratch.join("s/run")).expect("remove run");
    let child = supervise(&scratch);
    wait_state(&scratch, State::Started);
    assert_eq!(status(&scratch.join("s")), Some((0, false, b'u')));
    // That outlives supervise.
    murder(child);
    let child = supervise(&scratch);
    wait_state(&scratch, State::Started);
    svc(&scratch, "-d");
    wait_state(&scratch, State::Stopped);
    wait_said(&scratch, &["start", "stop"]);
    end(&scratch, child);
    wait_said(&scratch, &["start", "stop"]);
}

#[test]
fn a_start_that_fails_is_a_failure_for_good() {
    for (script, death) in [("exit 1", "1"), ("kill -9 $$", "killed")] {
        let scratch = Scratch::new("supervise-encore-nostart");
        scripts(&scratch);
        scratch.script("s/start", &format!("#!/bin/sh\necho start >>said\n{script}\n"));
        let child = supervise(&scratch);
        wait_state(&scratch, State::Failed);
        assert_eq!(status(&scratch.join("s")), Some((0, false, b'd')), "{death}");
        assert_eq!(said(&scratch), ["start"]);
        // It stays so when supervise is killed, and until somebody wants it up.
        murder(child);
        let child = supervise(&scratch);
        wait_state(&scratch, State::Failed);
        scratch.script("s/start", "#!/bin/sh\n");
        svc(&scratch, "-u");
        wait_state(&scratch, State::Running);
        end(&scratch, child);
    }
}

#[test]
fn exit_code_100_is_final_by_encores_rules_only() {
    let scratch = place("supervise-encore-100", "#!/bin/sh\necho run >>said; exit 100\n");
    let child = supervise(&scratch);
    wait_said(&scratch, &["run", "run"]);
    // An empty file changes that, at the next start.
    scratch.file("s/encore", "");
    wait_state(&scratch, State::Failed);
    assert_eq!(status(&scratch.join("s")), Some((0, false, b'd')));
    let starts = said(&scratch).len();
    svc(&scratch, "-o");
    wait_until("one more", SOON, || said(&scratch).len() == starts + 1);
    wait_state(&scratch, State::Failed);
    end(&scratch, child);
}

#[test]
fn notify_is_told_of_every_start_and_end() {
    let scratch = Scratch::new("supervise-notify");
    scripts(&scratch);
    scratch.script("s/notify", "#!/bin/sh\necho \"$1 $2 $4\" >>told.$1.$2; sleep 0.01\n");
    let child = supervise(&scratch);
    wait_said(&scratch, &["start", "run"]);
    svc(&scratch, "-k");
    wait_said(&scratch, &["start", "run", "run"]);
    end(&scratch, child);
    let told = |name: &str| fs::read_to_string(scratch.join("s").join(name)).unwrap_or_default();
    for (file, lines) in [
        ("told.start.start", "start start 0\n"),
        ("told.start.exit", "start exit 0\n"),
        ("told.run.start", "run start 0\nrun start 0\n"),
        ("told.stop.start", "stop start 0\n"),
        ("told.stop.exit", "stop exit 0\n"),
    ] {
        wait_until(&format!("{file}, which is {:?}", told(file)), SOON, || told(file) == lines);
    }
    let mut killed: Vec<String> = Vec::new();
    wait_until("two deaths", SOON, || {
        killed = told("told.run.killed").lines().map(str::to_owned).collect();
        killed.len() == 2
    });
    killed.sort();
    assert_eq!(killed, ["run killed 15", "run killed 9"]);
}

#[test]
fn a_notify_that_hangs_holds_nobody_up_and_leaves_no_zombie() {
    let scratch = place("supervise-notify-hangs", SLEEP);
    scratch.script("s/notify", "#!/bin/sh\ncase $2 in start) exec sleep 10000;; esac\n");
    let child = supervise(&scratch);
    for _ in 0..3 {
        let pid = wait_up(&scratch);
        svc(&scratch, "-d");
        wait_down(&scratch);
        svc(&scratch, "-u");
        wait_status(&scratch, "another one", |new, _, _| new != 0 && new != pid);
    }
    let zombies = || {
        let children = format!("/proc/{0}/task/{0}/children", child.pid());
        let children = fs::read_to_string(children).unwrap_or_default();
        let stat = |pid: &str| fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        children.split_whitespace().filter(|pid| stat(pid).contains(") Z ")).count()
    };
    wait_until("no zombies", SOON, || zombies() == 0);
    end(&scratch, child);
}

/// The session and the process group of a process.
fn session(pid: i32) -> (i32, i32) {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("stat");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    (fields[3].parse().expect("session"), fields[2].parse().expect("group"))
}

#[test]
fn whose_session_it_is() {
    for (files, own) in [
        (&[][..], false),
        (&["setsid"], true),
        (&["encore"], true),
        (&["no-setsid"], false),
        (&["down-group"], true),
        (&["encore", "no-setsid"], false),
    ] {
        let scratch = place("supervise-session", SLEEP);
        for file in files {
            scratch.file(&format!("s/{file}"), "");
        }
        let child = supervise(&scratch);
        let pid = wait_up(&scratch);
        let expected = if own { (pid, pid) } else { session(child.pid()) };
        assert_eq!(session(pid), expected, "{files:?}");
        end(&scratch, child);
    }
}

#[test]
fn a_signal_to_the_whole_group() {
    let scratch = place("supervise-group", "#!/bin/sh\nsleep 10000 & sleep 10000 & wait\n");
    scratch.file("s/encore", "");
    let child = supervise(&scratch);
    wait_until("three processes", SOON, || services(&scratch) == 3);
    // None of them is a shell still that is about to become one.
    wait_until("two that sleep", SOON, || count(&scratch, &["sleep"]) == 2);
    // To the shell alone, at first.
    svc(&scratch, "-o");
    send(&scratch, b"k");
    wait_down(&scratch);
    assert_eq!(count(&scratch, &["sleep"]), 2);
    svc(&scratch, "-o");
    wait_until("three more", SOON, || services(&scratch) == 5);
    // Each letter before the plus, and each after the equals sign, is for the shell alone.
    send(&scratch, b"c+k=c");
    wait_until("only the old ones", SOON, || services(&scratch) == 2);
    end(&scratch, child);
}

#[test]
fn the_other_signals_of_encore() {
    let run = "#!/bin/sh\n\
        for s in QUIT USR1 USR2 WINCH; do trap \"echo $s >>said\" $s; done\n\
        echo ready >>said\n\
        while :; do sleep 10000 & wait; done\n";
    let scratch = place("supervise-signals", run);
    let child = supervise(&scratch);
    wait_said(&scratch, &["ready"]);
    let mut expected = vec!["ready"];
    for (letter, word) in [(b'q', "QUIT"), (b'1', "USR1"), (b'2', "USR2"), (b'w', "WINCH")] {
        expected.push(word);
        send(&scratch, &[letter]);
        wait_said(&scratch, &expected);
    }
    end(&scratch, child);
}

#[test]
fn the_files_elsewhere() {
    for kind in ["relative", "absolute"] {
        let scratch = place("supervise-elsewhere", SLEEP);
        let states = Scratch::new("supervise-states");
        let service = scratch.join("s").display().to_string();
        let (value, files) = match kind {
            "relative" => ("state".to_owned(), scratch.join("s/state")),
            _ => (states.path().display().to_string(), states.join(service[1..].replace('/', ":"))),
        };
        let start = || {
            let run = Run::new(program("supervise")).arg("s").cwd(scratch.path());
            run.env("SUPERVISEDIR", &value).spawn()
        };
        let pid = || {
            let bytes = fs::read(files.join("status")).ok()?;
            let pid = i32::from_le_bytes(bytes.get(12..16)?.try_into().ok()?);
            (pid != 0).then_some(pid)
        };
        let child = start();
        let service = wait_for(SOON, pid).expect("the service, in another place");
        assert!(!scratch.join("s/supervise").exists());
        // All of it is there: the next supervise finds what this one leaves.
        murder(child);
        let child = start();
        child.expect_stderr(&format!("supervise: taking over s (pid {service})\n"));
        let svc = |letters: &str| {
            let run = Run::new(program("svc")).args([letters, "s"]).cwd(scratch.path());
            assert_eq!(run.env("SUPERVISEDIR", &value).output().code, 0);
        };
        svc("-dx");
        assert_eq!(child.wait(SOON).code, 0);
    }
}

#[test]
fn a_directory_of_files_that_cannot_be_written_to() {
    if !is_root() {
        skip!("the files must be another account's");
    }
    let scratch = place("supervise-nowrite", SLEEP);
    let dir = scratch.dir("s/supervise");
    nix::unistd::mkfifo(&dir.join("control"), nix::sys::stat::Mode::S_IRWXU).expect("mkfifo");
    nix::unistd::mkfifo(&dir.join("ok"), nix::sys::stat::Mode::S_IRWXU).expect("mkfifo");
    for file in ["lock", "status"] {
        scratch.file(&format!("s/supervise/{file}"), "");
    }
    for file in ["lock", "status", "control", "ok"] {
        nix::unistd::chown(&dir.join(file), Some(61234.into()), None).expect("chown");
    }
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).expect("chmod");
    let script = "exec setpriv --reuid=61234 --regid=61234 --clear-groups \"$0\" s";
    let child = Run::sh(script).arg(program("supervise")).cwd(scratch.path()).spawn();
    let pid = wait_up(&scratch);
    svc(&scratch, "-p");
    wait_status(&scratch, "paused", |same, paused, _| same == pid && paused);
    end(&scratch, child);
}
