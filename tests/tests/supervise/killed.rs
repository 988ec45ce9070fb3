//! supervise killed at any moment: its service is never doubled.

use super::*;

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

/// With all kinds of scripts, none of which lives for long: whenever supervise is killed, never two of
/// them run at once, and the last word is obeyed.
#[test]
fn killed_at_any_moment_with_all_scripts() {
    let scratch = Scratch::new("supervise-kills-all");
    // Each makes sure that it is alone; `notify` may run beside them.
    let script =
        "#!/bin/sh\ntrap '' TERM\nmkdir alone || echo $0 >>../doubled\nsleep 0.01\nrmdir alone\n";
    for name in ["start", "run", "finish", "stop"] {
        scratch.script(&format!("s/{name}"), script);
    }
    scratch.script("s/notify", "#!/bin/sh\n");
    scratch.script("s/log", "#!/bin/sh\nexec cat >/dev/null\n");
    for round in 0..50_u64 {
        let child = Run::new(program("supervise")).arg("s").cwd(scratch.path()).spawn();
        wait_until("svc", SOON, || {
            let letters = if round % 3 == 0 { "-d" } else { "-u" };
            let svc = Run::new(program("svc")).args([letters, "s"]).cwd(scratch.path());
            svc.output().err().is_empty()
        });
        // Not a wait for anything: the kill comes at another moment in each round.
        std::thread::park_timeout(Duration::from_micros(round * 997 % 40_000));
        murder(child);
    }
    let child = supervise(&scratch);
    svc(&scratch, "-d");
    wait_state(&scratch, State::Stopped);
    scratch.script("s/run", SLEEP);
    svc(&scratch, "-u");
    wait_state(&scratch, State::Running);
    assert_eq!(services(&scratch), 1);
    assert_eq!(count(&scratch, &["cat"]), 1, "logs");
    end(&scratch, child);
    let doubled = fs::read_to_string(scratch.join("doubled")).unwrap_or_default();
    assert_eq!(doubled, "");
    assert!(scratch.inhabitants().is_empty());
}
