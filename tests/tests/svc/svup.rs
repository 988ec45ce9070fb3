//! svup, whose exit code tells.

use super::*;

fn code(scratch: &Scratch, args: &[&str]) -> (String, i32) {
    let outcome = Run::new(program("svup")).args(args).cwd(scratch.path()).output();
    assert_eq!(outcome.out(), "");
    (outcome.err(), outcome.code)
}

#[test]
fn svup_tells_by_its_exit_code() {
    let scratch = Scratch::new("svup");
    let usage = "svup: usage: svup [ -L ] [ -l ] dir\n";
    assert_eq!(code(&scratch, &[]), (usage.to_owned(), 100));
    assert_eq!(code(&scratch, &["-L"]), (usage.to_owned(), 100));
    let illegal = format!("svup: illegal option -- x\n{usage}");
    assert_eq!(code(&scratch, &["-x", "s"]), (illegal, 100));
    let nowhere = "svup: fatal: unable to chdir to s: file does not exist\n";
    assert_eq!(code(&scratch, &["s"]), (nowhere.to_owned(), 111));
    scratch.dir("s");
    assert_eq!(code(&scratch, &["s"]), (String::new(), 100));
    drop(fifo(&scratch.join(OK)));
    assert_eq!(code(&scratch, &["s"]), (String::new(), 100));
    let _ok = fifo(&scratch.join(OK));
    let missing = "svup: fatal: unable to open s/supervise/status: file does not exist\n";
    assert_eq!(code(&scratch, &["s"]), (missing.to_owned(), 111));
    scratch.file(STATUS, "short");
    let short = "svup: fatal: unable to read s/supervise/status: bad format\n";
    assert_eq!(code(&scratch, &["s"]), (short.to_owned(), 111));
}

/// With each status: svup, svup -L, svup -l.
#[test]
fn svup_looks_at_the_service_and_its_log() {
    let scratch = Scratch::new("svup-log");
    let _ok = fifo(&scratch.join(OK));
    let (up, down) = (status_in(3, 1, 5, b'u'), status_in(0, 1, 0, b'd'));
    let started = status_in(2, 1, 0, b'u');
    for (bytes, expected) in [
        (status(1, 5, 0, b'u'), [0, 100, 0]),
        (status(1, 0, 0, b'u'), [100, 100, 100]),
        (up.clone(), [0, 100, 0]),
        (down.clone(), [100, 100, 100]),
        (started, [0, 100, 0]),
        ([up.clone(), up.clone()].concat(), [0, 0, 0]),
        ([up.clone(), down.clone()].concat(), [100, 100, 0]),
        ([down.clone(), up].concat(), [100, 0, 100]),
        ([down.clone(), down].concat(), [100, 100, 100]),
    ] {
        scratch.file(STATUS, &bytes);
        let found = [&["s"][..], &["-L", "s"], &["-l", "s"]].map(|args| code(&scratch, args));
        assert_eq!(found, expected.map(|code| (String::new(), code)), "{bytes:?}");
    }
}

#[test]
fn svup_follows_every_supervise() {
    for (whose, path) in both("supervise") {
        let scratch = Scratch::new("svup-follows");
        scratch.script("s/run", SLEEP);
        let _supervise = supervise(&path, &scratch, "s");
        assert_eq!(svc(&scratch, &["-U", "s"]).code, 0);
        assert_eq!(code(&scratch, &["s"]).1, 0, "{whose}");
        assert_eq!(svc(&scratch, &["-D", "s"]).code, 0);
        assert_eq!(code(&scratch, &["s"]).1, 100, "{whose}");
    }
}
