//! The `log` that supervise runs itself (encore).

use super::*;

/// A log that writes to a file, a line at a time, so that nothing is lost in it.
const LOG: &str = "#!/bin/sh\nwhile read -r line; do echo \"$line\" >>logged; done\n";

/// A service that counts its lines until it is told to end, and has last words.
const COUNTING: &str = "#!/bin/sh\n\
    n=0 over=\n\
    trap 'over=1' TERM\n\
    while [ -z \"$over\" ]; do echo $n; n=$((n+1)); sleep 0.001; done\n\
    m=0; while [ $m -lt 500 ]; do echo $n; n=$((n+1)); m=$((m+1)); done\n\
    echo $n >written\n";

fn logged(scratch: &Scratch) -> Vec<String> {
    let text = fs::read_to_string(scratch.join("s/logged")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn logging(name: &str, run: &str) -> Scratch {
    let scratch = place(name, run);
    scratch.script("s/log", LOG);
    scratch
}

/// What the status says of the log: pid, state.
fn log(scratch: &Scratch) -> Option<(i32, u8)> {
    let bytes = fs::read(scratch.join("s/supervise/status")).ok().filter(|b| b.len() == 40)?;
    Some((i32::from_le_bytes(bytes[32..36].try_into().expect("4 bytes")), bytes[38]))
}

fn wait_log(scratch: &Scratch, what: &str, holds: impl Fn(i32, u8) -> bool) -> i32 {
    let seen = wait_for(SOON, || log(scratch).filter(|(pid, state)| holds(*pid, *state)));
    seen.unwrap_or_else(|| panic!("waited in vain for a log that is {what}: {:?}", log(scratch))).0
}

/// Every line that the service wrote is there, once, in its order.
fn assert_nothing_is_lost(scratch: &Scratch) {
    let written = fs::read_to_string(scratch.join("s/written")).expect("the service's count");
    let written: usize = written.trim().parse().expect("a number");
    let logged = logged(scratch);
    assert!(written > 500);
    let wrong = (0..written).find(|n| logged.get(*n) != Some(&n.to_string()));
    assert_eq!((wrong, logged.len()), (None, written));
}

#[test]
fn it_gets_what_the_scripts_write() {
    let scratch = logging("supervise-log", "#!/bin/sh\necho from run; exec sleep 10000\n");
    scratch.script("s/start", "#!/bin/sh\necho from start\n");
    scratch.script("s/stop", "#!/bin/sh\necho from stop\n");
    let child = supervise(&scratch);
    wait_until("both lines", SOON, || logged(&scratch) == ["from start", "from run"]);
    wait_log(&scratch, "up", |pid, state| pid != 0 && state == State::Running as u8);
    let outcome = end(&scratch, child);
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("", ""));
    assert_eq!(logged(&scratch), ["from start", "from run", "from stop"]);
    assert!(scratch.inhabitants().is_empty());
    let files: Vec<_> =
        fs::read_dir(scratch.join("s/supervise")).expect("list").flatten().collect();
    assert!(files.iter().all(|f| !f.file_name().to_string_lossy().starts_with("process")));
}

#[test]
fn svc_dx_loses_no_line() {
    for letters in ["-dx", "-xd"] {
        let scratch = logging("supervise-log-drain", COUNTING);
        let child = supervise(&scratch);
        wait_until("some lines", SOON, || logged(&scratch).len() > 100);
        svc(&scratch, letters);
        assert_eq!(child.wait(SOON).code, 0);
        assert_nothing_is_lost(&scratch);
    }
}

/// A service that waits for its log, which was stopped, can't end before that goes on.
#[test]
fn a_log_that_was_stopped_reads_on_at_the_end() {
    for letters in ["-dx", "-xd"] {
        let scratch = logging("supervise-log-stopped", &COUNTING.replace("sleep 0.001; ", ""));
        let child = supervise(&scratch);
        let service = wait_up(&scratch);
        wait_log(&scratch, "up", |pid, _| pid != 0);
        send(&scratch, b"Lp");
        wait_until("a full pipe", SOON, || {
            let call = fs::read_to_string(format!("/proc/{service}/syscall")).unwrap_or_default();
            call.starts_with(&format!("{} 0x1 ", nix::libc::SYS_write))
        });
        svc(&scratch, letters);
        assert_eq!(child.wait(SOON).code, 0, "{letters}");
        assert_nothing_is_lost(&scratch);
    }
}

#[test]
fn term_loses_none_either_though_the_log_dies_meanwhile() {
    let scratch = logging("supervise-log-term", COUNTING);
    let child = supervise(&scratch);
    wait_until("some lines", SOON, || logged(&scratch).len() > 100);
    // A stopped log reads nothing; then it is gone, between two lines.
    let old = wait_log(&scratch, "up", |pid, _| pid != 0);
    send(&scratch, b"Lt");
    wait_log(&scratch, "another one", |pid, _| pid != 0 && pid != old);
    child.signal(Signal::SIGTERM);
    assert_eq!(child.wait(SOON).code, 0);
    let logged = logged(&scratch);
    let last: usize = logged.last().expect("lines").parse().expect("a number");
    // The shell that was killed may have had one line in its hands.
    let missing = (0..=last).filter(|n| !logged.contains(&n.to_string())).count();
    assert!(missing <= 1, "{missing} lines are missing");
    let written = fs::read_to_string(scratch.join("s/written")).expect("the service's count");
    assert_eq!(written.trim(), (last + 1).to_string());
}

#[test]
fn letters_for_the_log() {
    let scratch = logging("supervise-log-letters", SLEEP);
    let child = supervise(&scratch);
    let service = wait_up(&scratch);
    let old = wait_log(&scratch, "up", |pid, _| pid != 0);
    send(&scratch, b"Ld");
    wait_log(&scratch, "down", |pid, state| (pid, state) == (0, State::Stopped as u8));
    assert_eq!(wait_up(&scratch), service);
    send(&scratch, b"Lu");
    wait_log(&scratch, "up again", |pid, _| pid != 0 && pid != old);
    // Back to the service, within one write; and at the end of each.
    send(&scratch, b"Lplp");
    wait_status(&scratch, "paused", |pid, paused, _| pid == service && paused);
    send(&scratch, b"c");
    wait_status(&scratch, "going on", |pid, paused, _| pid == service && !paused);
    send(&scratch, b"Lcl");
    // Whoever is told to exit, it is supervise that does, when the service is down.
    send(&scratch, b"Lxl");
    wait_log(&scratch, "up", |pid, _| pid != 0);
    assert_eq!(wait_up(&scratch), service);
    send(&scratch, b"d");
    assert_eq!(child.wait(SOON).code, 0);
    assert!(scratch.inhabitants().is_empty());
}

#[test]
fn killed_both_go_on_on_the_same_pipe() {
    let scratch = logging("supervise-log-killed", COUNTING);
    let mut child = supervise(&scratch);
    let service = wait_up(&scratch);
    let log = wait_log(&scratch, "up", |pid, _| pid != 0);
    for round in 1..=3 {
        wait_until("more lines", SOON, || logged(&scratch).len() > 50 * round);
        murder(child);
        child = supervise(&scratch);
        child.expect_stderr(&format!("supervise: taking over s (pid {service})\n"));
        child.expect_stderr(&format!("supervise: taking over s/log (pid {log})\n"));
    }
    end(&scratch, child);
    assert_nothing_is_lost(&scratch);
    assert!(scratch.inhabitants().is_empty());
}

#[test]
fn a_log_that_no_longer_reads_is_not_waited_for_for_ever() {
    let scratch = place("supervise-log-deaf", "#!/bin/sh\necho unread; exec sleep 10000\n");
    scratch.script("s/log", SLEEP);
    let child = supervise(&scratch);
    wait_until("both", SOON, || count(&scratch, &["sleep"]) == 2);
    svc(&scratch, "-dx");
    assert_eq!(child.wait(Duration::from_secs(30)).code, 0);
    assert!(scratch.inhabitants().is_empty());
}
