//! The orderly stop: TERM and INT.

use super::*;

/// Writes numbered lines, and on TERM a thousand more at once, faster than they are read.
const BURST: &str = "i=0
trap 'while [ $i -lt 1500 ]; do i=$((i+1)); echo \"$i\"; done; echo \"end $i\"; exit' TERM
while [ $i -lt 500 ]; do i=$((i+1)); echo \"$i\"; done
echo written >written
while :; do sleep 1000 >/dev/null & wait $!; done\n";

/// Reads a line at a time, a byte at a time, and starts a process every now and then.
const SLOWLY: &str = "#!/bin/sh
i=0
while read -r line; do i=$((i+1)); echo \"$line\" >>out; [ $((i % 50)) = 0 ] && /bin/true; done
echo done >>out\n";

/// What the slow logger has to have written, if no line was lost.
fn all_lines() -> String {
    lines(1500)
}

fn lines(count: usize) -> String {
    (1..=count).map(|number| format!("{number}\n")).chain([format!("end {count}\n")]).collect()
}

fn inhabitants(scratch: &Scratch) -> Vec<String> {
    let names = scratch.inhabitants();
    let name = |pid| fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    // A service's orphans (the sleep that its shell waits for) are not svscan's to end.
    names.into_iter().map(name).filter(|name| name != "sleep\n" && !name.is_empty()).collect()
}

#[test]
fn services_end_then_loggers_and_no_line_is_lost() {
    for (whose, path) in supervises() {
        for (signal, renewed) in
            [(Signal::SIGTERM, false), (Signal::SIGINT, false), (Signal::SIGTERM, true)]
        {
            let scratch = Scratch::new("stop");
            let directory = scratch.dir("service");
            let mut running = svscan(&directory, &path);
            for name in ["a", "b"] {
                service(&scratch, name, BURST);
                scratch.script(&format!("all/{name}/log/run"), SLOWLY);
                link(&scratch, name);
            }
            service(&scratch, "plain", "exec sleep 1000\n");
            link(&scratch, "plain");
            wait_until("the services", SECONDS(20), || {
                ["a", "b"].iter().all(|name| scratch.join(format!("all/{name}/written")).exists())
                    && pid_of(&scratch.join("all/plain")).is_some()
            });
            if renewed {
                // The supervises are another svscan's then.
                running.signal(Signal::SIGKILL);
                running.wait(SECONDS(5));
                running = svscan(&directory, &path);
                wait_for_sleep(&running, &directory);
            }
            running.signal(signal);
            let outcome = running.wait(SECONDS(60));
            let what = format!("{whose}, {signal}, renewed: {renewed}");
            assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{what}");
            for name in ["a", "b"] {
                let out = fs::read_to_string(scratch.join(format!("all/{name}/log/out")));
                let out = out.expect("a log");
                // The logger ended by itself, when it had read all.
                let lines = out.lines().count();
                assert!(out == all_lines() + "done\n", "{what}, {name}: {lines} lines");
            }
            assert_eq!(inhabitants(&scratch), [""; 0], "{what}");
        }
    }
}

/// Supervises that were killed a moment before, or after they were told: what they looked after is ended in order, too.
#[test]
fn what_killed_supervises_have_left() {
    let scratch = Scratch::new("left");
    let directory = scratch.dir("service");
    let there = service(&scratch, "a", BURST);
    scratch.script("all/a/log/run", SLOWLY);
    // It takes its time to end, so that its supervise has been told when that is killed.
    let late = service(
        &scratch,
        "b",
        "trap 'echo told >told; until test -e go; do sleep 0.02; done; exit' TERM
echo written >written; while :; do sleep 0.05; done\n",
    );
    let running = svscan(&directory, path().to_str().expect("a PATH in UTF-8"));
    ["a", "b"].iter().for_each(|name| link(&scratch, name));
    wait_until("the services", SECONDS(20), || {
        [&there, &late].iter().all(|place| place.join("written").exists())
            && pid_of(&there.join("log")).is_some()
            && pid_of(&late).is_some()
    });
    let pid = pid_of(&late);
    for place in [&there, &there.join("log")] {
        let supervise = supervise_of(place).expect("a supervise");
        kill(Pid::from_raw(supervise), Signal::SIGKILL).expect("kill");
    }
    running.signal(Signal::SIGTERM);
    wait_until("the service to be told", SECONDS(20), || late.join("told").exists());
    let supervise = supervise_of(&late).expect("a supervise");
    kill(Pid::from_raw(supervise), Signal::SIGKILL).expect("kill");
    wait_until("a successor", SECONDS(20), || {
        supervise_of(&late).is_some_and(|pid| pid != supervise) && is_supervised(&late)
    });
    assert_eq!(pid_of(&late), pid);
    scratch.file("all/b/go", "");
    assert_eq!(running.wait(SECONDS(60)).code, 0);
    let out = fs::read_to_string(there.join("log/out")).expect("a log");
    assert!(out == all_lines() + "done\n", "{} lines", out.lines().count());
    assert_eq!(inhabitants(&scratch), [""; 0]);
}

/// How a logger is found that doesn't read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silent {
    /// It has ended a moment before.
    Ended,
    /// So it has, and its supervise was killed.
    Left,
    /// Somebody has stopped it.
    Paused,
}

/// A logger that doesn't read when svscan is told to end: it goes on, or is started once more, for what is left.
#[test]
fn what_a_silent_logger_was_to_read() {
    for how in [Silent::Ended, Silent::Left, Silent::Paused] {
        let scratch = Scratch::new("silent");
        let directory = scratch.dir("service");
        // Who waits for a stopped logger has more to say than a pipe holds.
        let count = if how == Silent::Paused { 20_000 } else { 1500 };
        let there = service(&scratch, "a", &BURST.replace("1500", &count.to_string()));
        let log = there.join("log");
        let reads = SLOWLY.replace("#!/bin/sh", "#!/bin/sh\ntest -e go || exit 0");
        scratch.script("all/a/log/run", &reads);
        if how == Silent::Paused {
            scratch.file("all/a/log/go", "");
        }
        let running = svscan(&directory, path().to_str().expect("a PATH in UTF-8"));
        link(&scratch, "a");
        wait_until("the service", SECONDS(20), || there.join("written").exists());
        wait_until("the logger", SECONDS(20), || {
            is_supervised(&log) && pid_of(&log).is_some() == (how == Silent::Paused)
        });
        scratch.file("all/a/log/go", "");
        match how {
            Silent::Ended => {}
            Silent::Left => {
                let supervise = supervise_of(&log).expect("a supervise");
                kill(Pid::from_raw(supervise), Signal::SIGKILL).expect("kill");
            }
            Silent::Paused => svc("-p", &[&log]),
        }
        running.signal(Signal::SIGTERM);
        let outcome = running.wait(SECONDS(60));
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{how:?}");
        let out = fs::read_to_string(log.join("out")).expect("a log");
        assert!(out == lines(count) + "done\n", "{how:?}: {} lines", out.lines().count());
    }
}

/// A logger that doesn't end when there is nothing more to read is told to; one that is down isn't started.
#[test]
fn a_logger_that_stays_is_told_to_end() {
    for (whose, path) in supervises() {
        let scratch = Scratch::new("stays");
        let directory = scratch.dir("service");
        for name in ["a", "b"] {
            service(&scratch, name, "echo hello; exec sleep 1000\n");
            scratch.script(
                &format!("all/{name}/log/run"),
                "#!/bin/sh\necho up >>ups; exec 3<&0; cat <&3 >/dev/null & trap 'echo ended >>ups; exit' TERM\n\
                 while :; do sleep 0.05; done\n",
            );
        }
        scratch.file("all/b/log/down", "");
        let running = svscan(&directory, &path);
        link(&scratch, "a");
        link(&scratch, "b");
        wait_until("all", SECONDS(20), || {
            pid_of(&scratch.join("all/b")).is_some() && scratch.join("all/a/log/ups").exists()
        });
        running.signal(Signal::SIGTERM);
        let outcome = running.wait(SECONDS(30));
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{whose}");
        let ups = fs::read_to_string(scratch.join("all/a/log/ups")).expect("ups");
        assert_eq!(ups, "up\nended\n", "{whose}");
        assert!(!scratch.join("all/b/log/ups").exists(), "{whose}: nothing new is started");
    }
}

/// A service that doesn't heed TERM is waited for, and named; another TERM does nothing new, nor do HUP and a new entry.
#[test]
fn whoever_is_waited_for_is_named() {
    let scratch = Scratch::new("named");
    let directory = scratch.dir("service");
    let path = path().into_string().expect("a PATH in UTF-8");
    let there =
        service(&scratch, "stubborn", "trap '' TERM\necho >up\nwhile :; do sleep 0.2; done\n");
    link(&scratch, "stubborn");
    let mut running = svscan(&directory, &path);
    wait_until("the service", SECONDS(10), || there.join("up").exists());
    running.signal(Signal::SIGTERM);
    let want = || Run::new(program("svstat")).arg(&there).output().out();
    wait_until("supervise to be told", SECONDS(10), || want().contains("want down"));
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGUSR2, Signal::SIGINT] {
        running.signal(signal);
    }
    service(&scratch, "new", "echo >up; exec sleep 1000\n");
    link(&scratch, "new");
    running.expect_stderr("svscan: warning: waiting for stubborn to end\n");
    assert!(running.is_running());
    assert!(!scratch.join("all/new/up").exists(), "nothing new is started");
    let pid = wait_pid(&there);
    kill(Pid::from_raw(pid), Signal::SIGKILL).expect("kill");
    assert_eq!(running.wait(SECONDS(20)).code, 0);
}

/// TERM while a large directory comes up: what has been started is stopped, the rest never runs.
#[test]
fn in_the_midst_of_the_first_scan() {
    for (whose, path) in supervises() {
        let scratch = Scratch::new("midst");
        let directory = scratch.dir("service");
        for number in 0..150 {
            service(&scratch, &format!("s{number}"), "exec sleep 1000\n");
            link(&scratch, &format!("s{number}"));
        }
        let running = svscan(&directory, &path);
        wait_until("a start", SECONDS(20), || scratch.inhabitants().len() > 3);
        running.signal(Signal::SIGTERM);
        let outcome = running.wait(SECONDS(60));
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{whose}");
        assert_eq!(scratch.inhabitants(), [0; 0], "{whose}");
    }
}

/// An entry that was removed, and one that was renamed: their supervises are found all the same.
#[test]
fn whatever_has_become_of_their_names() {
    for (whose, path) in supervises() {
        let scratch = Scratch::new("names");
        let directory = scratch.dir("service");
        for name in ["a", "b"] {
            service(&scratch, name, "exec sleep 1000\n");
            link(&scratch, name);
        }
        let running = svscan(&directory, &path);
        wait_until("both", SECONDS(20), || {
            ["a", "b"].iter().all(|name| pid_of(&scratch.join(format!("all/{name}"))).is_some())
        });
        fs::remove_file(directory.join("a")).expect("remove a link");
        fs::rename(directory.join("b"), directory.join("z")).expect("rename a link");
        running.signal(Signal::SIGTERM);
        assert_eq!(running.wait(SECONDS(30)).code, 0, "{whose}");
        assert_eq!(scratch.inhabitants(), [0; 0], "{whose}");
    }
}
