//! The pipe between a service and its logger, whoever is killed.

use super::*;

/// The pipe between a service and its logger, seen from outside.
#[test]
fn the_log_pipe_has_a_name_and_ends_like_a_pipes() {
    let (scratch, directory, path) = with_fake(
        "pipe",
        "echo $$ >\"$TO/$1.new\"; mv \"$TO/$1.new\" \"$TO/$1.noted\"; exec sleep 1000\n",
    );
    let there = service(&scratch, "a", "");
    scratch.script("all/a/log/run", "");
    link(&scratch, "a");
    let _running = Run::new(program("svscan"))
        .arg(&directory)
        .env("PATH", path)
        .env("TO", scratch.path())
        .spawn();
    let pipe = there.join("supervise/logpipe");
    wait_until("both", SECONDS(10), || {
        ["a.noted", "log.noted"].iter().all(|name| scratch.join(name).exists())
    });
    let metadata = fs::metadata(&pipe).expect("the FIFO is there");
    assert!(metadata.file_type().is_fifo());
    assert_eq!(metadata.mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(there.join("supervise")).expect("stat").mode() & 0o7777, 0o700);
    for (name, number, mode) in [("a", 1, 1), ("log", 0, 0)] {
        let pid = fs::read_to_string(scratch.join(format!("{name}.noted"))).expect("noted");
        let proc = Path::new("/proc").join(pid.trim_end());
        let there = fs::read_link(proc.join(format!("fd/{number}"))).expect("a descriptor");
        assert_eq!(there, pipe, "{name}");
        let flags = flags_of(pid.trim_end().parse().expect("a pid"), &number.to_string());
        assert_eq!(flags & 0o3, mode, "{name}: opened for one direction only");
        assert_eq!(flags & nix::libc::O_NONBLOCK, 0, "{name}: may block");
    }
}

/// Something else lies where the FIFO should be: it is left alone, said, and an ordinary pipe has to do.
#[test]
fn a_log_pipe_that_is_not_ours_is_not_used() {
    let (scratch, directory, path) =
        with_fake("planted", "echo \"started $1\" >>\"$NOTED\"; exec sleep 1000\n");
    service(&scratch, "a", "");
    service(&scratch, "b", "");
    scratch.script("all/a/log/run", "");
    scratch.script("all/b/log/run", "");
    scratch.file("all/a/supervise/logpipe", "precious");
    scratch.dir("all/b/supervise");
    symlink("/etc/passwd", scratch.join("all/b/supervise/logpipe")).expect("make a link");
    link(&scratch, "a");
    link(&scratch, "b");
    let running = Run::new(program("svscan"))
        .arg(&directory)
        .env("PATH", path)
        .env("NOTED", scratch.join("noted"))
        .spawn();
    wait_until("all starts", SECONDS(10), || noted(&scratch).len() == 4);
    running.expect_stderr(
        "svscan: warning: unable to keep a/supervise/logpipe: not a private FIFO of our own\n",
    );
    running.expect_stderr("svscan: warning: unable to keep b/supervise/logpipe: ");
    let kept = fs::read_to_string(scratch.join("all/a/supervise/logpipe")).expect("still there");
    assert_eq!(kept, "precious");
}

/// Writes numbered lines, `PID NUMBER`, and on TERM one that says how many there were.
pub(crate) const COUNT: &str = "i=0
trap 'echo \"$$ end $i\"; exit' TERM
while :; do i=$((i+1)); echo \"$$ $i\"; sleep 0.002; done\n";

/// Of each process that wrote: each number once, in order, and the last as said. Returns how many processes there were.
pub(crate) fn check(text: &str) -> usize {
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    let mut ended: Vec<&str> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            [pid, "end", count] => {
                let count: u64 = count.parse().expect("a number");
                // A trap may come between the counting and the writing of a line.
                let seen = last.get(pid).copied().unwrap_or(0);
                assert!(seen == count || seen + 1 == count, "{pid} ended at {count}, saw {seen}");
                ended.push(pid);
            }
            [pid, number] => {
                let number: u64 = number.parse().expect("a number");
                let seen = last.insert(pid, number).unwrap_or(0);
                assert_eq!(number, seen + 1, "{pid}: after {seen}");
            }
            _ => panic!("a broken line: {line:?}"),
        }
    }
    let tail = text.lines().rev().take(3).collect::<Vec<_>>();
    assert_eq!(
        ended.len(),
        last.len(),
        "each process was ended in order; the last lines: {tail:?}"
    );
    last.len()
}

/// Whichever of the three holders of the pipe is killed, and in whichever order: no line is lost, none doubled, and the
/// service never sees a broken pipe.
#[test]
fn the_log_pipe_outlives_each_of_its_holders() {
    for (whose, path) in supervises() {
        let scratch = Scratch::new("holders");
        let directory = scratch.dir("service");
        let there = service(&scratch, "a", COUNT);
        scratch.script("all/a/log/run", "#!/bin/sh\nexec cat >>out\n");
        let log = there.join("log");
        link(&scratch, "a");
        let mut running = svscan(&directory, &path);
        let out = log.join("out");
        let size = || fs::metadata(&out).map_or(0, |out| out.len());
        let grows = |since: u64| {
            wait_until("lines to be logged", SECONDS(20), || size() > since + 100);
        };
        grows(0);
        // After `kill -9` of a Debian supervise, its service runs on beside a second one: theirs, not ours, to mend.
        let rounds: &[&str] = if whose == "ours" {
            &["svscan", "service", "logger", "svscan service", "service svscan", "svscan logger"]
        } else {
            &["svscan", "svscan"]
        };
        for round in rounds.iter().chain(rounds) {
            for victim in round.split(' ') {
                let directory = match victim {
                    "svscan" => {
                        running.signal(Signal::SIGKILL);
                        continue;
                    }
                    "service" => &there,
                    _ => &log,
                };
                let pid = supervise_of(directory).expect("a supervise to kill");
                kill(Pid::from_raw(pid), Signal::SIGKILL).expect("kill");
            }
            grows(size());
            if round.contains("svscan") {
                wait_until("svscan's end", SECONDS(20), || !running.is_running());
                running = svscan(&directory, &path);
            }
            wait_until("both supervises", SECONDS(20), || {
                is_supervised(&there) && is_supervised(&log)
            });
            grows(size());
        }
        let said = running.stderr();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains("svscan: ") && !said.contains("fatal: "), "{whose}: {said}");
        fs::remove_file(directory.join("a")).expect("remove the link");
        svc("-dx", &[&there]);
        wait_until("its end", SECONDS(20), || !is_supervised(&there));
        wait_until("the last line", SECONDS(20), || {
            fs::read_to_string(&out)
                .is_ok_and(|text| text.lines().last().is_some_and(|line| line.contains(" end ")))
        });
        svc("-dx", &[&log]);
        wait_until("its end", SECONDS(20), || !is_supervised(&log));
        assert_eq!(check(&fs::read_to_string(&out).expect("the log")), 1, "{whose}: one process");
    }
}

/// Service and logger are restarted in turn, as an administrator would: no line is lost, none doubled.
#[test]
fn restarts_of_service_and_logger_lose_no_line() {
    let Some(multilog) = debian("multilog") else { return };
    for (whose, path) in supervises() {
        let scratch = Scratch::new("restarts");
        let directory = scratch.dir("service");
        let there = service(&scratch, "a", COUNT);
        let script = format!("#!/bin/sh\nexec {} s16000000 ./main\n", multilog.display());
        scratch.script("all/a/log/run", &script);
        let log = there.join("log");
        link(&scratch, "a");
        let _running = svscan(&directory, &path);
        let current = log.join("main/current");
        let size = || fs::metadata(&current).map_or(0, |out| out.len());
        for round in 0..6 {
            let before = size();
            wait_until("lines to be logged", SECONDS(20), || size() > before + 100);
            let restarted = if round % 2 == 0 { &log } else { &there };
            let pid = wait_pid(restarted);
            svc("-t", &[restarted]);
            // Debian's takes its time, and letters that are still there are dropped.
            wait_until("a new process", SECONDS(20), || {
                pid_of(restarted).is_some_and(|new| new != pid)
            });
        }
        let before = size();
        wait_until("lines to be logged", SECONDS(20), || size() > before + 100);
        fs::remove_file(directory.join("a")).expect("remove the link");
        svc("-dx", &[&there]);
        wait_until("its end", SECONDS(20), || !is_supervised(&there));
        wait_until("the last line", SECONDS(20), || {
            fs::read_to_string(&current)
                .is_ok_and(|text| text.lines().last().is_some_and(|line| line.contains(" end ")))
        });
        assert_eq!(check(&fs::read_to_string(&current).expect("the log")), 4, "{whose}");
    }
}

/// A supervise that another svscan left behind is waited for, silently, and followed at once.
#[test]
fn a_supervise_that_was_left_behind_is_succeeded() {
    for (whose, path) in supervises() {
        // Debian's may still be in its first second, in which it hears nothing.
        happens_within(SECONDS(4), whose, || {
            let scratch = Scratch::new("succeed");
            let directory = scratch.dir("service");
            let there = service(&scratch, "a", "exec sleep 1000\n");
            link(&scratch, "a");
            let first = svscan(&directory, &path);
            wait_until("supervise", SECONDS(10), || is_supervised(&there));
            first.signal(Signal::SIGKILL);
            first.wait(SECONDS(5));
            let old = supervise_of(&there).expect("it is left behind");
            let second = svscan(&directory, &path);
            // It has looked at `a` when it has started `b`.
            let other = service(&scratch, "b", "exec sleep 1000\n");
            link(&scratch, "b");
            wait_until("the other", SECONDS(10), || is_supervised(&other));
            assert_eq!(supervise_of(&there), Some(old));
            let start = Instant::now();
            svc("-dx", &[&there]);
            wait_until("a new supervise", SECONDS(20), || {
                supervise_of(&there).is_some_and(|pid| pid != old) && is_supervised(&there)
            });
            let took = start.elapsed();
            assert_eq!(String::from_utf8_lossy(&second.stderr()), "", "{whose}");
            took
        });
    }
}
