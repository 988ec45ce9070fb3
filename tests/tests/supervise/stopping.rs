//! How a service is told to end, and what follows its end: `down-signal`, `timeout-kill`, `down-group`,
//! `finish`.

use super::*;

const DEAF: &str = "#!/bin/sh\ntrap '' TERM\necho up >>said\nexec sleep 10000\n";

#[test]
fn who_does_not_hear_term_gets_kill() {
    let scratch = place("supervise-deaf", DEAF);
    scratch.file("s/timeout-kill", "300\n");
    let child = supervise(&scratch);
    wait_said(&scratch, &["up"]);
    let asked = Instant::now();
    svc(&scratch, "-d");
    wait_state(&scratch, State::Stopping);
    wait_down(&scratch);
    assert!(asked.elapsed() >= Duration::from_millis(300), "{:?}", asked.elapsed());
    assert_eq!(death(&scratch), Some(Death::Signal(9)));
    end(&scratch, child);
}

#[test]
fn being_told_again_and_again_puts_nothing_off() {
    let scratch = place("supervise-again", DEAF);
    scratch.file("s/timeout-kill", "500\n");
    let child = supervise(&scratch);
    wait_said(&scratch, &["up"]);
    wait_until("its end", SOON, || {
        send(&scratch, b"d");
        status(&scratch.join("s")).is_some_and(|(pid, ..)| pid == 0)
    });
    end(&scratch, child);
}

#[test]
fn who_may_stay_after_all_is_not_killed() {
    let scratch = place("supervise-spared", DEAF);
    scratch.file("s/timeout-kill", "1000");
    let child = supervise(&scratch);
    wait_said(&scratch, &["up"]);
    let pid = wait_up(&scratch);
    svc(&scratch, "-d");
    svc(&scratch, "-u");
    let since = Instant::now();
    wait_until("longer than it would have had", SOON, || {
        since.elapsed() > Duration::from_millis(1500)
    });
    assert_eq!(status(&scratch.join("s")), Some((pid, false, b'u')));
    end(&scratch, child);
}

#[test]
fn another_signal_than_term() {
    for content in ["INT\n", "SIGINT", "2"] {
        let run = "#!/bin/sh\ntrap 'echo INT >>said; exit 0' INT\necho up >>said\n\
                   while :; do sleep 10000 & wait; done\n";
        let scratch = place("supervise-signal", run);
        scratch.file("s/down-signal", content);
        let child = supervise(&scratch);
        wait_said(&scratch, &["up"]);
        end(&scratch, child);
        wait_said(&scratch, &["up", "INT"]);
    }
}

#[test]
fn the_whole_group_ends() {
    let scratch = place("supervise-down-group", "#!/bin/sh\nsleep 10000 & sleep 10000 & wait\n");
    scratch.file("s/down-group", "");
    let child = supervise(&scratch);
    wait_until("three processes", SOON, || services(&scratch) == 3);
    svc(&scratch, "-d");
    wait_until("none", SOON, || services(&scratch) == 0);
    end(&scratch, child);
}

#[test]
fn finish_is_told_how_it_ended() {
    let scratch = place("supervise-finish", "#!/bin/sh\necho run >>said; exit 3\n");
    scratch.script("s/finish", "#!/bin/sh\necho \"finish $1 $2\" >>said\n");
    let child = supervise(&scratch);
    wait_until("two rounds", SOON, || said(&scratch).len() >= 4);
    assert_eq!(said(&scratch)[..4], ["run", "finish 3 0", "run", "finish 3 0"]);
    scratch.script("s/run", "#!/bin/sh\necho up >>said; exec sleep 10000\n");
    wait_until("the sleeper", SOON, || said(&scratch).last().is_some_and(|word| word == "up"));
    wait_state(&scratch, State::Running);
    svc(&scratch, "-d");
    let last = || said(&scratch).last().cloned().unwrap_or_default();
    wait_until("its finish", SOON, || last() == "finish 256 15");
    wait_state(&scratch, State::Stopped);
    end(&scratch, child);
}

#[test]
fn finish_before_stop() {
    let scratch = place("supervise-finish-stop", SLEEP);
    scratch.script("s/finish", "#!/bin/sh\necho finish >>said\n");
    scratch.script("s/stop", "#!/bin/sh\necho stop >>said\n");
    let child = supervise(&scratch);
    wait_up(&scratch);
    end(&scratch, child);
    assert_eq!(said(&scratch), ["finish", "stop"]);
}

#[test]
fn a_finish_that_hangs_is_killed_and_commands_are_heard_meanwhile() {
    let scratch = place("supervise-finish-hangs", SLEEP);
    scratch.script("s/finish", "#!/bin/sh\necho finish >>said; exec sleep 10000\n");
    scratch.file("s/timeout-finish", "60000");
    let child = supervise(&scratch);
    wait_up(&scratch);
    svc(&scratch, "-d");
    wait_said(&scratch, &["finish"]);
    wait_state(&scratch, State::Stopping);
    // A letter reaches what runs.
    svc(&scratch, "-k");
    wait_state(&scratch, State::Stopped);
    scratch.file("s/timeout-finish", "200");
    svc(&scratch, "-u");
    wait_state(&scratch, State::Running);
    // supervise ends after it, and isn't held up for longer.
    let outcome = end(&scratch, child);
    assert_eq!(outcome.err(), "");
    assert_eq!(said(&scratch), ["finish", "finish"]);
}

#[test]
fn finish_can_say_that_it_is_enough() {
    let scratch = place("supervise-finish-125", "#!/bin/sh\necho run >>said\n");
    scratch.script("s/finish", "#!/bin/sh\nexit 125\n");
    let child = supervise(&scratch);
    wait_state(&scratch, State::Failed);
    assert_eq!(said(&scratch), ["run"]);
    end(&scratch, child);
}

#[test]
fn a_service_that_was_taken_over_ends_in_a_way_unknown() {
    let scratch = place("supervise-unknown", SLEEP);
    scratch.script("s/finish", "#!/bin/sh\necho \"finish $1 $2\" >>said\n");
    let child = supervise(&scratch);
    wait_state(&scratch, State::Running);
    murder(child);
    let child = supervise(&scratch);
    svc(&scratch, "-d");
    wait_said(&scratch, &["finish unknown 0"]);
    wait_state(&scratch, State::Stopped);
    assert_eq!(death(&scratch), Some(Death::Unknown));
    end(&scratch, child);
}

/// Killed while `finish` or `stop` runs, or with the service's end unnoticed: what is due is still done.
#[test]
fn what_is_due_after_the_end_survives_a_kill() {
    let scratch = place("supervise-kill-finish", SLEEP);
    scratch.script(
        "s/finish",
        "#!/bin/sh\necho finish >>said; until test -e go; do sleep 0.02; done\n",
    );
    scratch.script("s/stop", "#!/bin/sh\necho stop >>said\n");
    let child = supervise(&scratch);
    wait_state(&scratch, State::Running);
    svc(&scratch, "-d");
    wait_said(&scratch, &["finish"]);
    murder(child);
    let child = supervise(&scratch);
    wait_state(&scratch, State::Stopping);
    scratch.file("s/go", "");
    wait_said(&scratch, &["finish", "stop"]);
    wait_state(&scratch, State::Stopped);
    svc(&scratch, "-u");
    wait_state(&scratch, State::Running);
    let pid = wait_up(&scratch);
    svc(&scratch, "-o");
    wait_status(&scratch, "wanted once", |_, _, want| want == 0);
    murder(child);
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("kill the service");
    wait_until("its end", SOON, || services(&scratch) == 0);
    let child = supervise(&scratch);
    wait_said(&scratch, &["finish", "stop", "finish", "stop"]);
    wait_state(&scratch, State::Stopped);
    end(&scratch, child);
}

#[test]
fn int_and_the_stops_of_a_terminal() {
    let scratch = place("supervise-int", SLEEP);
    let child = supervise(&scratch);
    let pid = wait_up(&scratch);
    child.signal(Signal::SIGTSTP);
    wait_status(&scratch, "paused", |same, paused, _| same == pid && paused);
    child.signal(Signal::SIGCONT);
    wait_status(&scratch, "going on", |same, paused, _| same == pid && !paused);
    child.signal(Signal::SIGINT);
    assert_eq!(child.wait(SOON).code, 0);
    assert!(scratch.inhabitants().is_empty());
    // Started with them ignored, as from a script's background, it leaves them so.
    let script = "trap '' INT TSTP; exec \"$0\" s";
    let child = Run::sh(script).arg(program("supervise")).cwd(scratch.path()).spawn();
    let pid = wait_up(&scratch);
    child.signal(Signal::SIGINT);
    child.signal(Signal::SIGTSTP);
    svc(&scratch, "-o");
    wait_status(&scratch, "still up", |same, paused, want| (same, paused, want) == (pid, false, 0));
    end(&scratch, child);
}

#[test]
fn malformed_files_are_warned_of_and_passed_over() {
    let scratch = place("supervise-malformed", SLEEP);
    for (file, content) in [
        ("timeout-kill", "soon\n"),
        ("down-signal", "SIGNIFICANT"),
        ("notification-fd", "1"),
        ("back-off", "-3"),
        ("max-restarts", ""),
        ("timeout-finish", "\u{1b}[31m"),
    ] {
        scratch.file(&format!("s/{file}"), content);
    }
    let child = supervise(&scratch);
    wait_up(&scratch);
    for line in [
        "s/timeout-kill: malformed: soon",
        "s/down-signal: malformed: SIGNIFICANT",
        "s/notification-fd: malformed: 1",
        "s/back-off: malformed: -3",
        "s/max-restarts: malformed: ",
        "s/timeout-finish: malformed: ?[31m",
    ] {
        child.expect_stderr(&format!("supervise: warning: unable to use {line}\n"));
    }
    end(&scratch, child);
}
