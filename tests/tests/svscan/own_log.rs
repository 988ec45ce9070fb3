//! The logger of svscan's own messages, and supervise's files elsewhere.

use super::*;

const APPEND: &str = "#!/bin/sh\necho logger >&2; exec cat >>out\n";

/// What svscan says goes to the logger, from the first message to the last; so does what a service without one says. After
/// an upgrade, too.
#[test]
fn svscans_messages_are_logged() {
    for (entry, logger) in [(".svscan", ".svscan/log"), ("plain", "plain")] {
        let scratch = Scratch::new("own");
        let directory = scratch.dir("service");
        scratch.script(&format!("service/{logger}/run"), APPEND);
        symlink("nowhere", directory.join("dangling")).expect("make a link");
        service(&scratch, "a", "echo from a; echo and >&2; exec sleep 1000\n");
        link(&scratch, "a");
        let running = Run::new(program("svscan"))
            .args([directory.as_path(), Path::new(entry)])
            .env("PATH", path())
            .spawn();
        let log = directory.join(logger);
        let out = || fs::read_to_string(log.join("out")).unwrap_or_default();
        wait_until("the messages", SECONDS(20), || out().lines().count() >= 3);
        let mut lines: Vec<String> = out().lines().map(str::to_owned).collect();
        lines.sort_unstable();
        let dangling = "svscan: warning: unable to stat dangling: file does not exist";
        assert_eq!(lines, ["and", "from a", dangling]);
        // The logger itself doesn't write to what it reads.
        running.expect_stderr("logger\n");
        assert_eq!(supervises_in(&log), 1, "it is no service besides");

        let pid = wait_pid(&log);
        running.signal(Signal::SIGUSR2);
        wait_until("the hand-over", SECONDS(20), || {
            let line = fs::read(format!("/proc/{}/cmdline", running.pid())).unwrap_or_default();
            line.windows(12).any(|word| word == b"--take-over=")
        });
        symlink("circle", directory.join("circle")).expect("make a link");
        wait_until("another message", SECONDS(20), || out().contains("unable to stat circle"));
        assert_eq!(pid_of(&log), Some(pid));

        // A logger that dies is back, and what was said meanwhile is there.
        svc("-k", &[&log]);
        symlink("circle2", directory.join("circle2")).expect("make a link");
        wait_until("another message", SECONDS(20), || out().contains("unable to stat circle2"));

        let stubborn = service(
            &scratch,
            "last",
            "trap 'echo last words; exit' TERM\necho >up\nwhile :; do sleep 0.1; done\n",
        );
        link(&scratch, "last");
        wait_until("the last service", SECONDS(20), || stubborn.join("up").exists());
        running.signal(Signal::SIGTERM);
        let outcome = running.wait(SECONDS(30));
        assert_eq!(outcome.code, 0);
        assert!(!outcome.err().contains("svscan: "), "{}", outcome.err());
        assert!(out().ends_with("last words\n"), "{}", out());
        assert_eq!(scratch.inhabitants(), [0; 0]);
    }
}

fn supervises_in(directory: &Path) -> usize {
    let there = directory.canonicalize().expect("its path");
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries
        .filter(|entry| {
            fs::read_to_string(entry.path().join("comm")).is_ok_and(|name| name == "supervise\n")
                && fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == there)
        })
        .count()
}

#[test]
fn a_logger_that_is_not_there_is_missed() {
    let (scratch, directory, path) = with_fake("no-own", NOTE_AND_STAY);
    service(&scratch, "a", "");
    link(&scratch, "a");
    let running = Run::new(program("svscan")).arg(&directory).arg("x").env("PATH", path).spawn();
    running.expect_stderr("svscan: warning: unable to log to x: file does not exist\n");
    wait_until("a start", SECONDS(10), || noted(&scratch) == ["started a"]);
}

/// A logger that nobody starts again but svscan, and whose pipe is full: svscan doesn't wait for it, but starts it.
#[test]
fn a_full_pipe_does_not_stop_svscan() {
    let scratch = Scratch::new("full");
    let directory = scratch.dir("service");
    scratch.script("service/.svscan/log/run", "#!/bin/sh\nexec cat >>out\n");
    scratch.file("service/.svscan/log/down", "");
    service(&scratch, "noisy", "exec yes noise\n");
    link(&scratch, "noisy");
    let _running = Run::new(program("svscan"))
        .args([directory.as_path(), Path::new(".svscan")])
        .env("PATH", path())
        .spawn();
    let log = directory.join(".svscan/log");
    wait_until("the noise", SECONDS(20), || pid_of(&scratch.join("all/noisy")).is_some());
    symlink("nowhere", directory.join("dangling")).expect("make a link");
    let there = service(&scratch, "late", "exec sleep 1000 >/dev/null 2>&1\n");
    link(&scratch, "late");
    wait_until("a service", SECONDS(20), || is_supervised(&there));
    let supervise = supervise_of(&log).expect("its supervise");
    kill(Pid::from_raw(supervise), Signal::SIGKILL).expect("kill");
    wait_until("another supervise", SECONDS(20), || {
        supervise_of(&log).is_some_and(|new| new != supervise)
    });
}

/// `$SUPERVISEDIR`, relative and absolute: svscan finds the pipe, the lock and the FIFOs where supervise has them.
#[test]
fn supervises_files_may_be_elsewhere() {
    for absolute in [false, true] {
        let scratch = Scratch::new("elsewhere");
        let directory = scratch.dir("service");
        let base = scratch.dir("run").display().to_string();
        let there = service(&scratch, "a", "echo hello; exec sleep 1000\n");
        scratch.script("all/a/log/run", "#!/bin/sh\nexec cat >>out\n");
        link(&scratch, "a");
        let value = if absolute { base.as_str() } else { "state" };
        let start = || {
            Run::new(program("svscan"))
                .arg(&directory)
                .env("PATH", path())
                .env("SUPERVISEDIR", value)
                .spawn()
        };
        let files = if absolute {
            let name = there.display().to_string()[1..].replace('/', ":");
            scratch.join("run").join(name)
        } else {
            there.join("state")
        };
        let running = start();
        wait_until("the log", SECONDS(20), || {
            fs::read_to_string(there.join("log/out")).is_ok_and(|out| out == "hello\n")
        });
        for name in ["logpipe", "ok", "control"] {
            let stat = fs::metadata(files.join(name)).expect("a FIFO");
            assert!(stat.file_type().is_fifo(), "{name}");
        }
        assert!(!there.join("supervise").exists(), "{value}");
        // A second svscan sees who works there, and ends them.
        let before = supervise_of(&there);
        running.signal(Signal::SIGKILL);
        running.wait(SECONDS(5));
        let again = start();
        wait_for_sleep(&again, &directory);
        assert_eq!(supervise_of(&there), before);
        again.signal(Signal::SIGTERM);
        let outcome = again.wait(SECONDS(30));
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{value}");
        assert_eq!(scratch.inhabitants(), [0; 0], "{value}");
    }
}
