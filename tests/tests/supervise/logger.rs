//! The end of a service and of its logger: no line is lost.

use super::*;

/// A service that writes as fast as it can, and has last words when it is told to end. It counts
/// for itself what it wrote.
const CHATTY: &str = "#!/bin/sh\n\
    n=0 over=\n\
    trap 'over=1' TERM\n\
    while [ -z \"$over\" ]; do echo line $n; n=$((n+1)); done\n\
    m=0; while [ $m -lt 3000 ]; do echo line $n; n=$((n+1)); m=$((m+1)); done\n\
    echo $n >written\n";

/// The service and its logger as svscan runs them, on a FIFO that outlives both.
fn with_logger(scratch: &Scratch, multilog: &Path) -> (Child, Child) {
    scratch.script("s/run", CHATTY);
    // A file of its own for each run of the logger would hide a loss: one large one.
    let run = format!("#!/bin/sh\nexec {} s9999999 n9 ./main\n", multilog.display());
    scratch.script("s/log/run", &run);
    nix::unistd::mkfifo(&scratch.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("mkfifo");
    let supervise = program("supervise").display().to_string();
    let service = Run::sh(&format!("exec {supervise} s 1<>pipe")).cwd(scratch.path()).spawn();
    let script = format!("exec {supervise} log 0<>../pipe");
    let logger = Run::sh(&script).cwd(scratch.join("s")).spawn();
    wait_up(scratch);
    wait_until("the log", SOON, || logged(scratch).len() > 10_000);
    (service, logger)
}

/// All that multilog has written.
fn logged(scratch: &Scratch) -> Vec<u8> {
    let mut files: Vec<PathBuf> = fs::read_dir(scratch.join("s/log/main"))
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.retain(|path| {
        path.file_name().is_some_and(|n| n.as_encoded_bytes()[0] == b'@' || n == "current")
    });
    files.sort();
    files.iter().flat_map(|path| fs::read(path).unwrap_or_default()).collect()
}

fn assert_nothing_is_lost(scratch: &Scratch) {
    let written = fs::read_to_string(scratch.join("s/written")).expect("the service's count");
    let written: usize = written.trim().parse().expect("a number");
    let expected: String = (0..written).map(|n| format!("line {n}\n")).collect();
    let logged = String::from_utf8(logged(scratch)).expect("ASCII");
    assert!(written > 3000);
    assert!(logged == expected, "{} of {} bytes were logged", logged.len(), expected.len());
}

#[test]
fn service_and_logger_end_without_losing_a_line() {
    let Some(multilog) = debian("multilog") else { return };
    for orders in [
        &[["-dx", ".", "./log"]][..],
        &[["-dx", "./log", "."]],
        &[["-x", ".", "./log"], ["-d", ".", "./log"]],
    ] {
        let scratch = Scratch::new("supervise-drain");
        let (service, logger) = with_logger(&scratch, &multilog);
        for order in orders {
            let outcome = Run::new(program("svc")).args(order).cwd(scratch.join("s")).output();
            assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
        }
        assert_eq!(service.wait(SOON).code, 0);
        assert_eq!(logger.wait(SOON).code, 0);
        assert_nothing_is_lost(&scratch);
    }
}

#[test]
fn term_to_both_supervises_loses_no_line_either() {
    let Some(multilog) = debian("multilog") else { return };
    let scratch = Scratch::new("supervise-drain-term");
    let (service, logger) = with_logger(&scratch, &multilog);
    logger.signal(Signal::SIGTERM);
    service.signal(Signal::SIGTERM);
    assert_eq!(service.wait(SOON).code, 0);
    assert_eq!(logger.wait(SOON).code, 0);
    assert_nothing_is_lost(&scratch);
}

#[test]
fn a_logger_alone_goes_down_though_its_service_stays() {
    let Some(multilog) = debian("multilog") else { return };
    let scratch = Scratch::new("supervise-logger-alone");
    let (service, logger) = with_logger(&scratch, &multilog);
    let log = scratch.join("s/log");
    let send = |letters: &str| {
        Run::new(program("svc")).args([letters, "log"]).cwd(scratch.join("s")).output();
    };
    send("-d");
    wait_until("the logger's end", SOON, || status(&log) == Some((0, false, b'd')));
    // What the service writes meanwhile waits in the pipe.
    send("-u");
    wait_until("the next logger", SOON, || status(&log).is_some_and(|(pid, ..)| pid != 0));
    // svc -t is no d: it is passed on as it comes.
    let old = status(&log).expect("a status").0;
    send("-t");
    wait_until("a restart", SOON, || status(&log).is_some_and(|(pid, ..)| pid != 0 && pid != old));
    for child in [&service, &logger] {
        child.signal(Signal::SIGTERM);
    }
    assert_eq!(service.wait(SOON).code, 0);
    assert_eq!(logger.wait(SOON).code, 0);
    assert_nothing_is_lost(&scratch);
}

#[test]
fn a_logger_that_is_told_again_and_again_goes_none_the_later() {
    let scratch = place("supervise-logger-again", SLEEP);
    scratch.script("s/log/run", "#!/bin/sh\nexec cat >/dev/null\n");
    nix::unistd::mkfifo(&scratch.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("mkfifo");
    let supervise = program("supervise").display().to_string();
    let service = Run::sh(&format!("exec {supervise} s 1<>pipe")).cwd(scratch.path()).spawn();
    let script = format!("exec {supervise} log 0<>../pipe");
    let logger = Run::sh(&script).cwd(scratch.join("s")).spawn();
    let log = scratch.join("s/log");
    wait_up(&scratch);
    wait_until("the logger", SOON, || status(&log).is_some_and(|(pid, ..)| pid != 0));
    wait_until("its end", SOON, || {
        fs::write(log.join("supervise/control"), "d").expect("write a letter");
        status(&log).is_some_and(|(pid, ..)| pid == 0)
    });
    for child in [&logger, &service] {
        child.signal(Signal::SIGTERM);
    }
    assert_eq!(logger.wait(SOON).code, 0);
    assert_eq!(service.wait(SOON).code, 0);
}

#[test]
fn a_logger_that_no_longer_reads_is_not_waited_for_for_ever() {
    let scratch = place("supervise-deaf", "#!/bin/sh\necho unread; exec sleep 10000\n");
    scratch.script("s/log/run", SLEEP);
    nix::unistd::mkfifo(&scratch.join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("mkfifo");
    let supervise = program("supervise").display().to_string();
    let service = Run::sh(&format!("exec {supervise} s 1<>pipe")).cwd(scratch.path()).spawn();
    let script = format!("exec {supervise} log 0<>../pipe");
    let logger = Run::sh(&script).cwd(scratch.join("s")).spawn();
    wait_until("both", SOON, || count(&scratch, &["sleep"]) == 2);
    Run::new(program("svc")).args(["-dx", ".", "log"]).cwd(scratch.join("s")).output();
    assert_eq!(service.wait(SOON).code, 0);
    assert_eq!(logger.wait(Duration::from_secs(30)).code, 0);
}
