//! What svstat tells of loggers: of one that can't write, and of one that doesn't run.

use super::explaining::json;
use super::*;
use nix::mount::{MsFlags, mount};
use tests::alone;

fn line(scratch: &Scratch, args: &[&str]) -> String {
    svstat(scratch, args).out()
}

/// A service whose lines go to a disk of 64 kB, through a multilog of another account where there is one.
fn service_with_a_small_disk(scratch: &Scratch) -> Child {
    let disk = scratch.dir("s/log/disk");
    let size = Some("size=64k,mode=777");
    mount(Some("tmpfs"), &disk, Some("tmpfs"), MsFlags::empty(), size).expect("a tmpfs");
    scratch.file("s/log/disk/filler", "x".repeat(60_000));
    let account = Run::new(program("setuidgid")).args(["nobody", "true"]).output().code;
    let account = if account == 0 { "setuidgid nobody" } else { "" };
    let multilog = "multilog s200000 ./disk/main";
    scratch.script("s/log/run", &format!("#!/bin/sh\nexec {account} {multilog}\n"));
    scratch.script("s/run", "#!/bin/sh\ncat lines\nexec sleep 10000\n");
    scratch.file("s/lines", "a line that has to wait\n".repeat(1000));
    Run::new(program("svscan")).arg(scratch.path()).env("PATH", tests::path()).spawn()
}

#[test]
fn a_logger_that_cannot_write_says_so_until_it_can() {
    alone!();
    let scratch = Scratch::new("svstat-pausing");
    let _svscan = service_with_a_small_disk(&scratch);
    let why = "unable to write to ./disk/main/current: out of disk space";
    let (log, service) = (format!(", pausing: {why}\n"), format!(", log pausing: {why}\n"));
    let mut short = String::new();
    wait_until("trouble", SOON, || {
        short = line(&scratch, &["s", "s/log"]);
        // The logger may be ahead of both statuses.
        short.starts_with("s: up (pid ") && short.contains(&service) && short.ends_with(&log)
    });
    let mut lines = short.split_inclusive('\n');
    let (first, second) = (lines.next().expect("a line"), lines.next().expect("another"));
    assert!(first.ends_with(&service) && second.starts_with("s/log: up (pid "), "{short}");
    assert_eq!(lines.next(), None);
    assert!(line(&scratch, &["-s", "s"]).ends_with(&format!(", running{service}")));
    assert!(line(&scratch, &["-l", "s"]).ends_with(", running\n"));
    let long = line(&scratch, &["-v", "s"]);
    let running = format!(" seconds, running{log}");
    assert!(long.contains("\ns/log: up (pid ") && long.contains(&running), "{long}");
    let object = line(&scratch, &["--json", "s"]);
    let (own, logger) = object.split_once("\"log\":").expect("a logger");
    assert_eq!(
        (json(own, "pausing"), json(logger, "pausing")),
        ("null".into(), format!("\"{why}\""))
    );
    let svup =
        |directory| Run::new(program("svup")).arg(directory).cwd(scratch.path()).output().code;
    assert_eq!((svup("s"), svup("s/log")), (0, 0));

    // ps shows it as well, and finds the process by its name.
    let pid = published(&scratch.join("s/log/supervise/status")).0;
    let of = |name| fs::read(format!("/proc/{pid}/{name}")).expect("/proc");
    assert_eq!(of("comm"), b"multilog\n");
    assert!(of("cmdline").starts_with(format!("multilog: pausing: {why}\0").as_bytes()));

    let watching =
        |args: &[&str]| Run::new(program("svstat")).args(args).cwd(scratch.path()).spawn();
    let watch = watching(&["--watch", "s"]);
    let last = || String::from_utf8_lossy(&watch.stdout()).lines().last().map(str::to_owned);
    wait_until("the trouble", SOON, || {
        last().is_some_and(|line| line.ends_with(service.trim_end()))
    });
    fs::remove_file(scratch.join("s/log/disk/filler")).expect("make room");
    wait_until("all is well", SOON, || last().is_some_and(|line| line.ends_with(" seconds")));
    assert!(line(&scratch, &["s/log"]).ends_with(" seconds\n"));
    assert_eq!(of("cmdline"), b"multilog\0s200000\0./disk/main\0");
    let written = fs::read(scratch.join("s/log/disk/main/current")).expect("a log");
    assert!(written == fs::read(scratch.join("s/lines")).expect("lines"), "a line is missing");
}

#[test]
fn a_logger_that_does_not_run_is_not_masked() {
    let scratch = Scratch::new("svstat-logger-down");
    scratch.script("s/run", SLEEP);
    scratch.script("s/log/run", "#!/bin/sh\nexec cat >/dev/null\n");
    let _svscan =
        Run::new(program("svscan")).arg(scratch.path()).env("PATH", tests::path()).spawn();
    let svup = || svc(&scratch, &["-W", "up", "s", "s/log"]).code;
    wait_until("both", SOON, || svup() == 0);
    let ends = |remark: &str| line(&scratch, &["s"]).ends_with(&format!(" seconds{remark}\n"));
    assert!(ends(""));
    assert_eq!(svc(&scratch, &["-D", "s/log"]).code, 0);
    assert!(ends(", log not running"), "{}", line(&scratch, &["s"]));
    // With its service, it is down on purpose; and so it is by its file.
    assert_eq!(svc(&scratch, &["-D", "s"]).code, 0);
    assert!(ends(", normally up"));
    assert_eq!(svc(&scratch, &["-U", "s"]).code, 0);
    scratch.file("s/log/down", "");
    assert!(ends(""));
    assert_eq!(svc(&scratch, &["-U", "s/log"]).code, 0);
    assert!(ends(""));
    assert_eq!(svc(&scratch, &["-p", "s/log"]).code, 0);
    wait_until("it is stopped", SOON, || ends(", log paused"));
}

#[test]
fn a_logger_that_nobody_supervises_is_not_masked() {
    let scratch = Scratch::new("svstat-logger-alone");
    let _ok = fifo(&scratch.join(OK));
    scratch.file(STATUS, status(-1_000, u32::MAX, 0, b'u'));
    let up = "s: up (pid 4294967295) 0 seconds";
    scratch.dir("s/log");
    assert_eq!(
        agreed(&scratch, "svstat", &["s"]).out(),
        format!("{up}\n"),
        "no logger's directory"
    );
    scratch.script("s/log/run", SLEEP);
    let missing = format!("{up}, log supervise not running\n");
    assert_eq!(line(&scratch, &["s"]), missing);
    drop(fifo(&scratch.join("s/log/supervise/ok")));
    assert_eq!(line(&scratch, &["s"]), missing);
    let _log = fifo(&scratch.join("s/log/supervise/ok"));
    scratch.file("s/log/supervise/status", status(-1_000, u32::MAX, 0, b'u'));
    assert_eq!(agreed(&scratch, "svstat", &["s"]).out(), format!("{up}\n"));
}

/// Starts a program by this name and with these arguments; gives it once it has them.
fn called(scratch: &Scratch, name: &str, arguments: &str) -> Child {
    let program = scratch.copy(name, Path::new("/bin/sleep"));
    let command = format!("exec -a {arguments} {} 10000", program.display());
    let child = Run::new("bash").args(["-c", &command]).cwd(scratch.path()).spawn();
    let arguments = format!("/proc/{}/cmdline", child.pid());
    let are_its_own = |all: Vec<u8>| all.ends_with(b"10000\0") && !all.starts_with(b"bash\0");
    wait_until("exec", SOON, || fs::read(&arguments).is_ok_and(are_its_own));
    child
}

#[test]
fn only_a_multilog_is_believed_and_no_control_character() {
    let scratch = Scratch::new("svstat-believed");
    let _ok = fifo(&scratch.join(OK));
    let said = r"$'multilog: pausing: unable to open ./\e[1m\n\xe4: ...'";
    for (name, arguments, expected) in [
        ("multilog", said, ", pausing: unable to open ./?[1m??: ..."),
        ("multilog", "multilog:", ", pausing: it does not say why"),
        ("multilog", "/command/multilog", ""),
        ("another", said, ""),
    ] {
        let child = called(&scratch, name, arguments);
        let pid = u32::try_from(child.pid()).expect("a process id");
        scratch.file(STATUS, status(-1_000, pid, 0, b'u'));
        assert_eq!(line(&scratch, &["s"]), format!("s: up (pid {pid}) 0 seconds{expected}\n"));
    }
}
