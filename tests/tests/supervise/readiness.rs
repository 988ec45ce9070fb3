//! Readiness: `notification-fd`.

use super::*;

/// A service that is ready when there is a file `go`.
const SLOW: &str =
    "#!/bin/sh\nuntil test -e go; do sleep 0.02; done\necho >&5; exec 5>&-; exec sleep 10000\n";

fn slow(name: &str) -> Scratch {
    let scratch = place(name, SLOW);
    scratch.file("s/notification-fd", "5\n");
    scratch
}

/// Whether the service tells when it is ready, and whether it has.
fn ready(scratch: &Scratch) -> Option<(bool, bool)> {
    let bytes = fs::read(scratch.join("s/supervise/detail")).ok().filter(|b| b.len() >= 256)?;
    Some((bytes[22] != 0, bytes[32..44] != [0; 12]))
}

#[test]
fn a_newline_makes_it_ready() {
    let scratch = slow("supervise-ready");
    let child = supervise(&scratch);
    for _ in 0..2 {
        let pid = wait_up(&scratch);
        wait_until("not ready yet", SOON, || ready(&scratch) == Some((true, false)));
        scratch.file("s/go", "");
        wait_until("ready", SOON, || ready(&scratch) == Some((true, true)));
        fs::remove_file(scratch.join("s/go")).expect("remove go");
        // The next one has to tell anew.
        svc(&scratch, "-t");
        wait_status(&scratch, "another one", |new, _, _| new != 0 && new != pid);
    }
    end(&scratch, child);
    // Nothing of it is left open.
    let _ = fs::remove_file(scratch.join("s/notification-fd"));
    scratch.script("s/run", SLEEP);
    let child = supervise(&scratch);
    wait_up(&scratch);
    assert_eq!(ready(&scratch), Some((false, false)));
    end(&scratch, child);
}

#[test]
fn a_service_that_never_tells_wakes_nobody() {
    let scratch = place("supervise-mute", "#!/bin/sh\nexec 5>&-; exec sleep 10000\n");
    scratch.file("s/notification-fd", "5");
    let child = supervise(&scratch);
    wait_until("the service", SOON, || count(&scratch, &["sleep"]) == 1);
    let fds = || fs::read_dir(format!("/proc/{}/fd", child.pid())).expect("fd").count();
    let before = fds();
    wait_until("our end closed", SOON, || fds() <= before);
    let switches = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.pid())).expect("status");
        let line = status.lines().find(|l| l.starts_with("voluntary_ctxt_switches"));
        line.expect("a line").to_owned()
    };
    let mut last = switches();
    let mut since = Instant::now();
    wait_until("a second of sleep", SOON, || {
        if switches() != last {
            (last, since) = (switches(), Instant::now());
        }
        since.elapsed() > Duration::from_secs(1)
    });
    end(&scratch, child);
}

#[test]
fn it_may_tell_after_supervise_was_killed() {
    let scratch = slow("supervise-ready-killed");
    let run = SLOW.replace("exec 5>&-; ", "");
    scratch.script("s/run", &run);
    let child = supervise(&scratch);
    let pid = wait_up(&scratch);
    murder(child);
    // Nobody is there to hear it, and yet it isn't lost, and kills nobody.
    scratch.file("s/go", "");
    wait_until("the sleeper", SOON, || {
        let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        comm == "sleep\n"
    });
    let child = supervise(&scratch);
    wait_until("ready", SOON, || ready(&scratch) == Some((true, true)));
    assert_eq!(wait_up(&scratch), pid);
    murder(child);
    let child = supervise(&scratch);
    assert_eq!(ready(&scratch), Some((true, true)), "and still is");
    end(&scratch, child);
}
