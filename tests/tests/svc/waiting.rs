//! svc that waits: for services of every supervise, and of none that a test plays itself.

use super::*;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Instant;

/// A service that ends only when there is a file `go`.
const STUBBORN: &str = "#!/bin/sh\ntrap '' TERM\nuntil test -e go; do sleep 0.05; done\n";

/// svc in the background.
fn waiting(scratch: &Scratch, args: &[&str]) -> Child {
    Run::new(program("svc")).args(args).cwd(scratch.path()).spawn()
}

fn ended(child: Child) -> (String, i32) {
    let outcome = child.wait(SOON);
    assert_eq!(outcome.out(), "");
    (outcome.err(), outcome.code)
}

const DONE: (String, i32) = (String::new(), 0);

fn code(scratch: &Scratch, args: &[&str]) -> (String, i32) {
    let outcome = svc(scratch, args);
    (outcome.err(), outcome.code)
}

#[test]
fn it_returns_when_the_service_is_really_there() {
    for (whose, path) in both("supervise") {
        let scratch = Scratch::new("svc-there");
        scratch.script("s/run", STUBBORN);
        let _supervise = supervise(&path, &scratch, "s");
        assert_eq!(code(&scratch, &["-U", "s"]), DONE, "{whose}");
        let (pid, want) = published(&scratch.join(STATUS));
        assert_eq!((pid == 0, want), (false, b'u'), "{whose}");
        let mut down = waiting(&scratch, &["-D", "s"]);
        wait_until("the letter", SOON, || published(&scratch.join(STATUS)).1 == b'd');
        assert!(down.is_running(), "{whose}");
        scratch.file("s/go", "");
        assert_eq!(ended(down), DONE, "{whose}");
        assert_eq!(published(&scratch.join(STATUS)), (0, b'd'), "{whose}");
        assert_eq!(code(&scratch, &["--down", "s"]), DONE, "{whose}: it is down already");
    }
}

#[test]
fn what_was_true_before_does_not_count() {
    for (whose, path) in both("supervise") {
        let scratch = Scratch::new("svc-before");
        scratch.script("s/run", SLEEP);
        scratch.file("s/down", "");
        let _supervise = supervise(&path, &scratch, "s");
        // Debian's hears nothing for a second after each start.
        for _ in 0..if whose == "ours" { 30 } else { 3 } {
            assert_eq!(code(&scratch, &["-u", "s"]), DONE);
            assert_eq!(code(&scratch, &["-D", "s"]), DONE);
            assert_eq!(published(&scratch.join(STATUS)), (0, b'd'), "{whose}");
        }
        assert_eq!(code(&scratch, &["-U", "s"]), DONE);
        for _ in 0..if whose == "ours" { 5 } else { 2 } {
            let before = published(&scratch.join(STATUS)).0;
            assert_eq!(code(&scratch, &["--restart", "s"]), DONE, "{whose}");
            let after = published(&scratch.join(STATUS)).0;
            assert!(after != 0 && after != before, "{whose}: {before} {after}");
        }
    }
}

#[test]
fn a_job_is_waited_for() {
    for (whose, path) in both("supervise") {
        let scratch = Scratch::new("svc-job");
        scratch.script("s/run", "#!/bin/sh\necho run >>runs\n");
        scratch.file("s/down", "");
        let _supervise = supervise(&path, &scratch, "s");
        assert_eq!(code(&scratch, &["-oWdown", "s"]), DONE, "{whose}");
        assert_eq!(fs::read(scratch.join("s/runs")).expect("runs"), b"run\n", "{whose}");
    }
}

#[test]
fn the_end_of_supervise_is_waited_for() {
    for (whose, path) in both("supervise") {
        let scratch = Scratch::new("svc-gone");
        scratch.script("s/run", SLEEP);
        let mut child = supervise(&path, &scratch, "s");
        assert_eq!(code(&scratch, &["-dxWgone", "s"]), DONE, "{whose}");
        wait_until("the end of supervise", SOON, || !child.is_running());
        assert_eq!(code(&scratch, &["-dx", "--wait=gone", "s"]), DONE, "{whose}: it is gone");
        let child = supervise(&path, &scratch, "s");
        assert_eq!(code(&scratch, &["-Dx", "s"]), DONE, "{whose}");
        assert_eq!(child.wait(SOON).code, 0);
    }
}

#[test]
fn the_time_is_over() {
    for (whose, path) in both("supervise") {
        let scratch = Scratch::new("svc-time");
        scratch.script("s/run", STUBBORN);
        let _supervise = supervise(&path, &scratch, "s");
        assert_eq!(code(&scratch, &["-U", "s"]), DONE);
        let began = Instant::now();
        let (said, code) = code(&scratch, &["-D", "-T", "0.3", "s"]);
        assert!(began.elapsed() >= Duration::from_millis(300));
        let start = "svc: warning: unable to wait for s to be down within 0.300 seconds: up (pid ";
        assert!(said.starts_with(start) && said.contains(", want down"), "{whose}: {said}");
        assert_eq!((said.lines().count(), code), (1, 99), "{whose}");
        scratch.file("s/go", "");
    }
}

#[test]
fn a_supervise_that_is_missing_is_said_at_once() {
    let scratch = Scratch::new("svc-missing");
    scratch.dir("never");
    drop(fifo(&scratch.join("ended/supervise/control")));
    let began = Instant::now();
    let (said, code) = code(&scratch, &["-U", "-T", "100", "never", "ended", "nowhere"]);
    assert!(began.elapsed() < Duration::from_secs(99));
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "svc: warning: unable to control never: file does not exist",
            "svc: warning: unable to control ended: supervise not running",
            "svc: warning: unable to chdir to nowhere: file does not exist",
        ]
    );
    assert!(lines[3].contains("svscan starts one") && lines.len() == 4, "{said}");
    assert_eq!(code, 98);
}

#[test]
fn a_supervise_that_comes_is_waited_for() {
    for (whose, path) in both("supervise") {
        let scratch = Scratch::new("svc-comes");
        scratch.script("s/run", SLEEP);
        let mut up = waiting(&scratch, &["-Wup", "s"]);
        assert!(up.is_running());
        let _supervise = supervise(&path, &scratch, "s");
        assert_eq!(ended(up), DONE, "{whose}");
    }
}

#[test]
fn a_supervise_that_is_killed_and_comes_back_is_waited_for() {
    let scratch = Scratch::new("svc-killed");
    scratch.script("s/run", STUBBORN);
    let first = supervise(&program("supervise"), &scratch, "s");
    assert_eq!(code(&scratch, &["-U", "s"]), DONE);
    let mut down = waiting(&scratch, &["-D", "s"]);
    wait_until("the letter", SOON, || published(&scratch.join(STATUS)).1 == b'd');
    first.signal(Signal::SIGKILL);
    assert_eq!(first.wait(SOON).code, 137);
    assert!(down.is_running());
    let _second = supervise(&program("supervise"), &scratch, "s");
    assert!(down.is_running());
    scratch.file("s/go", "");
    assert_eq!(ended(down), DONE);
    assert_eq!(published(&scratch.join(STATUS)), (0, b'd'));
}

#[test]
fn a_supervise_that_is_killed_for_good_is_given_up() {
    for (whose, path) in both("supervise") {
        let scratch = Scratch::new("svc-given-up");
        scratch.script("s/run", STUBBORN);
        let first = supervise(&path, &scratch, "s");
        assert_eq!(code(&scratch, &["-U", "s"]), DONE);
        let pid = published(&scratch.join(STATUS)).0;
        let down = waiting(&scratch, &["-T0", "-D", "s"]);
        wait_until("the letter", SOON, || published(&scratch.join(STATUS)).1 == b'd');
        first.signal(Signal::SIGKILL);
        first.wait(SOON);
        let (said, code) = ended(down);
        let start = "svc: warning: unable to wait for s to be down: supervise not running\n";
        assert!(said.starts_with(start) && said.contains("svscan starts one"), "{whose}: {said}");
        assert_eq!(code, 98);
        let _ = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
    }
}

#[test]
fn each_of_several_is_waited_for() {
    let scratch = Scratch::new("svc-several");
    for name in ["a", "b", "c"] {
        scratch.script(&format!("{name}/run"), if name == "b" { STUBBORN } else { SLEEP });
    }
    scratch.dir("never");
    let path = program("supervise");
    let _all: Vec<_> =
        ["a", "b", "c"].iter().map(|name| supervise(&path, &scratch, name)).collect();
    assert_eq!(code(&scratch, &["-U", "a", "b", "c"]), DONE);
    let (said, status) = code(&scratch, &["-DT1", "a", "b", "c"]);
    assert!(said.starts_with("svc: warning: unable to wait for b to be down within 1 second: "));
    assert_eq!((said.lines().count(), status), (1, 99), "{said}");
    for name in ["a", "c"] {
        assert_eq!(published(&scratch.join(format!("{name}/supervise/status"))), (0, b'd'));
    }
    // What can't come true counts for more than a time that is over.
    let (said, status) = code(&scratch, &["-T0.2", "-Wdown", "-h", "a", "never", "b"]);
    assert_eq!(status, 98, "{said}");
    scratch.file("b/go", "");
    assert_eq!(code(&scratch, &["-D", "b", "a", "./b", "b"]), DONE);
}

/// A supervise that a test plays.
struct Played {
    _ok: File,
    control: File,
    status: PathBuf,
}

impl Played {
    fn new(scratch: &Scratch, directory: &str) -> Played {
        let at = |name: &str| scratch.join(directory).join("supervise").join(name);
        Played { control: fifo(&at("control")), _ok: fifo(&at("ok")), status: at("status") }
    }

    /// Replaces the status, as 0.76's and our supervise do.
    fn publish(&self, bytes: &[u8]) {
        let new = self.status.with_extension("new");
        fs::write(&new, bytes).expect("write a status");
        fs::rename(&new, &self.status).expect("rename a status");
    }

    fn letters(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = self.control.read_to_end(&mut bytes);
        bytes
    }

    /// Reads letters until these have come.
    fn expect(&mut self, letters: &[u8]) {
        let mut seen = Vec::new();
        wait_until("letters", SOON, || {
            seen.extend(self.letters());
            seen == letters
        });
    }
}

#[test]
fn letters_must_be_read_and_obeyed_before_a_status_counts() {
    let scratch = Scratch::new("svc-obeyed");
    let mut played = Played::new(&scratch, "s");
    played.publish(&status(10, 0, 0, b'd'));
    let mut down = waiting(&scratch, &["-D", "s"]);
    played.expect(b"d");
    // It is down and is to be down, but that was so before.
    assert!(down.is_running());
    played.publish(&status(1, 7, 0, b'u'));
    played.publish(&status(1, 7, 0, b'd'));
    assert!(down.is_running());
    played.publish(&status(0, 0, 0, b'd'));
    assert_eq!(ended(down), DONE);
}

#[test]
fn a_status_that_is_written_in_place_is_noticed() {
    let scratch = Scratch::new("svc-in-place");
    let mut played = Played::new(&scratch, "s");
    played.publish(&status_in(0, 10, 0, b'd'));
    let up = waiting(&scratch, &["-U", "s"]);
    played.expect(b"u");
    let mut file = OpenOptions::new().write(true).open(&played.status).expect("open");
    for state in [status_in(1, 0, 0, b'u'), status_in(3, 0, 7, b'u')] {
        file.seek(SeekFrom::Start(0)).expect("seek");
        file.write_all(&state).expect("write");
    }
    assert_eq!(ended(up), DONE);
}

#[test]
fn a_clock_that_jumps_changes_nothing() {
    let scratch = Scratch::new("svc-clock");
    let mut played = Played::new(&scratch, "s");
    played.publish(&status(10, 7, 0, b'u'));
    let mut up = waiting(&scratch, &["--restart", "s"]);
    played.expect(b"t");
    played.publish(&status(5_000_000, 0, 0, b'u'));
    assert!(up.is_running());
    played.publish(&status(9_000_000, 8, 0, b'u'));
    assert_eq!(ended(up), DONE);
}

#[test]
fn a_restart_that_starts_nothing_is_said() {
    let scratch = Scratch::new("svc-nothing");
    let mut played = Played::new(&scratch, "s");
    played.publish(&status(10, 7, 0, 0));
    let up = waiting(&scratch, &["--restart", "s"]);
    played.expect(b"t");
    played.publish(&status(0, 0, 0, 0));
    let (said, code) = ended(up);
    let expected = "svc: warning: unable to wait for s to be up again: it is down, and is not started again (svc -U starts it)\n";
    assert_eq!((said.as_str(), code), (expected, 98));
}

#[test]
fn a_service_that_has_failed_is_not_waited_for() {
    let scratch = Scratch::new("svc-failed");
    let mut played = Played::new(&scratch, "s");
    let failed = status_in(5, 10, 0, b'd');
    played.publish(&failed);
    let said = "svc: warning: unable to wait for s to be ready: it has failed for good\n";
    assert_eq!(code(&scratch, &["-Wready", "s"]), (said.to_owned(), 98));
    assert_eq!(code(&scratch, &["-Wdown", "s"]), DONE);
    // -U starts it afresh: what it was before doesn't count.
    let mut up = waiting(&scratch, &["-U", "s"]);
    played.expect(b"u");
    assert!(up.is_running());
    played.publish(&status_in(3, 0, 7, b'u'));
    assert_eq!(ended(up), DONE);
    let up = waiting(&scratch, &["-U", "s"]);
    played.expect(b"u");
    played.publish(&status_in(1, 0, 0, b'u'));
    played.publish(&failed);
    assert_eq!(ended(up).1, 98);
}

#[test]
fn a_log_of_the_same_supervise_is_waited_for() {
    let scratch = Scratch::new("svc-log");
    let mut played = Played::new(&scratch, "s");
    let (up, down) = (status_in(3, 10, 7, b'u'), status_in(0, 0, 0, b'd'));
    played.publish(&[up.clone(), up.clone()].concat());
    let mut log = waiting(&scratch, &["-LD", "s"]);
    played.expect(b"Ldl");
    played.publish(&[down.clone(), up.clone()].concat());
    assert!(log.is_running());
    played.publish(&[up.clone(), down].concat());
    assert_eq!(ended(log), DONE);
    played.publish(&up);
    let said =
        "svc: warning: unable to wait for s log to be up: its supervise runs no log of its own\n";
    let wait = waiting(&scratch, &["-LWup", "s"]);
    played.expect(b"Ll");
    assert_eq!(ended(wait), (said.to_owned(), 98));
}

#[test]
fn a_link_that_is_replaced_does_not_lead_astray() {
    let scratch = Scratch::new("svc-link");
    let mut played = Played::new(&scratch, "real");
    let link = scratch.join("s");
    std::os::unix::fs::symlink("real", &link).expect("link");
    played.publish(&status(10, 7, 0, b'u'));
    let mut down = waiting(&scratch, &["-D", "s"]);
    played.expect(b"d");
    fs::remove_file(&link).expect("unlink");
    played.publish(&status(10, 7, 0, b'd'));
    assert!(down.is_running());
    played.publish(&status(0, 0, 0, b'd'));
    assert_eq!(ended(down), DONE);
}

#[test]
fn a_supervise_directory_that_is_replaced_is_followed() {
    let scratch = Scratch::new("svc-replaced");
    let mut played = Played::new(&scratch, "s");
    played.publish(&status(10, 7, 0, b'u'));
    let down = waiting(&scratch, &["-D", "s"]);
    played.expect(b"d");
    fs::rename(scratch.join("s/supervise"), scratch.join("s/old")).expect("rename");
    let again = Played::new(&scratch, "s");
    again.publish(&status(10, 7, 0, b'd'));
    again.publish(&status(0, 0, 0, b'd'));
    assert_eq!(ended(down), DONE);
}

#[test]
fn the_services_word_is_waited_for() {
    let scratch = Scratch::new("svc-ready");
    let played = Played::new(&scratch, "s");
    let up = status_in(3, 10, 7, b'u');
    played.publish(&up);
    let ready = up[..12].to_vec();
    let path = scratch.file(DETAIL, explaining::detail(&up, 4, 0, &[(explaining::NOTIFIES, &[1])]));
    let (said, status) = code(&scratch, &["-T0.2", "-Wready", "s"]);
    assert!(
        said.contains("unable to wait for s to be ready within 0.200 seconds: up (pid 7) "),
        "{said}"
    );
    assert_eq!((status, code(&scratch, &["-Wup", "s"])), (99, DONE));
    let wait = waiting(&scratch, &["-Wready", "s"]);
    let told = [(explaining::NOTIFIES, &[1][..]), (explaining::READY, &ready)];
    let mut file = OpenOptions::new().write(true).open(path).expect("open");
    file.write_all(&explaining::detail(&up, 4, 0, &told)).expect("write");
    assert_eq!(ended(wait), DONE);
}

/// As when other programs have taken all that there is of inotify.
#[test]
fn without_inotify_it_looks_each_second() {
    let scratch = Scratch::new("svc-blind");
    let none = "echo 0 >/proc/sys/user/max_inotify_instances";
    let alone =
        |command: &str| Run::new("unshare").args(["-Ur", "sh", "-c", command]).cwd(scratch.path());
    if alone(none).output().code != 0 {
        tests::skip!("no user namespace to take inotify away in");
    }
    scratch.script("s/run", SLEEP);
    let _supervise = supervise(&program("supervise"), &scratch, "s");
    let svc = program("svc");
    for option in ["-U", "--restart", "-D"] {
        let outcome = alone(&format!("{none}; exec {} {option} s", svc.display())).output();
        assert_eq!((outcome.err().as_str(), outcome.code), ("", 0), "{option}");
    }
    let svstat = program("svstat");
    let watching = alone(&format!("{none}; exec {} --watch s", svstat.display())).spawn();
    watching.expect("s: down ");
    assert_eq!(code(&scratch, &["-U", "s"]), DONE);
    watching.expect("s: up ");
}

#[test]
fn a_full_control_fifo_is_trouble() {
    let scratch = Scratch::new("svc-wait-full");
    let played = Played::new(&scratch, "s");
    played.publish(&status(10, 7, 0, b'u'));
    let flags = OFlag::O_NONBLOCK.bits();
    let control = scratch.join(CONTROL);
    let mut writer =
        OpenOptions::new().write(true).custom_flags(flags).open(control).expect("open");
    while writer.write(&[0; 4096]).is_ok() {}
    while writer.write(&[0; 1]).is_ok() {}
    let said = "svc: warning: unable to control s: temporary failure\n";
    assert_eq!(code(&scratch, &["-D", "s"]), (said.to_owned(), 111));
}
