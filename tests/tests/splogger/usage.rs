//! Wrong usage, and input that is none.

use std::path::Path;

use tests::{Run, program};

use super::splogger;

#[test]
fn wrong_usage() {
    let path = Path::new("/nonexistent");
    for (args, said) in [
        (&["a", "b"][..], "splogger: fatal: unable to use facility: b\n"),
        (&["a", "24"], "splogger: fatal: unable to use facility: 24\n"),
        (&["a b"], "splogger: fatal: unable to use tag: a b\n"),
        (&["--sd", "[x]", "a"], "splogger: fatal: unable to use structured data: [x]\n"),
    ] {
        let outcome = splogger(path, args).output();
        assert_eq!((outcome.err().as_str(), outcome.code), (said, 100));
    }
    for args in [&["a", "2", "c"][..], &["--nothing"], &["--to"], &["--to", "/x", "-x"]] {
        let outcome = splogger(path, args).output();
        let said = outcome.err();
        let usage = said
            .lines()
            .last()
            .is_some_and(|line| line.starts_with("splogger: usage: splogger [ --to where ]"));
        assert!(usage && outcome.code == 100, "{args:?}: {said}");
    }
    assert_eq!(splogger(path, &[]).output().code, 0, "nothing to send, nobody to send it to");
    let closed = format!("exec {} 0<&-", program("splogger").display());
    let outcome = Run::sh(&closed).output();
    let said = "splogger: fatal: unable to read standard input: file descriptor not open\n";
    assert_eq!((outcome.err().as_str(), outcome.code), (said, 111));
}

#[test]
fn input_that_cannot_be_read() {
    let run = format!("exec {} < /", program("splogger").display());
    let outcome = Run::sh(&run).output();
    let said = "splogger: warning: unable to read standard input: is a directory\n";
    assert_eq!((outcome.err().as_str(), outcome.code), (said, 111));
}
