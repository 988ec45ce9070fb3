//! supervise, end to end: with our clients and Debian's, in every kind of trouble, killed and
//! killed again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tests::{
    Child, Run, Scratch, Signal, alone, both, debian, is_root, pids, program, skip, wait_for,
    wait_until,
};

const SOON: Duration = Duration::from_secs(20);

/// A service that does nothing, for long.
const SLEEP: &str = "#!/bin/sh\nexec sleep 10000\n";

/// A scratch directory with the service `s`.
fn place(name: &str, run: &str) -> Scratch {
    let scratch = Scratch::new(name);
    scratch.script("s/run", run);
    scratch
}

fn supervise(scratch: &Scratch) -> Child {
    with(&program("supervise"), scratch)
}

fn with(supervise: &Path, scratch: &Scratch) -> Child {
    let child = Run::new(supervise).arg("s").cwd(scratch.path()).spawn();
    let ok = || Run::new(program("svok")).arg("s").cwd(scratch.path()).output().code == 0;
    wait_until("supervise", SOON, ok);
    child
}

fn svc(scratch: &Scratch, letters: &str) {
    let run = Run::new(program("svc")).args([letters, "s"]).cwd(scratch.path());
    let outcome = run.output();
    assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
}

/// What a status says: pid, paused, wanted.
fn status(dir: &Path) -> Option<(i32, bool, u8)> {
    let bytes = fs::read(dir.join("supervise/status")).ok()?;
    assert_eq!(bytes.len(), 18);
    let pid = i32::from_le_bytes(bytes[12..16].try_into().expect("4 bytes"));
    Some((pid, bytes[16] != 0, bytes[17]))
}

fn wait_status(scratch: &Scratch, what: &str, holds: impl Fn(i32, bool, u8) -> bool) -> i32 {
    let dir = scratch.join("s");
    let seen =
        wait_for(SOON, || status(&dir).filter(|(pid, paused, want)| holds(*pid, *paused, *want)));
    seen.unwrap_or_else(|| {
        panic!("waited in vain for a service that is {what}: {:?}", status(&dir))
    })
    .0
}

fn wait_up(scratch: &Scratch) -> i32 {
    wait_status(scratch, "up", |pid, _, _| pid != 0)
}

fn wait_down(scratch: &Scratch) {
    wait_status(scratch, "down", |pid, _, _| pid == 0);
}

/// Ends a supervise in order.
fn end(scratch: &Scratch, child: Child) -> tests::Outcome {
    svc(scratch, "-dx");
    let outcome = child.wait(SOON);
    assert_eq!(outcome.code, 0);
    outcome
}

fn murder(child: Child) {
    child.signal(Signal::SIGKILL);
    assert_eq!(child.wait(SOON).code, 137);
}

/// How many processes of one of these names live in the scratch directory.
fn count(scratch: &Scratch, names: &[&str]) -> usize {
    let is = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        !stat.contains(") Z ") && names.iter().any(|name| stat.contains(&format!("({name})")))
    };
    scratch.inhabitants().iter().filter(|pid| is(pid)).count()
}

/// How many copies of the service there are: of its script, before and after it runs `sleep`. In
/// one look, or a script that runs it meanwhile counts twice.
fn services(scratch: &Scratch) -> usize {
    count(scratch, &["run", "sleep"])
}

#[test]
fn the_files_are_debians_files() {
    let mut listings = Vec::new();
    for (whose, path) in both("supervise") {
        let scratch = place("supervise-files", SLEEP);
        let child = with(&path, &scratch);
        let mut listing = BTreeMap::new();
        let dir = scratch.join("s/supervise");
        let mode =
            |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o7777;
        listing.insert("supervise".to_owned(), (false, mode(&dir)));
        wait_up(&scratch);
        for entry in fs::read_dir(&dir).expect("list supervise/").flatten() {
            let name = entry.file_name().into_string().expect("ASCII");
            let fifo = entry.file_type().expect("type").is_fifo();
            listing.insert(name, (fifo, mode(&entry.path())));
        }
        let process = listing.remove("process");
        assert_eq!(process, (whose == "ours").then_some((false, 0o600)));
        listings.push(listing);
        end(&scratch, child);
        assert!(!scratch.join("s/supervise/process").exists());
    }
    assert_eq!(listings[0]["supervise"], (false, 0o700));
    assert_eq!(listings[0]["control"], (true, 0o600));
    assert_eq!(listings[0]["ok"], (true, 0o600));
    assert!(listings.iter().all(|listing| *listing == listings[0]), "{listings:?}");
}

/// Each letter with what svstat says after it; the pid and the seconds apart.
const STEPS: [(&str, &str); 12] = [
    ("-p", "up (pid PID) N seconds, paused"),
    ("-c", "up (pid PID) N seconds"),
    ("-hai", "up (pid PID) N seconds"),
    ("-d", "down N seconds, normally up"),
    ("-o", "up (pid PID) N seconds"),
    ("-k", "down N seconds, normally up"),
    ("-u", "up (pid PID) N seconds"),
    ("-p", "up (pid PID) N seconds, paused"),
    ("-d", "down N seconds, normally up"),
    ("-uo", "up (pid PID) N seconds"),
    ("-t", "down N seconds, normally up"),
    ("-dx", "supervise not running"),
];

#[test]
fn every_client_drives_every_supervise() {
    for (whose, path) in both("supervise") {
        for (client, svc) in both("svc") {
            let svstat = svc.with_file_name("svstat");
            let svok = svc.with_file_name("svok");
            let scratch =
                place("supervise-pairs", "#!/bin/sh\ntrap '' HUP ALRM INT\nexec sleep 10000\n");
            let child = with(&path, &scratch);
            let says = || {
                let line = Run::new(&svstat).arg("s").cwd(scratch.path()).output().out();
                seconds(&pids(&line))
            };
            let expect = |step: &str, text: &str| {
                let line = format!("s: {text}\n");
                let what =
                    format!("{line:?} by {client}'s svstat after {step} to {whose} supervise");
                wait_until(&what, SOON, || says() == line);
            };
            expect("its start", "up (pid PID) N seconds");
            // The shell must have set its traps.
            let asleep = || count(&scratch, &["sleep"]) == 1;
            wait_until("the service", SOON, asleep);
            for (step, text) in STEPS {
                let outcome = Run::new(&svc).args([step, "s"]).cwd(scratch.path()).output();
                assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
                expect(step, text);
            }
            assert_eq!(child.wait(SOON).code, 0);
            let code = Run::new(&svok).arg("s").cwd(scratch.path()).output().code;
            assert_eq!(code, 100);
        }
    }
}

fn seconds(line: &str) -> String {
    let Some((head, tail)) = line.split_once(" seconds") else { return line.to_owned() };
    let head = head.trim_end_matches(|c: char| c.is_ascii_digit());
    format!("{head}N seconds{tail}")
}

#[test]
fn the_service_gets_what_debians_gets() {
    let run = "#!/bin/sh\n{ echo \"$0 $#\"; env | sort; grep -E '^(Sig|Shd)' /proc/self/status\n\
               ls /proc/$$/fd; umask; ulimit -a; cd ..; } >seen.new\nmv seen.new ../seen; exec sleep 10000\n";
    let run = run.replace("cd ..; } >seen.new", "pwd; } >seen.new");
    let mut seen = Vec::new();
    for (_, path) in both("supervise") {
        let scratch = place("supervise-inherit", &run);
        // Blocked and ignored signals, and a descriptor that is not close-on-exec, pass through.
        let script = format!("trap '' USR1 HUP; exec {} s 9</dev/null", path.display());
        let child = Run::sh(&script).env("COLOUR", "red").cwd(scratch.path()).spawn();
        wait_until("the service's report", SOON, || scratch.join("seen").exists());
        let text = fs::read_to_string(scratch.join("seen")).expect("read seen");
        seen.push(text.replace(&scratch.path().display().to_string(), "SCRATCH"));
        end(&scratch, child);
    }
    assert!(seen[0].starts_with("./run 0\n") && seen[0].contains("COLOUR=red\n"), "{}", seen[0]);
    assert!(seen.iter().all(|text| *text == seen[0]), "ours:\n{}\nDebian's:\n{}", seen[0], seen[1]);
}

#[test]
fn a_run_that_cannot_be_run_is_said_and_tried_again() {
    for (what, content, mode, reason) in [
        ("missing", None, 0, "file does not exist"),
        ("not executable", Some(SLEEP), 0o644, "access denied"),
        ("of a wrong interpreter", Some("#!/nonexistent\n"), 0o755, "file does not exist"),
        ("no program", Some("sleep\n"), 0o755, "exec format error"),
    ] {
        for (whose, path) in both("supervise") {
            let scratch = Scratch::new("supervise-norun");
            scratch.dir("s");
            if let Some(text) = content {
                let file = scratch.file("s/run", text);
                fs::set_permissions(file, fs::Permissions::from_mode(mode)).expect("chmod");
            }
            let child = with(&path, &scratch);
            let line = format!("supervise: fatal: unable to start s/run: {reason}\n");
            wait_until(&format!("two lines of {whose}, run {what}"), SOON, || {
                String::from_utf8_lossy(&child.stderr()).starts_with(&line.repeat(2))
            });
            if whose == "ours" {
                // Commands are answered at once, not after the second.
                let asked = Instant::now();
                svc(&scratch, "-d");
                wait_status(&scratch, "wanted down", |pid, _, want| (pid, want) == (0, b'd'));
                assert!(asked.elapsed() < Duration::from_millis(900), "{:?}", asked.elapsed());
                svc(&scratch, "-u");
                let _ = fs::remove_file(scratch.join("s/run"));
                scratch.script("s/run", SLEEP);
                wait_up(&scratch);
            }
            end(&scratch, child);
        }
    }
}

#[test]
fn a_service_that_ends_at_once_is_started_once_a_second() {
    let scratch = place("supervise-quick", "#!/bin/sh\necho >>starts; exit 1\n");
    let child = supervise(&scratch);
    let starts = || fs::read(scratch.join("s/starts")).map_or(0, |bytes| bytes.len());
    wait_until("the first start", SOON, || starts() >= 1);
    let first = Instant::now();
    wait_until("four more", SOON, || starts() >= 5);
    let elapsed = first.elapsed();
    // Four seconds, less what we were late to see the first start.
    assert!(elapsed >= Duration::from_secs(3), "four more starts within {elapsed:?}");
    wait_status(&scratch, "about to be restarted", |pid, _, want| (pid, want) == (0, b'u'));
    let asked = Instant::now();
    svc(&scratch, "-d");
    wait_status(&scratch, "down", |pid, _, want| (pid, want) == (0, b'd'));
    assert!(asked.elapsed() < Duration::from_millis(900), "{:?}", asked.elapsed());
    // Explicit commands don't wait: five more starts in far less than five seconds.
    let (asked, before) = (Instant::now(), starts());
    for round in 1..=5 {
        svc(&scratch, "-o");
        wait_until("a start", SOON, || starts() >= before + round);
        wait_down(&scratch);
    }
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    end(&scratch, child);
}

#[test]
fn a_service_that_ran_for_long_is_restarted_at_once() {
    let scratch = place("supervise-restart", SLEEP);
    let child = supervise(&scratch);
    let pid = wait_up(&scratch);
    let since = Instant::now();
    wait_until("a second", SOON, || since.elapsed() > Duration::from_millis(1_050));
    let killed = Instant::now();
    svc(&scratch, "-t");
    wait_status(&scratch, "up again", |new, _, _| new != 0 && new != pid);
    assert!(killed.elapsed() < Duration::from_millis(900), "{:?}", killed.elapsed());
    end(&scratch, child);
}

#[test]
fn no_process_to_be_had() {
    // An account of its own, with nothing running but this supervise.
    let mut script = "exec prlimit --nproc=1:4096 \"$0\" s".to_owned();
    if is_root() {
        script = script.replace("exec", "exec setpriv --reuid=61234 --regid=61234 --clear-groups");
    }
    let scratch = place("supervise-nproc", SLEEP);
    for dir in [scratch.path().to_owned(), scratch.join("s")] {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).expect("chmod");
    }
    let child = Run::sh(&script).arg(program("supervise")).cwd(scratch.path()).spawn();
    let line = "supervise: warning: unable to fork for s, trying again: temporary failure\n";
    child.expect_stderr(&line.repeat(2));
    let (pid, _, want) = status(&scratch.join("s")).expect("a status");
    assert_eq!((pid, want), (0, b'u'));
    let raise = format!("prlimit --pid {} --nproc=4096:4096", child.pid());
    let outcome = Run::sh(&script.replace("prlimit --nproc=1:4096 \"$0\" s", &raise)).output();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    wait_up(&scratch);
    let asked = Run::new(program("svc")).args(["-dx", "s"]).cwd(scratch.path()).output();
    assert_eq!(asked.code, 0);
    assert_eq!(child.wait(SOON).code, 0);
}

#[test]
fn a_full_disk() {
    alone!();
    let scratch = Scratch::new("supervise-full");
    let mount = |options: &str| {
        let script = format!("mount {options} {}", scratch.path().display());
        assert_eq!(Run::sh(&script).output().code, 0);
    };
    mount("-t tmpfs -o size=64k none");
    scratch.script("s/run", SLEEP);
    let child = supervise(&scratch);
    let old = wait_up(&scratch);
    Run::sh("cat /dev/zero >fill").cwd(scratch.path()).output();
    kill(Pid::from_raw(old), Signal::SIGTERM).expect("kill the service");
    child.expect_stderr(
        "supervise: warning: unable to write s/supervise/status.new: out of disk space\n",
    );
    wait_until("a new service", SOON, || count(&scratch, &["sleep"]) == 1);
    fs::remove_file(scratch.join("fill")).expect("remove fill");
    // Without any further change, the status becomes true again.
    let new = wait_status(&scratch, "up again", |pid, _, _| pid != 0 && pid != old);
    assert!(Path::new(&format!("/proc/{new}")).exists());
    end(&scratch, child);
    Run::sh("umount -l \"$0\"").arg(scratch.path()).output();
}

#[test]
fn a_read_only_file_system() {
    alone!();
    let scratch = place("supervise-readonly", SLEEP);
    scratch.script("linked/run", SLEEP);
    let target = Scratch::new("supervise-writable");
    std::os::unix::fs::symlink(target.join("linked"), scratch.join("linked/supervise"))
        .expect("a dangling link");
    let path = scratch.path().display();
    let script = format!("mount --bind {path} {path} && mount -o remount,ro,bind {path}");
    assert_eq!(Run::sh(&script).output().code, 0);
    let outcome = Run::new(program("supervise")).arg("s").cwd(scratch.path()).output();
    assert_eq!(
        outcome.err(),
        "supervise: fatal: unable to create s/supervise: read-only file system\n"
    );
    assert_eq!(outcome.code, 111);
    let child = Run::new(program("supervise")).arg("linked").cwd(scratch.path()).spawn();
    let pid = |dir: &Path| fs::read(dir.join("status")).is_ok_and(|bytes| bytes[12..14] != [0, 0]);
    wait_until("the service on a read-only file system", SOON, || pid(&target.join("linked")));
    let mode = fs::metadata(target.join("linked")).expect("made").permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
    Run::new(program("svc")).args(["-dx", "linked"]).cwd(scratch.path()).output();
    assert_eq!(child.wait(SOON).code, 0);
    Run::sh("umount -l \"$0\"").arg(scratch.path()).output();
}

#[test]
fn a_status_that_is_a_directory() {
    for blocked in ["s/supervise/status", "s/supervise/status.new"] {
        let scratch = place("supervise-nostatus", SLEEP);
        scratch.dir(blocked);
        let child = supervise(&scratch);
        child.expect_stderr("supervise: warning: unable to ");
        wait_until("the service", SOON, || count(&scratch, &["sleep"]) == 1);
        fs::remove_dir(scratch.join(blocked)).expect("remove the directory");
        wait_up(&scratch);
        end(&scratch, child);
    }
}

#[test]
fn what_is_removed_under_it_is_made_anew() {
    for gone in ["control", "ok", "lock", "process", ""] {
        let scratch = place("supervise-removed", SLEEP);
        let child = supervise(&scratch);
        let old = wait_up(&scratch);
        let path = scratch.join("s/supervise").join(gone);
        if gone.is_empty() {
            fs::remove_dir_all(&path).expect("remove supervise/");
        } else {
            fs::remove_file(&path).expect("remove a file");
        }
        assert_eq!(services(&scratch), 1);
        kill(Pid::from_raw(old), Signal::SIGKILL).expect("kill the service");
        wait_status(&scratch, "up again", |pid, _, _| pid != 0 && pid != old);
        let second = Run::new(program("supervise")).arg("s").cwd(scratch.path()).output();
        let refused = "supervise: fatal: unable to acquire s/supervise/lock: temporary failure\n";
        assert_eq!((second.err().as_str(), second.code), (refused, 111), "without {gone}");
        end(&scratch, child);
    }
}

#[test]
fn a_plain_file_in_place_of_a_fifo_gives_way() {
    for name in ["control", "ok"] {
        let scratch = place("supervise-replaced", SLEEP);
        scratch.file(&format!("s/supervise/{name}"), "xxx");
        let child = supervise(&scratch);
        wait_up(&scratch);
        let path = scratch.join("s/supervise").join(name);
        assert!(fs::metadata(&path).expect("there").file_type().is_fifo());
        end(&scratch, child);
    }
}

#[test]
fn what_keeps_it_from_starting() {
    let scratch = place("supervise-refused", SLEEP);
    scratch.file("file/supervise", "");
    scratch.dir("lock/supervise/lock");
    scratch.dir("control/supervise/control");
    scratch.dir("ok/supervise/ok");
    std::os::unix::fs::symlink("no/where", scratch.dir("link").join("supervise")).expect("link");
    for (args, expected, code) in [
        (&[][..], "supervise: usage: supervise dir\n", 100),
        (&["s", "t"], "supervise: usage: supervise dir\n", 100),
        (&["gone"], "supervise: fatal: unable to chdir to gone: file does not exist\n", 111),
        (
            &["file"],
            "supervise: fatal: unable to acquire file/supervise/lock: not a directory\n",
            111,
        ),
        (
            &["lock"],
            "supervise: fatal: unable to acquire lock/supervise/lock: is a directory\n",
            111,
        ),
        (
            &["control"],
            "supervise: fatal: unable to open control/supervise/control: is a directory\n",
            111,
        ),
        (&["ok"], "supervise: fatal: unable to open ok/supervise/ok: is a directory\n", 111),
        (
            &["link"],
            "supervise: fatal: unable to create link/supervise: file does not exist\n",
            111,
        ),
    ] {
        let outcome = Run::new(program("supervise")).args(args).cwd(scratch.path()).output();
        assert_eq!((outcome.err().as_str(), outcome.code), (expected, code));
    }
}

#[test]
fn only_one_whosever_it_is() {
    for (_, first) in both("supervise") {
        for (_, second) in both("supervise") {
            let scratch = place("supervise-twice", SLEEP);
            let child = with(&first, &scratch);
            let outcome = Run::new(second).arg("s").cwd(scratch.path()).output();
            let refused =
                "supervise: fatal: unable to acquire s/supervise/lock: temporary failure\n";
            assert_eq!((outcome.err().as_str(), outcome.code), (refused, 111));
            end(&scratch, child);
        }
    }
}

#[test]
fn term_takes_the_service_with_it() {
    let scratch = place("supervise-term", SLEEP);
    let child = supervise(&scratch);
    wait_up(&scratch);
    child.signal(Signal::SIGTERM);
    assert_eq!(child.wait(SOON).code, 0);
    assert_eq!(status(&scratch.join("s")), Some((0, false, b'd')));
    assert!(scratch.inhabitants().is_empty());
    // Asked to end in order, it leaves nothing to the next one: `down` decides.
    let child = supervise(&scratch);
    wait_up(&scratch);
    end(&scratch, child);
}

#[test]
fn down_keeps_it_down_and_once_is_once() {
    let scratch = place("supervise-down", "#!/bin/sh\necho >>starts; exec sleep 10000\n");
    scratch.file("s/down", "");
    let child = supervise(&scratch);
    assert_eq!(status(&scratch.join("s")), Some((0, false, b'd')));
    let started = |times| {
        let starts = || fs::read(scratch.join("s/starts")).map_or(0, |bytes| bytes.len());
        wait_until("a start", SOON, || starts() == times);
    };
    svc(&scratch, "-o");
    started(1);
    svc(&scratch, "-k");
    wait_down(&scratch);
    svc(&scratch, "-ox");
    started(2);
    svc(&scratch, "-k");
    assert_eq!(child.wait(SOON).code, 0);
    started(2);
}

#[test]
fn killed_it_leaves_its_service_to_the_next_one() {
    let scratch = place("supervise-killed", "#!/bin/sh\ntrap '' HUP\nexec sleep 10000\n");
    let mut child = supervise(&scratch);
    let service = wait_up(&scratch);
    let since = fs::read(scratch.join("s/supervise/status")).expect("status")[..12].to_vec();
    svc(&scratch, "-p");
    wait_status(&scratch, "paused", |_, paused, _| paused);
    for _ in 0..3 {
        murder(child);
        child = supervise(&scratch);
        child.expect_stderr(&format!("supervise: taking over s (pid {service})\n"));
        assert_eq!(status(&scratch.join("s")), Some((service, true, b'u')));
        let now = fs::read(scratch.join("s/supervise/status")).expect("status")[..12].to_vec();
        assert_eq!(now, since, "up since when it was started");
    }
    // It hears commands, and its end is noticed, as a child's would be.
    svc(&scratch, "-c");
    wait_status(&scratch, "going on", |pid, paused, _| pid == service && !paused);
    svc(&scratch, "-t");
    let next = wait_status(&scratch, "up again", |pid, _, _| pid != 0 && pid != service);
    assert_eq!(services(&scratch), 1);
    kill(Pid::from_raw(next), Signal::SIGKILL).expect("kill the service");
    wait_status(&scratch, "up again", |pid, _, _| pid != 0 && pid != next);
    end(&scratch, child);
    assert!(scratch.inhabitants().is_empty());
}

#[test]
fn killed_at_any_moment_it_never_doubles_its_service() {
    let scratch = place("supervise-kills", SLEEP);
    for round in 0..60_u64 {
        let child = Run::new(program("supervise")).arg("s").cwd(scratch.path()).spawn();
        // Not a wait for anything: the kill comes a little later in each round, from before the lock
        // to after the exec.
        std::thread::park_timeout(Duration::from_micros(round * 100));
        murder(child);
    }
    let child = supervise(&scratch);
    let service = wait_up(&scratch);
    assert_eq!(services(&scratch), 1);
    assert_eq!(count(&scratch, &["supervise"]), 1);
    assert!(Path::new(&format!("/proc/{service}")).exists());
    end(&scratch, child);
    assert!(scratch.inhabitants().is_empty(), "{:?}", scratch.inhabitants());
}

#[test]
fn what_was_wanted_survives_a_kill() {
    let scratch = place("supervise-wanted", SLEEP);
    let child = supervise(&scratch);
    wait_up(&scratch);
    svc(&scratch, "-d");
    wait_down(&scratch);
    murder(child);
    let child = supervise(&scratch);
    assert_eq!(status(&scratch.join("s")), Some((0, false, b'd')));
    svc(&scratch, "-u");
    let service = wait_up(&scratch);
    svc(&scratch, "-o");
    wait_status(&scratch, "wanted once", |_, _, want| want == 0);
    murder(child);
    let child = supervise(&scratch);
    assert_eq!(status(&scratch.join("s")), Some((service, false, 0)));
    kill(Pid::from_raw(service), Signal::SIGKILL).expect("kill the service");
    wait_down(&scratch);
    svc(&scratch, "-x");
    assert_eq!(child.wait(SOON).code, 0);
}

#[test]
fn a_record_of_another_boot_or_another_process_is_nobody() {
    let scratch = place("supervise-stranger", SLEEP);
    // None of the service's, and older by more than the clock's tick of 10 ms.
    let mut stranger = Run::new("sleep").arg("10000").spawn();
    let since = Instant::now();
    wait_until("some ticks", SOON, || since.elapsed() > Duration::from_millis(50));
    let child = supervise(&scratch);
    let service = wait_up(&scratch);
    let record = scratch.join("s/supervise/process");
    wait_until("a whole record", SOON, || fs::read(&record).is_ok_and(|bytes| bytes.len() == 36));
    murder(child);
    let whole = fs::read(&record).expect("the record");
    kill(Pid::from_raw(service), Signal::SIGKILL).expect("kill the service");
    wait_until("its end", SOON, || count(&scratch, &["sleep"]) == 0);
    let pid = stranger.pid().to_le_bytes();
    let mut other_boot = whole.clone();
    other_boot[0] ^= 1;
    let mut other_process = whole.clone();
    other_process[24..28].copy_from_slice(&pid);
    let mut early = whole.clone();
    early[24..28].copy_from_slice(&pid);
    early.truncate(28);
    for bytes in [other_boot, other_process, early, whole[..20].to_vec(), vec![0xFF; 36], vec![]] {
        fs::write(&record, bytes).expect("write the record");
        let child = supervise(&scratch);
        // After a kill in this boot, what was wanted last still holds: down.
        svc(&scratch, "-u");
        let service = wait_up(&scratch);
        assert_ne!(service, stranger.pid());
        assert_eq!(services(&scratch), 1);
        let outcome = end(&scratch, child);
        assert_eq!(outcome.err(), "");
    }
    assert!(stranger.is_running());
}

#[test]
fn a_killed_supervise_that_had_noted_only_the_pid() {
    let scratch = place("supervise-half", SLEEP);
    let child = supervise(&scratch);
    let service = wait_up(&scratch);
    let record = scratch.join("s/supervise/process");
    wait_until("a whole record", SOON, || fs::read(&record).is_ok_and(|bytes| bytes.len() == 36));
    murder(child);
    let half = fs::read(&record).expect("the record")[..28].to_vec();
    fs::write(&record, half).expect("cut the record");
    let child = supervise(&scratch);
    assert_eq!(wait_up(&scratch), service);
    assert_eq!(services(&scratch), 1);
    end(&scratch, child);
}

/// Anonymous and otherwise private memory, in KiB. Pages of the program that no other process
/// happens to map count as private, so another supervise must run.
fn private(pid: i32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("smaps_rollup");
    let field = |name: &str| -> u64 {
        let line = rollup.lines().find(|line| line.starts_with(name)).expect(name);
        line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
    };
    field("Private_Dirty:") + field("Private_Clean:")
}

#[test]
fn it_stays_small_however_often_it_restarts() {
    let (other, scratch) = (place("supervise-other", SLEEP), place("supervise-small", SLEEP));
    let (beside, child) = (supervise(&other), supervise(&scratch));
    for each in [&other, &scratch] {
        wait_up(each);
        svc(each, "-d");
        wait_down(each);
        svc(each, "-u");
        wait_up(each);
    }
    let before = private(child.pid());
    // A C library has data of its own.
    let hosted = std::env::var_os("DAEMONTOOLS_HOSTED").is_some() || !cfg!(target_arch = "x86_64");
    assert!(hosted || before <= 32, "{before} KiB");
    for _ in 0..200 {
        svc(&scratch, "-d");
        wait_down(&scratch);
        svc(&scratch, "-u");
        wait_up(&scratch);
    }
    assert_eq!(private(child.pid()), before, "after 200 restarts");
    let descriptors = fs::read_dir(format!("/proc/{}/fd", child.pid())).expect("fd").count();
    let others = fs::read_dir(format!("/proc/{}/fd", beside.pid())).expect("fd").count();
    assert_eq!(descriptors, others);
    // Neither do its messages cost memory.
    svc(&scratch, "-d");
    wait_down(&scratch);
    fs::remove_file(scratch.join("s/run")).expect("remove run");
    for round in 1..=200 {
        svc(&scratch, "-o");
        let lines = || child.stderr().iter().filter(|byte| **byte == b'\n').count();
        wait_until("a message", SOON, || lines() >= round);
    }
    assert_eq!(private(child.pid()), before, "after 200 messages");
    end(&scratch, child);
    end(&other, beside);
}

/// A service that writes as fast as it can, and has last words when it is told to end. It counts
/// for itself what it wrote.
const CHATTY: &str = "#!/bin/sh\n\
    n=0 over=\n\
    trap 'over=1' TERM\n\
    while [ -z \"$over\" ]; do echo line $n; n=$((n+1)); done\n\
    m=0; while [ $m -lt 3000 ]; do echo line $n; n=$((n+1)); m=$((m+1)); done\n\
    echo $n >written\n";

/// The service and its logger as svscan runs them, on a FIFO that outlives both.
fn with_logger(scratch: &Scratch, multilog: &Path) -> (Child, Child) {
    scratch.script("s/run", CHATTY);
    // A file of its own for each run of the logger would hide a loss: one large one.
    let run = format!("#!/bin/sh\nexec {} s9999999 n9 ./main\n", multilog.display());
    scratch.script("s/log/run", &run);
    nix::unistd::mkfifo(&scratch.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("mkfifo");
    let supervise = program("supervise").display().to_string();
    let service = Run::sh(&format!("exec {supervise} s 1<>pipe")).cwd(scratch.path()).spawn();
    let script = format!("exec {supervise} log 0<>../pipe");
    let logger = Run::sh(&script).cwd(scratch.join("s")).spawn();
    wait_up(scratch);
    wait_until("the log", SOON, || logged(scratch).len() > 10_000);
    (service, logger)
}

/// All that multilog has written.
fn logged(scratch: &Scratch) -> Vec<u8> {
    let mut files: Vec<PathBuf> = fs::read_dir(scratch.join("s/log/main"))
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.retain(|path| {
        path.file_name().is_some_and(|n| n.as_encoded_bytes()[0] == b'@' || n == "current")
    });
    files.sort();
    files.iter().flat_map(|path| fs::read(path).unwrap_or_default()).collect()
}

fn assert_nothing_is_lost(scratch: &Scratch) {
    let written = fs::read_to_string(scratch.join("s/written")).expect("the service's count");
    let written: usize = written.trim().parse().expect("a number");
    let expected: String = (0..written).map(|n| format!("line {n}\n")).collect();
    let logged = String::from_utf8(logged(scratch)).expect("ASCII");
    assert!(written > 3000);
    assert!(logged == expected, "{} of {} bytes were logged", logged.len(), expected.len());
}

#[test]
fn service_and_logger_end_without_losing_a_line() {
    let Some(multilog) = debian("multilog") else { return };
    for orders in [
        &[["-dx", ".", "./log"]][..],
        &[["-dx", "./log", "."]],
        &[["-x", ".", "./log"], ["-d", ".", "./log"]],
    ] {
        let scratch = Scratch::new("supervise-drain");
        let (service, logger) = with_logger(&scratch, &multilog);
        for order in orders {
            let outcome = Run::new(program("svc")).args(order).cwd(scratch.join("s")).output();
            assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
        }
        assert_eq!(service.wait(SOON).code, 0);
        assert_eq!(logger.wait(SOON).code, 0);
        assert_nothing_is_lost(&scratch);
    }
}

#[test]
fn term_to_both_supervises_loses_no_line_either() {
    let Some(multilog) = debian("multilog") else { return };
    let scratch = Scratch::new("supervise-drain-term");
    let (service, logger) = with_logger(&scratch, &multilog);
    logger.signal(Signal::SIGTERM);
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait(SOON).code, 0);
    assert_eq!(logger.wait(SOON).code, 0);
    assert_nothing_is_lost(&scratch);
}

#[test]
fn a_logger_alone_goes_down_though_its_service_stays() {
    let Some(multilog) = debian("multilog") else { return };
    let scratch = Scratch::new("supervise-logger-alone");
    let (service, logger) = with_logger(&scratch, &multilog);
    let log = scratch.join("s/log");
    let send = |letters: &str| {
        Run::new(program("svc")).args([letters, "log"]).cwd(scratch.join("s")).output();
    };
    send("-d");
    wait_until("the logger's end", SOON, || status(&log) == Some((0, false, b'd')));
    // What the service writes meanwhile waits in the pipe.
    send("-u");
    wait_until("the next logger", SOON, || status(&log).is_some_and(|(pid, ..)| pid != 0));
    // svc -t is no d: it is passed on as it comes.
    let old = status(&log).expect("a status").0;
    send("-t");
    wait_until("a restart", SOON, || status(&log).is_some_and(|(pid, ..)| pid != 0 && pid != old));
    for child in [&service, &logger] {
        child.signal(Signal::SIGTERM);
    }
    assert_eq!(service.wait(SOON).code, 0);
    assert_eq!(logger.wait(SOON).code, 0);
    assert_nothing_is_lost(&scratch);
}

#[test]
fn a_logger_that_no_longer_reads_is_not_waited_for_for_ever() {
    let scratch = place("supervise-deaf", "#!/bin/sh\necho unread; exec sleep 10000\n");
    scratch.script("s/log/run", SLEEP);
    nix::unistd::mkfifo(&scratch.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("mkfifo");
    let supervise = program("supervise").display().to_string();
    let service = Run::sh(&format!("exec {supervise} s 1<>pipe")).cwd(scratch.path()).spawn();
    let script = format!("exec {supervise} log 0<>../pipe");
    let logger = Run::sh(&script).cwd(scratch.join("s")).spawn();
    wait_until("both", SOON, || count(&scratch, &["sleep"]) == 2);
    Run::new(program("svc")).args(["-dx", ".", "log"]).cwd(scratch.join("s")).output();
    assert_eq!(service.wait(SOON).code, 0);
    assert_eq!(logger.wait(Duration::from_secs(30)).code, 0);
}

#[test]
fn it_waits_without_waking() {
    let scratch = place("supervise-asleep", SLEEP);
    let child = supervise(&scratch);
    wait_up(&scratch);
    let switches = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.pid())).expect("status");
        let line = status.lines().find(|l| l.starts_with("voluntary_ctxt_switches"));
        line.expect("a line").to_owned()
    };
    let state = || fs::read_to_string(format!("/proc/{}/stat", child.pid())).expect("stat");
    wait_until("sleep", SOON, || state().contains(") S "));
    let (before, start) = (switches(), Instant::now());
    wait_until("three seconds", SOON, || start.elapsed() > Duration::from_secs(3));
    assert_eq!(switches(), before);
    end(&scratch, child);
}

#[test]
fn without_proc_it_still_supervises() {
    alone!();
    let scratch = place("supervise-noproc", SLEEP);
    if Run::sh("mount -t tmpfs none /proc").output().code != 0 {
        skip!("/proc can't be hidden here");
    }
    let child = supervise(&scratch);
    wait_up(&scratch);
    end(&scratch, child);
    Run::sh("umount /proc").output();
}
