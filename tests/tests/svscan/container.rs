//! A service on which all depends (`-e`), and svscan as process 1 of a container.

use super::*;

fn with_options(options: &[&str], directory: &Path) -> Child {
    Run::new(program("svscan")).args(options).arg(directory).env("PATH", path()).spawn()
}

/// A scratch directory with a service `web`, which runs this, and a logged one beside it.
fn host(name: &str, web: &str) -> (Scratch, PathBuf) {
    let scratch = Scratch::new(name);
    let directory = scratch.dir("service");
    service(&scratch, "web", web);
    service(&scratch, "other", COUNTED);
    scratch.script("all/other/log/run", "#!/bin/sh\nexec cat >>out\n");
    link(&scratch, "web");
    link(&scratch, "other");
    (scratch, directory)
}

const COUNTED: &str = "trap 'echo bye; exit' TERM; echo hello; while :; do sleep 0.1; done\n";

/// Its end is the end of all, and its code is svscan's; the others end in order.
#[test]
fn the_end_of_one_is_the_end_of_all() {
    let other_is_up = "until [ -s ../other/log/out ]; do sleep 0.05; done;";
    for (script, code) in [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("exit 100", 100)] {
        let (scratch, directory) = host("chosen", &format!("{other_is_up} {script}\n"));
        let outcome = with_options(&["-e", "web"], &directory).wait(SECONDS(60));
        assert_eq!((outcome.code, outcome.err().as_str()), (code, ""), "{script}");
        let out = fs::read_to_string(scratch.join("all/other/log/out")).expect("the log");
        assert_eq!(out, "hello\nbye\n", "{script}");
        assert_eq!(scratch.inhabitants(), [0; 0], "{script}");
    }
}

#[test]
fn a_chosen_service_that_cannot_be_started_is_over_too() {
    let (scratch, directory) = host("unstartable", "");
    fs::remove_file(scratch.join("all/web/run")).expect("remove run");
    let outcome = with_options(&["-e", "web"], &directory).wait(SECONDS(60));
    assert_eq!(outcome.code, 111, "{}", outcome.err());
    assert_eq!(scratch.inhabitants(), [0; 0]);
    // Nor is anything begun without it.
    for (name, why) in [("nowhere", "file does not exist"), (".x", "file does not exist")] {
        let outcome = with_options(&["-e", name], &directory).wait(SECONDS(20));
        let expected = format!("svscan: fatal: unable to choose {name}: {why}\n");
        assert_eq!((outcome.err(), outcome.code), (expected, 111));
    }
    let outcome = Run::new(program("svscan")).args(["-e", "web"]).arg(&directory);
    let outcome = outcome.env("PATH", "/nowhere").spawn().wait(SECONDS(20));
    assert_eq!(outcome.code, 111, "{}", outcome.err());
}

/// What its supervise was told, and what became of it.
#[test]
fn however_it_is_ended() {
    for (options, code) in [("-d", 143), ("-t", 143), ("-dx", 143), ("-k", 137)] {
        let (scratch, directory) = host("ended", "exec sleep 1000\n");
        let web = scratch.join("all/web");
        let running = with_options(&["-e", "web"], &directory);
        wait_until("the service", SECONDS(20), || pid_of(&web).is_some());
        svc(options, &[&web]);
        assert_eq!(running.wait(SECONDS(30)).code, code, "svc {options}");
        assert_eq!(scratch.inhabitants(), [0; 0], "svc {options}");
    }
    // Told to end everything, svscan has the chosen service's code, too.
    let (scratch, directory) =
        host("told", "trap 'exit 3' TERM; echo >up; while :; do sleep 0.1; done\n");
    let running = with_options(&["-e", "web"], &directory);
    wait_until("the service", SECONDS(20), || scratch.join("all/web/up").exists());
    running.signal(Signal::SIGTERM);
    assert_eq!(running.wait(SECONDS(30)).code, 3);
}

/// Debian's supervise tells that a service has ended, but not how.
#[test]
fn with_debians_supervise() {
    if debian("supervise").is_none() {
        return;
    }
    let scratch = Scratch::new("debian-chosen");
    let directory = scratch.dir("service");
    service(&scratch, "web", "sleep 0.5; exit 7\n");
    link(&scratch, "web");
    let running = Run::new(program("svscan"))
        .args(["-e", "web"])
        .arg(&directory)
        .env("PATH", "/usr/bin:/bin")
        .spawn();
    assert_eq!(running.wait(SECONDS(60)).code, 111);
    assert_eq!(scratch.inhabitants(), [0; 0]);
}

/// As process 1, which no signal ends that it doesn't catch: signals are handed on, orphans reaped, TERM ends all, and
/// nothing is left.
#[test]
fn svscan_as_the_first_process() {
    if !is_root() {
        skip!("svscan is PID 1 only where root makes it");
    }
    let script = "for s in QUIT USR1 WINCH; do trap \"echo $s >>signals\" $s; done\n\
        trap 'echo TERM >>signals; exit 5' TERM; (sleep 0.1 & ) ; echo >up\n\
        while :; do sleep 0.05; done\n";
    let (scratch, directory) = host("first", script);
    let outer = Run::new("unshare")
        .args(["--pid", "--fork", "--kill-child", "--"])
        .arg(program("svscan"))
        .args(["-e", "web"])
        .arg(&directory)
        .env("PATH", path())
        .spawn();
    wait_until("the service", SECONDS(20), || {
        scratch.join("all/web/up").exists() && scratch.join("all/other/log/out").exists()
    });
    let children = |pid: i32| {
        let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        let list = list.unwrap_or_default();
        list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<i32>>()
    };
    let first = children(outer.pid())[0];
    wait_until("only the supervises to be left", SECONDS(10), || children(first).len() == 3);
    let signals = || fs::read_to_string(scratch.join("all/web/signals")).unwrap_or_default();
    for signal in [Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGWINCH] {
        kill(Pid::from_raw(first), signal).expect("kill");
        let name = &signal.as_str()[3..];
        wait_until(name, SECONDS(10), || signals().ends_with(&format!("{name}\n")));
    }
    // An upgrade in place, which process 1 can't do without.
    kill(Pid::from_raw(first), Signal::SIGUSR2).expect("kill");
    wait_until("the hand-over", SECONDS(20), || {
        let line = fs::read(format!("/proc/{first}/cmdline")).unwrap_or_default();
        line.windows(12).any(|word| word == b"--take-over=")
    });
    kill(Pid::from_raw(first), Signal::SIGUSR1).expect("kill");
    wait_until("USR1 again", SECONDS(10), || signals().ends_with("WINCH\nUSR1\n"));
    kill(Pid::from_raw(first), Signal::SIGTERM).expect("kill");
    let outcome = outer.wait(SECONDS(60));
    assert_eq!((outcome.code, outcome.err().as_str()), (5, ""));
    assert!(signals().ends_with("USR1\nTERM\n"));
    let out = fs::read_to_string(scratch.join("all/other/log/out")).expect("the log");
    assert_eq!(out, "hello\nbye\n");
    assert_eq!(scratch.inhabitants(), [0; 0]);
}

/// Without `-e`, these signals do to svscan what they do to any program.
#[test]
fn nothing_is_forwarded_to_nobody() {
    let (scratch, directory) = host("nobody", "exec sleep 1000\n");
    let running = with_options(&[], &directory);
    wait_until("the service", SECONDS(20), || pid_of(&scratch.join("all/web")).is_some());
    running.signal(Signal::SIGUSR1);
    assert_eq!(running.wait(SECONDS(20)).code, 128 + 10);
    assert!(is_supervised(&scratch.join("all/web")));
}
