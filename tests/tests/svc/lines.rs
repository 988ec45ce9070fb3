//! svstat's lines: 0.76's to the byte, and daemontools-encore's.

use super::*;

#[test]
fn svstat_says_of_every_status_what_debians_says() {
    let scratch = Scratch::new("svstat");
    let _ok = fifo(&scratch.join(OK));
    let mut seen = Vec::new();
    for down in [false, true] {
        if down {
            scratch.file("s/down", "");
        }
        for pid in [0, 1, 77_777, u32::MAX] {
            for paused in [0, 1, 9] {
                for want in [b'u', b'd', 0, b'x'] {
                    // Two programs in one second, or the seconds differ: the age is far off.
                    scratch.file(STATUS, status(-1_000_000, pid, paused, want));
                    seen.push(agreed(&scratch, "svstat", &["s"]).out());
                }
            }
        }
    }
    assert_eq!(seen[0], "s: down 0 seconds, normally up, want up\n");
    assert_eq!(
        seen.last().expect("96"),
        "s: up (pid 4294967295) 0 seconds, normally down, paused\n"
    );
}

#[test]
fn svstat_counts_the_seconds() {
    let scratch = Scratch::new("svstat-seconds");
    let _ok = fifo(&scratch.join(OK));
    for (age, expected) in [(-5, 0_u64), (0, 0), (86_400, 86_400), (1_000_000_000, 1_000_000_000)] {
        for (whose, path) in both("svstat") {
            scratch.file(STATUS, status(age, 0, 0, b'd'));
            let line = Run::new(path).arg("s").cwd(scratch.path()).output().out();
            let seconds = line.strip_prefix("s: down ").and_then(|rest| rest.split(' ').next());
            let seconds: u64 = seconds.and_then(|s| s.parse().ok()).expect(&line);
            // time(3), which Debian's asks, lags a few milliseconds behind the clock that the status was made by.
            let earliest = expected.saturating_sub(u64::from(whose == "debian"));
            assert!((earliest..expected + 20).contains(&seconds), "{whose}: {line}");
        }
    }
}

#[test]
fn svstat_reads_what_encore_and_runit_wrote() {
    let scratch = Scratch::new("svstat-encore");
    let _ok = fifo(&scratch.join(OK));
    let encore = status_in(3, -1_000, 5, b'u');
    let runit = [status(-1_000, 5, 0, b'u'), vec![0, 1]].concat();
    for bytes in [&encore, &runit, &[&encore[..], &encore].concat()] {
        scratch.file(STATUS, bytes);
        assert_eq!(agreed(&scratch, "svstat", &["s"]).out(), "s: up (pid 5) 0 seconds\n");
    }
}

#[test]
fn svstat_says_what_is_wrong_on_standard_output() {
    let scratch = Scratch::new("svstat-wrong");
    let nowhere = agreed(&scratch, "svstat", &["nowhere", "also/not"]);
    assert_eq!(
        nowhere.out(),
        "nowhere: unable to chdir: file does not exist\nalso/not: unable to chdir: file does not exist\n"
    );
    assert_eq!((nowhere.err().as_str(), nowhere.code), ("", 0));
    scratch.dir("s");
    let never = agreed(&scratch, "svstat", &["s", "."]);
    assert_eq!(
        never.out(),
        "s: unable to open supervise/ok: file does not exist\n.: unable to open supervise/ok: file does not exist\n"
    );
    drop(fifo(&scratch.join(OK)));
    assert_eq!(agreed(&scratch, "svstat", &["s"]).out(), "s: supervise not running\n");
    let _ok = fifo(&scratch.join(OK));
    assert_eq!(
        agreed(&scratch, "svstat", &["s"]).out(),
        "s: unable to open supervise/status: file does not exist\n"
    );
    for bytes in [&b""[..], b"x", &status(1, 2, 0, 0)[..17]] {
        scratch.file(STATUS, bytes);
        assert_eq!(
            agreed(&scratch, "svstat", &["s"]).out(),
            "s: unable to read supervise/status: bad format\n"
        );
    }
    assert_eq!(agreed(&scratch, "svstat", &[]).out(), "");
    // Debian's takes the error for 2^32-1 bytes, and shows what was in its memory.
    fs::remove_file(scratch.join(STATUS)).expect("remove status");
    scratch.dir(STATUS);
    let directory = Run::new(program("svstat")).arg("s").cwd(scratch.path()).output();
    assert_eq!(directory.out(), "s: unable to read supervise/status: is a directory\n");
    assert_eq!(directory.code, 0);
}

#[test]
fn svstat_does_not_lose_its_output_in_silence() {
    let svstat = program("svstat");
    let outcome = Run::sh(&format!("exec {} / >/dev/full", svstat.display())).output();
    assert_eq!(outcome.err(), "svstat: fatal: unable to write output: out of disk space\n");
    assert_eq!(outcome.code, 111);
}

#[test]
fn svstat_s_says_what_encore_says() {
    let scratch = Scratch::new("svstat-state");
    let _ok = fifo(&scratch.join(OK));
    let log = |state, pid, want| status_in(state, -1_000, pid, want);
    for (bytes, expected) in [
        (log(3, 5, b'u'), "s: up (pid 5) 0 seconds, running\n"),
        (log(1, 0, b'u'), "s: down 0 seconds, normally up, want up, starting\n"),
        (log(5, 0, b'd'), "s: down 0 seconds, normally up, failed\n"),
        (log(3, 5, 0), "s: up (pid 5) 0 seconds, once, running\n"),
        (log(77, 5, b'u'), "s: up (pid 5) 0 seconds\n"),
        (status(-1_000, 5, 0, b'u'), "s: up (pid 5) 0 seconds\n"),
        (
            [log(4, 5, b'd'), log(3, 6, b'u')].concat(),
            "s: up (pid 5) 0 seconds, want down, stopping\ns log: up (pid 6) 0 seconds, running\n",
        ),
    ] {
        scratch.file(STATUS, &bytes);
        let outcome = svstat(&scratch, &["-s", "s"]);
        assert_eq!((outcome.out().as_str(), outcome.err().as_str()), (expected, ""));
        // And without options, what 0.76 makes of it.
        agreed(&scratch, "svstat", &["s"]);
    }
    let line = |option| svstat(&scratch, &[option, "s"]).out();
    assert_eq!(line("-l"), "s: up (pid 5) 0 seconds, want down, stopping\n");
    assert_eq!(line("-L"), "s log: up (pid 6) 0 seconds, running\n");
    scratch.file(STATUS, log(3, 5, b'u'));
    assert_eq!(line("-L"), "s: no log service\n");
    assert_eq!(line("--state"), "s: up (pid 5) 0 seconds, running\n");
    assert_eq!(
        svstat(&scratch, &["-s", "nowhere"]).out(),
        "nowhere: unable to chdir: file does not exist\n"
    );
}

#[test]
fn svstat_refuses_options_that_it_does_not_know() {
    let scratch = Scratch::new("svstat-refuses");
    for (args, said) in [
        (&["-x"][..], "svstat: illegal option -- x\nsvstat: usage: svstat [ -sLlv ] "),
        (&["--what"], "svstat: illegal option -- what\nsvstat: usage: svstat "),
        (&["--watch=0", "s"], "svstat: fatal: unable to understand time 0\n"),
    ] {
        let outcome = svstat(&scratch, args);
        assert!(outcome.err().starts_with(said), "{}", outcome.err());
        assert_eq!((outcome.out().as_str(), outcome.code), ("", 100));
    }
    let dash = svstat(&scratch, &["--", "-x"]);
    assert_eq!(dash.out(), "-x: unable to chdir: file does not exist\n");
}
