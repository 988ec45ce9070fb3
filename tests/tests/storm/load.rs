//! Load: a thousand services; a hundred thousand lines a second; a logger that stands still.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::storm::processes;
use tests::{Run, alone, is_root, program, skip, wait_until};

use crate::SOON;
use crate::host::{Host, Target};

/// For a thousand of something, on a busy machine.
const LATER: Duration = Duration::from_secs(240);

#[test]
fn a_thousand_services_twice_up_and_down() {
    if !is_root() {
        skip!("only root has namespaces with a disk of their own");
    }
    alone!();
    let begin = Instant::now();
    let mut host = Host::new("thousand", "256m");
    for number in 0..1000 {
        host.add(&format!("s{number:03}"), false);
    }
    for name in host.names.clone() {
        host.link(&name);
    }
    host.start_svscan();
    let all = host.targets();
    let mut times = Vec::new();
    for letters in [None, Some("-d"), Some("-u"), Some("-d")] {
        let since = Instant::now();
        if let Some(letters) = letters {
            let asked = Run::new(program("svc")).arg(letters).args(directories(&all)).output();
            assert_eq!((asked.err().as_str(), asked.code), ("", 0));
        }
        let up = letters != Some("-d");
        wait_until("a thousand services", LATER, || all.iter().all(|one| is(one, up)));
        // Their files say so; svstat must, too.
        let shown = Run::new(program("svstat")).args(directories(&all)).output().out();
        let word = if up { ": up (pid " } else { ": down " };
        assert_eq!(shown.lines().filter(|line| line.contains(word)).count(), 1000, "{shown}");
        let running = processes::all().iter().filter(|process| process.name == "run").count();
        assert_eq!(running, if up { 1000 } else { 0 });
        times.push(format!("{:.1?}", since.elapsed()));
    }
    host.end_svscan();
    host.end_supervises();
    host.wait_for_nobody();
    assert_eq!(host.violations(), "");
    println!(
        "load: 1000 services, up, down, up, down: {}; {:.1?} in all",
        times.join(", "),
        begin.elapsed()
    );
}

#[test]
fn a_hundred_thousand_lines_a_second() {
    if !is_root() {
        skip!("only root has namespaces with a disk of their own");
    }
    alone!();
    let mut host = Host::new("flood", "1g");
    let service = host.add("flood", true);
    fs::write(service.join("pace"), "1000 10 1000").expect("a pace");
    host.link("flood");
    host.start_svscan();
    let lines = if crate::asked().is_some() { 2_000_000 } else { 300_000 };
    wait_until("the first lines", SOON, || host.written("flood") > 0);
    let begin = Instant::now();
    // A busy machine is given more time: it is the count that must be exact.
    wait_until("all lines", LATER, || host.written("flood") > lines);
    let took = begin.elapsed();
    end(&mut host);
    assert_eq!(host.judge("flood"), [""; 0]);
    let rate = host.written("flood") as f64 / took.as_secs_f64();
    println!("load: {} lines, {rate:.0} a second, each logged once", host.written("flood"));
}

#[test]
fn a_logger_that_stands_still() {
    if !is_root() {
        skip!("only root has namespaces with a disk of their own");
    }
    alone!();
    let standstill = Duration::from_secs(if crate::asked().is_some() { 60 } else { 10 });
    let mut host = Host::new("standstill", "256m");
    let directory = host.add("s", true);
    fs::write(directory.join("pace"), "500 10 500").expect("a pace");
    host.link("s");
    host.start_svscan();
    let (service, logger) = (host.service("s"), host.logger("s").expect("a logger"));
    wait_until("lines", SOON, || host.written("s") > 5000);
    let [reader] = logger.services(&processes::all())[..] else { panic!("one logger") };
    kill(Pid::from_raw(reader), Signal::SIGSTOP).expect("stop the logger");
    // It blocks as soon as the pipe is full: nothing more is written for a second.
    let mut last = (host.written("s"), Instant::now());
    wait_until("the service to block", SOON, || {
        let written = host.written("s");
        if written != last.0 {
            last = (written, Instant::now());
        }
        last.1.elapsed() > Duration::from_secs(1)
    });
    let blocked = host.written("s");
    let (begin, mut asked, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    while begin.elapsed() < standstill {
        // Letters for both, and what svstat says of both: all at once, whoever stands still.
        let since = Instant::now();
        let letters = ["-p", "-c"][asked % 2];
        let run = Run::new(program("svc")).arg(letters).arg(&directory).output();
        assert_eq!((run.err().as_str(), run.code), ("", 0));
        let paused = letters == "-p";
        let show = || {
            Run::new(program("svstat")).arg(&directory).arg(directory.join("log")).output().out()
        };
        wait_until("an answer", SOON, || {
            let shown = show();
            shown.lines().count() == 2
                && shown.lines().all(|line| line.contains(": up (pid "))
                && shown.contains("paused") == paused
        });
        asked += 1;
        slowest = slowest.max(since.elapsed());
        std::thread::park_timeout(Duration::from_millis(50));
    }
    assert!(slowest < Duration::from_secs(9), "an answer took {slowest:?}");
    assert!(asked > 1, "{asked} letters in {standstill:?}");
    assert_eq!(host.written("s"), blocked, "nothing can be written, and nothing is said to be");
    assert_eq!(logger.services(&processes::all()), [reader]);
    // Killed in the midst of the write that it waits in, the service has written what it has written.
    let [writer] = service.services(&processes::all())[..] else { panic!("one service") };
    assert!(service.send(b"ct"));
    wait_until("another service", SOON, || {
        service.services(&processes::all()).iter().any(|pid| *pid != writer)
    });
    kill(Pid::from_raw(reader), Signal::SIGCONT).expect("let the logger go on");
    wait_until("more lines", SOON, || host.written("s") > blocked + 5000);
    end(&mut host);
    assert_eq!(host.judge("s"), [""; 0]);
    println!(
        "load: the logger stood still for {standstill:?}: {asked} letters answered, the slowest after {slowest:.1?}, no line lost"
    );
}

fn directories(targets: &[Target]) -> Vec<&std::path::Path> {
    targets.iter().map(|target| target.directory.as_path()).collect()
}

fn is(target: &Target, up: bool) -> bool {
    target.is_supervised()
        && target.status().is_some_and(|status| {
            (status.pid != 0) == up && status.want == if up { b'u' } else { b'd' }
        })
}

/// Services first, then their loggers, which read to the end; nobody is left.
fn end(host: &mut Host) {
    host.end_svscan();
    host.end_supervises();
    host.wait_for_nobody();
    assert_eq!(host.violations(), "");
}
