//! What can be wrong at the start, in Debian's words and with its exit codes.

use crate::{left, same};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use tests::{Run, Scratch, both, is_root, program, record_skip};

/// Runs the script beside things of all kinds, and gives what was said and the exit code.
fn started(script: &str, prepare: impl Fn(&Scratch)) {
    let mut found = Vec::new();
    for (whose, multilog) in both("multilog") {
        let scratch = Scratch::new("multilog-start");
        prepare(&scratch);
        let script = script.replace("multilog", &multilog.display().to_string());
        let outcome = Run::sh(&script).cwd(scratch.path()).output();
        found.push((whose, outcome.code, outcome.err(), left(&scratch.join("d"))));
    }
    for (whose, code, said, files) in &found[1..] {
        let ours = &found[0];
        assert_eq!((&ours.1, &ours.2, &ours.3), (code, said, files), "{script}, {whose}");
    }
}

#[test]
fn what_cannot_be_opened() {
    let nothing = |_: &Scratch| {};
    for script in [
        "multilog /nowhere/d",
        "multilog ./d ./d",
        "multilog ./d ./d/../d",
        "multilog =/nowhere/status ./d",
        "multilog ./d =d",
        "multilog e ./d 0<&-",
        "multilog ./d 0<&- 2>&-",
        "flock d/lock multilog ./d",
        "touch f && exec multilog ./f",
        "mkdir -p d/lock && exec multilog ./d",
        "mkdir -p d/current && exec multilog ./d",
        "mkdir -p d/state && exec multilog ./d",
        "mkfifo f && exec multilog =f ./d",
        "multilog .",
        "multilog ./d/",
        "umask 077; exec multilog ./d",
        "umask 0; exec multilog ./d",
    ] {
        started(script, nothing);
    }
    started("flock d/lock multilog ./d", |scratch| drop(scratch.dir("d")));
    started("multilog ./d", |scratch| symlink("nowhere", scratch.join("d")).expect("a link"));
    started("multilog ./d", |scratch| {
        scratch.dir("d");
        symlink("nowhere/at/all", scratch.join("d/current")).expect("a link");
    });
}

#[test]
fn what_may_not_be_written() {
    if !is_root() {
        return record_skip("only root becomes another account");
    }
    let multilog = "setpriv --reuid=65534 --regid=65534 --clear-groups multilog";
    for (files, mode) in [(&[][..], 0o555), (&["lock"], 0o755), (&["lock", "state"], 0o755)] {
        started(&format!("{multilog} ./d"), |scratch| {
            scratch.dir("d");
            for file in files {
                let path = scratch.file(&format!("d/{file}"), "");
                fs::set_permissions(path, fs::Permissions::from_mode(0o606)).expect("chmod");
            }
            let mode = fs::Permissions::from_mode(mode);
            fs::set_permissions(scratch.join("d"), mode).expect("chmod");
        });
    }
}

#[test]
fn closed_descriptors_never_become_a_log() {
    let scratch = Scratch::new("multilog-closed");
    let script =
        format!("exec {} s4096 '!exit 1' ./d 1>&- 2>&- 3>&-", program("multilog").display());
    // A failing processor makes it say something.
    let mut child = Run::sh(&script).cwd(scratch.path()).spawn();
    child.write(&[b"x".repeat(4000), b"\n".to_vec(), b"y\n".to_vec()].concat());
    tests::wait_until("it rotates", crate::SOON, || scratch.join("d/processed").exists());
    drop(child);
    for (name, _, content) in left(&scratch.join("d")) {
        assert!(!tests::text(&content).contains("processor"), "{name}");
    }
}

#[test]
fn input_that_cannot_be_read() {
    let scratch = Scratch::new("multilog-input");
    let script = format!("exec {} ./d < /", program("multilog").display());
    let outcome = Run::sh(&script).cwd(scratch.path()).output();
    let said = "multilog: warning: unable to read standard input: is a directory\n";
    assert_eq!((outcome.err().as_str(), outcome.code), (said, 111));
}

#[test]
fn several_logs_have_what_was_selected_when_their_turn_came() {
    let lines: Vec<Vec<u8>> = ["a\n", "b\n", "ab\n"].map(|line| line.as_bytes().to_vec()).into();
    let files = same(&["-a*", "./d", "+ab", "-b", "./e", "=status"], &lines);
    assert_eq!(files[0].2, b"b\n");
}
