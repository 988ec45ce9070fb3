//! Services that die at once: `back-off` and `max-restarts`.

use super::*;

fn starts(scratch: &Scratch) -> usize {
    said(scratch).len()
}

#[test]
fn who_dies_at_once_is_started_later_and_later() {
    let scratch = place("supervise-back-off", "#!/bin/sh\necho run >>said\n");
    scratch.file("s/back-off", "");
    let child = supervise(&scratch);
    wait_until("the third start", SOON, || starts(&scratch) == 3);
    let third = Instant::now();
    wait_until("the fourth start", SOON, || starts(&scratch) == 4);
    // 1 s, 2 s, 4 s, less what we were late to see the third one.
    assert!(third.elapsed() > Duration::from_millis(3000), "{:?}", third.elapsed());
    wait_until("a long wait", SOON, || detail(&scratch)[20] == 1);
    // It waits for 8 s now; an explicit order cuts that short, and begins anew.
    happens_within(Duration::from_secs(7), "-u", || {
        let (before, asked) = (starts(&scratch), Instant::now());
        svc(&scratch, "-u");
        wait_until("two more starts", SOON, || starts(&scratch) >= before + 2);
        asked.elapsed()
    });
    // So does `d`, at once.
    happens_within(Duration::from_millis(1500), "-d", || {
        let before = starts(&scratch);
        svc(&scratch, "-u");
        // 1 s, then 2 s.
        wait_until("two more starts", SOON, || starts(&scratch) >= before + 2);
        wait_until("a wait", SOON, || detail(&scratch)[20] == 1);
        let asked = Instant::now();
        svc(&scratch, "-d");
        wait_state(&scratch, State::Stopped);
        asked.elapsed()
    });
    end(&scratch, child);
}

#[test]
fn a_longest_delay() {
    let scratch = place("supervise-back-off-1", "#!/bin/sh\necho run >>said\n");
    scratch.file("s/back-off", "1");
    let child = supervise(&scratch);
    wait_until("five starts", SOON, || starts(&scratch) == 5);
    end(&scratch, child);
}

#[test]
fn too_many_deaths_are_a_failure() {
    let scratch = place("supervise-max-restarts", "#!/bin/sh\necho run >>said\n");
    scratch.file("s/max-restarts", "2 60\n");
    let child = supervise(&scratch);
    wait_state(&scratch, State::Failed);
    assert_eq!(starts(&scratch), 3);
    let failed = detail(&scratch);
    assert_eq!((failed[20], failed[21]), (9, 3), "phase failed, by restarts");
    // Afresh: three more.
    svc(&scratch, "-u");
    wait_until("three more", SOON, || starts(&scratch) == 6);
    wait_state(&scratch, State::Failed);
    assert_eq!(starts(&scratch), 6);
    end(&scratch, child);
}

#[test]
fn deaths_that_were_asked_for_do_not_count() {
    let scratch = place("supervise-max-asked", SLEEP);
    scratch.file("s/max-restarts", "0");
    let child = supervise(&scratch);
    for letters in ["-t", "-k"] {
        wait_state(&scratch, State::Running);
        svc(&scratch, "-d");
        wait_state(&scratch, State::Stopped);
        svc(&scratch, "-u");
        let pid = wait_up(&scratch);
        svc(&scratch, letters);
        wait_status(&scratch, "another one", |new, _, _| new != 0 && new != pid);
    }
    let pid = wait_up(&scratch);
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("kill the service");
    wait_state(&scratch, State::Failed);
    end(&scratch, child);
}

#[test]
fn how_it_ended_and_how_often_it_was_restarted_is_told() {
    let scratch = place("supervise-deaths", "#!/bin/sh\nexit 7\n");
    let child = supervise(&scratch);
    let restarts = || -> u32 {
        let bytes = detail(&scratch);
        bytes[80..200].chunks(2).map(|two| u32::from(two[0]) + (u32::from(two[1]) << 8)).sum()
    };
    wait_until("two restarts", SOON, || restarts() == 2);
    assert_eq!(death(&scratch), Some(Death::Exit(7)));
    // A kill of supervise loses neither.
    murder(child);
    let child = supervise(&scratch);
    wait_until("three restarts", SOON, || restarts() >= 3);
    // (The one that runs when supervise is killed ends in a way unknown.)
    wait_until("its end", SOON, || death(&scratch) == Some(Death::Exit(7)));
    end(&scratch, child);
}
