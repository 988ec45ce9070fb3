//! Files that can't be read, or are no files.

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};

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
    let scratch = Scratch::new("svlog-denied");
    let name = format!("{}.s", label(1));
    for path in [&format!("dns/{name}"), "web/current"] {
        let path = scratch.file(path, "secret\n");
        fs::set_permissions(path, fs::Permissions::from_mode(0o000)).expect("chmod");
    }
    scratch.file("dns/current", "up\n");
    // Root may read everything.
    let copy = scratch.copy("svlog", &program("svlog"));
    let as_nobody = |log: &str| {
        let run = if tests::is_root() {
            let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"];
            Run::new("setpriv").args(nobody).arg(&copy)
        } else {
            Run::new(&copy)
        };
        run.arg(log).cwd(scratch.path()).output()
    };
    let outcome = as_nobody("./dns");
    let said = format!("svlog: warning: unable to read ./dns/{name}: access denied\n");
    assert_eq!((outcome.out().as_str(), outcome.err(), outcome.code), ("up\n", said, 111));
    let outcome = as_nobody("./web");
    assert_eq!(outcome.err(), "svlog: fatal: unable to find the log of ./web: access denied\n");
}

#[test]
fn names_that_are_no_finished_files_are_passed_over() {
    let scratch = Scratch::new("svlog-names");
    for name in
        ["state", "lock", "newstate", "@nonsense.s", "@4000", &format!("{}.s.gz.new", label(1))]
    {
        scratch.file(&format!("dns/{name}"), "no\n");
    }
    scratch.file("dns/current", "yes\n");
    assert_eq!(said(&scratch, &["./dns"]), "yes\n");
}

#[test]
fn a_file_without_a_name_yet_is_not_left_out() {
    let scratch = Scratch::new("svlog-unnamed");
    scratch.file(&format!("dns/{}.s", label(1)), "a\n");
    scratch.file("dns/current", "d\n");
    scratch.file("dns/processed", "b\n");
    assert_eq!(said(&scratch, &["./dns"]), "a\nb\nd\n");
    // What it is made of is there as well: so it isn't ready.
    scratch.file("dns/previous", "b\nc\n");
    assert_eq!(said(&scratch, &["./dns"]), "a\nb\nc\nd\n");
    assert_eq!(said(&scratch, &["-n2", "./dns"]), "c\nd\n");
    // It is getting its name.
    let name = format!("dns/{}.s", label(2));
    fs::hard_link(scratch.join("dns/previous"), scratch.join(name)).expect("a link");
    fs::remove_file(scratch.join("dns/processed")).expect("removed");
    assert_eq!(said(&scratch, &["./dns"]), "a\nb\nc\nd\n");
}
