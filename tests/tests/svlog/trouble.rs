//! Files that can't be read, or are no files.

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use tests::skip;

#[test]
fn what_is_no_file_is_said() {
    let scratch = Scratch::new("svlog-no-file");
    scratch.file("dns/current", "up\n");
    let fifo = format!("{}.s", label(1));
    let gone = format!("{}.s", label(2));
    let outcome = Run::new("mkfifo").arg(scratch.join("dns").join(&fifo)).output();
    assert_eq!(outcome.code, 0);
    // It is passed over in silence, as what was removed.
    symlink("/nowhere", scratch.join("dns").join(gone)).expect("a link");
    let outcome = svlog(&scratch, &["./dns"]).output();
    let said = format!("svlog: warning: unable to read ./dns/{fifo}: invalid argument\n");
    assert_eq!((outcome.out().as_str(), outcome.err(), outcome.code), ("up\n", said, 111));
}

#[test]
fn what_must_not_be_read_is_said() {
    if tests::is_root() {
        skip!("root may read everything");
    }
    let scratch = Scratch::new("svlog-denied");
    let name = format!("{}.s", label(1));
    for path in [&format!("dns/{name}"), "web/current"] {
        let path = scratch.file(path, "secret\n");
        fs::set_permissions(path, fs::Permissions::from_mode(0)).expect("chmod");
    }
    scratch.file("dns/current", "up\n");
    let outcome = svlog(&scratch, &["./dns"]).output();
    let said = format!("svlog: warning: unable to read ./dns/{name}: access denied\n");
    assert_eq!((outcome.out().as_str(), outcome.err(), outcome.code), ("up\n", said, 111));
    let outcome = svlog(&scratch, &["./web"]).output();
    assert_eq!(outcome.err(), "svlog: fatal: unable to find the log of ./web: access denied\n");
}

#[test]
fn names_that_are_no_finished_files_are_passed_over() {
    let scratch = Scratch::new("svlog-names");
    for name in
        ["state", "lock", "previous", "@nonsense.s", "@4000", &format!("{}.s.gz.new", label(1))]
    {
        scratch.file(&format!("dns/{name}"), "no\n");
    }
    scratch.file("dns/current", "yes\n");
    assert_eq!(said(&scratch, &["./dns"]), "yes\n");
}
