//! What only our supervise does: waited for, and explained.

use super::explaining::{field, json};
use super::*;

fn long(scratch: &Scratch) -> String {
    svstat(scratch, &["-v", "s"]).out()
}

fn object(scratch: &Scratch) -> String {
    svstat(scratch, &["--json", "s"]).out()
}

fn code(scratch: &Scratch, args: &[&str]) -> (String, i32) {
    let outcome = svc(scratch, args);
    (outcome.err(), outcome.code)
}

const DONE: (String, i32) = (String::new(), 0);

#[test]
fn readiness() {
    let scratch = Scratch::new("svc-ours-ready");
    scratch.script(
        "s/run",
        "#!/bin/sh\nuntil test -e go; do sleep 0.05; done\necho >&3\nexec sleep 10000\n",
    );
    scratch.file("s/notification-fd", "3\n");
    let _supervise = supervise(&program("supervise"), &scratch, "s");
    assert_eq!(code(&scratch, &["-U", "s"]), DONE);
    assert_eq!(json(&object(&scratch), "ready"), "false");
    let mut ready = Run::new(program("svc")).args(["-R", "s"]).cwd(scratch.path()).spawn();
    assert!(ready.is_running());
    scratch.file("s/go", "");
    assert_eq!(ready.wait(SOON).code, 0);
    assert_eq!(json(&object(&scratch), "ready"), "true");
    assert!(field(&long(&scratch), "ready").is_some_and(|ready| ready.starts_with("yes, since ")));
    let before = published(&scratch.join(STATUS)).0;
    assert_eq!(code(&scratch, &["--restart", "--wait=ready", "s"]), DONE);
    assert_ne!(published(&scratch.join(STATUS)).0, before);
}

#[test]
fn a_failure_for_good() {
    let scratch = Scratch::new("svc-ours-failed");
    scratch.script("s/run", "#!/bin/sh\nexit 100\n");
    scratch.file("s/encore", "");
    let _supervise = supervise(&program("supervise"), &scratch, "s");
    assert_eq!(code(&scratch, &["-Wdown", "s"]), DONE);
    let said =
        "svc: warning: unable to wait for s to be ready: it has failed for good: run exited 100\n";
    assert_eq!(code(&scratch, &["-Wready", "s"]), (said.to_owned(), 98));
    let (text, line) = (long(&scratch), object(&scratch));
    assert!(text.lines().next().is_some_and(|line| line.ends_with(", failed")), "{text}");
    let waits = "for svc -u: it has failed for good, run exited 100";
    assert_eq!(field(&text, "waits").as_deref(), Some(waits));
    let values = ["failure", "exit_code", "waits_for"].map(|name| json(&line, name));
    assert_eq!(values, ["\"exit-100\"", "100", "\"up\""]);
    // Mended, it is started afresh.
    scratch.script("s/run", SLEEP);
    assert_eq!(code(&scratch, &["-U", "s"]), DONE);
}

#[test]
fn a_back_off() {
    let scratch = Scratch::new("svc-ours-back-off");
    scratch.script("s/run", "#!/bin/sh\nkill -SEGV $$\n");
    scratch.file("s/back-off", "1000\n");
    let _supervise = supervise(&program("supervise"), &scratch, "s");
    let mut line = String::new();
    wait_until("a second restart and a wait", SOON, || {
        line = object(&scratch);
        let restarts: u64 = json(&line, "restarts_last_hour").parse().unwrap_or(0);
        restarts >= 2 && json(&line, "phase") == "\"waiting\""
    });
    assert!(json(&line, "waits_until").starts_with("\"20"), "{line}");
    assert_eq!(json(&line, "signal"), "\"SEGV\"", "{line}");
    let text = long(&scratch);
    assert!(field(&text, "last end").is_some_and(|end| end.starts_with("signal SEGV, ")), "{text}");
}

#[test]
fn stopping_by_force_and_cleaning_up() {
    let scratch = Scratch::new("svc-ours-kill");
    scratch.script("s/run", "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 0.05; done\n");
    scratch.script(
        "s/finish",
        "#!/bin/sh\necho $1 $2 >ended\nuntil test -e go; do sleep 0.05; done\n",
    );
    scratch.file("s/timeout-kill", "200\n");
    scratch.file("s/timeout-finish", "0\n");
    let _supervise = supervise(&program("supervise"), &scratch, "s");
    assert_eq!(code(&scratch, &["-U", "s"]), DONE);
    let mut down = Run::new(program("svc")).args(["-D", "s"]).cwd(scratch.path()).spawn();
    wait_until("finish", SOON, || json(&object(&scratch), "phase") == "\"finishing\"");
    assert!(down.is_running(), "it is down when finish has ended");
    scratch.file("s/go", "");
    let outcome = down.wait(SOON);
    assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
    assert_eq!(fs::read(scratch.join("s/ended")).expect("ended"), b"256 9\n");
    assert_eq!(json(&object(&scratch), "signal"), "\"KILL\"");
}

#[test]
fn a_log_of_the_same_supervise() {
    let scratch = Scratch::new("svc-ours-log");
    scratch.script("s/run", SLEEP);
    scratch.script("s/log", "#!/bin/sh\nexec cat\n");
    let _supervise = supervise(&program("supervise"), &scratch, "s");
    assert_eq!(code(&scratch, &["-ULU", "s"]), DONE);
    let lines = svstat(&scratch, &["-s", "s"]).out();
    let ends: Vec<_> = lines.lines().map(|line| line.ends_with(" seconds, running")).collect();
    assert_eq!(ends, [true, true], "{lines}");
    assert!(
        lines.lines().nth(1).is_some_and(|line| line.starts_with("s log: up (pid ")),
        "{lines}"
    );
    let svup =
        |option| Run::new(program("svup")).args([option, "s"]).cwd(scratch.path()).output().code;
    assert_eq!((svup("-L"), svup("-l")), (0, 0));
    assert_eq!(code(&scratch, &["-D", "s"]), DONE);
    assert_eq!((svup("-L"), svup("-l")), (0, 100));
    assert_eq!(code(&scratch, &["-LD", "s"]), DONE);
    assert_eq!((svup("-L"), svup("-l")), (100, 100));
    assert!(long(&scratch).contains("\ns log: down "));
}

#[test]
fn an_upgrade_leaves_the_service_alone() {
    let scratch = Scratch::new("svc-ours-upgrade");
    scratch.script("s/run", SLEEP);
    let _supervise = supervise(&program("supervise"), &scratch, "s");
    assert_eq!(code(&scratch, &["-U", "s"]), DONE);
    let before = fs::read(scratch.join(STATUS)).expect("a status");
    assert_eq!(code(&scratch, &["--upgrade", "--wait=up", "s"]), DONE);
    assert_eq!(fs::read(scratch.join(STATUS)).expect("a status"), before);
    assert_eq!(code(&scratch, &["-D", "s"]), DONE);
}

#[test]
fn files_elsewhere() {
    let scratch = Scratch::new("svc-ours-elsewhere");
    scratch.script("s/run", SLEEP);
    let base = scratch.dir("run");
    let run = |name: &str, args: &[&str]| {
        let run = Run::new(program(name)).args(args).cwd(scratch.path());
        run.env("SUPERVISEDIR", &base)
    };
    let _supervise = run("supervise", &["s"]).spawn();
    assert_eq!(run("svc", &["-W", "up", "s"]).output().code, 0);
    assert_eq!(run("svup", &["s"]).output().code, 0);
    assert!(!scratch.join("s/supervise").exists());
    assert_eq!(run("svc", &["-D", "s"]).output().code, 0);
    assert_eq!(run("svup", &["s"]).output().code, 100);
}
