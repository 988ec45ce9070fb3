//! Disks that are full, read-only, or gone: said, waited for, and not a line lost or doubled.

use crate::{SOON, left, logged};
use nix::mount::{MsFlags, mount};
use std::fs;
use std::path::Path;
use std::time::Duration;
use tests::{Child, Run, Scratch, alone, both, program, text, wait_until, waits_for_input};

/// Long enough for two tries.
const A_WHILE: Duration = Duration::from_secs(60);

/// A disk of 64 kB.
fn disk(scratch: &Scratch) {
    let at = scratch.dir("disk");
    mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), Some("size=64k")).expect("a tmpfs");
}

fn start(multilog: &Path, args: &[&str], scratch: &Scratch) -> Child {
    Run::new(multilog).args(args).cwd(scratch.join("disk")).spawn()
}

fn lines(count: usize) -> String {
    (0..count).map(|number| format!("{number:0499}\n")).collect()
}

#[test]
fn a_full_disk_is_waited_for() {
    alone!();
    for (whose, multilog) in both("multilog") {
        let scratch = Scratch::new("multilog-full");
        disk(&scratch);
        scratch.file("disk/filler", "x".repeat(40_000));
        let mut child = start(&multilog, &["s200000", "./d"], &scratch);
        child.write(lines(100).as_bytes());
        child.close();
        child.expect_stderr(
            "multilog: warning: unable to write to ./d/current, pausing: out of disk space\n",
        );
        assert!(child.is_running(), "{whose}");
        let there = logged(&scratch.join("disk/d"));
        assert!(lines(100).as_bytes().starts_with(&there), "{whose}");
        fs::remove_file(scratch.join("disk/filler")).expect("removed");
        let outcome = child.wait(A_WHILE);
        assert_eq!(outcome.code, 0, "{whose}: {}", outcome.err());
        assert!(logged(&scratch.join("disk/d")) == lines(100).into_bytes(), "{whose}");
    }
}

#[test]
fn a_full_disk_holds_a_rotation_with_a_processor_up() {
    alone!();
    let scratch = Scratch::new("multilog-full-rotation");
    disk(&scratch);
    scratch.file("disk/filler", "x".repeat(50_000));
    let processor = "!cat || exit 1";
    let mut child = start(&program("multilog"), &["s8192", processor, "./d"], &scratch);
    child.write(lines(40).as_bytes());
    child.close();
    child.expect_stderr("processor failed in ./d, pausing");
    fs::remove_file(scratch.join("disk/filler")).expect("removed");
    let outcome = child.wait(A_WHILE);
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    assert!(logged(&scratch.join("disk/d")) == lines(40).into_bytes());
}

#[test]
fn a_directory_that_was_removed_is_made_anew() {
    let scratch = Scratch::new("multilog-removed");
    let mut child =
        Run::new(program("multilog")).args(["s4096", "./d"]).cwd(scratch.path()).spawn();
    wait_until("it is ready", SOON, || scratch.join("d/current").exists());
    fs::remove_dir_all(scratch.join("d")).expect("removed");
    // What is written before the next rotation is written to what was removed.
    child.write(lines(20).as_bytes());
    child.close();
    assert_eq!(child.wait(A_WHILE).code, 0);
    let log = text(&logged(&scratch.join("d")));
    assert!(lines(20).ends_with(&log) && log.len() >= 4000, "{} bytes", log.len());
    assert_eq!(left(&scratch.join("d")).last().map(|(name, ..)| name.as_str()), Some("lock"));
}

/// A processor runs in the log's directory; multilog itself stays where it is.
#[test]
fn it_is_made_in_its_place_after_a_processor_has_run() {
    let scratch = Scratch::new("multilog-removed-processed");
    let mut child =
        Run::new(program("multilog")).args(["s4096", "!cat", "./d"]).cwd(scratch.path()).spawn();
    child.write(lines(20).as_bytes());
    let all = lines(20).len();
    wait_until("all lines, and no processor", SOON, || {
        logged(&scratch.join("d")).len() == all && waits_for_input(child.pid().cast_unsigned())
    });
    fs::remove_dir_all(scratch.join("d")).expect("removed");
    child.write(lines(40).as_bytes());
    child.close();
    assert_eq!(child.wait(A_WHILE).code, 0);
    let log = text(&logged(&scratch.join("d")));
    assert!(lines(40).ends_with(&log) && log.len() >= 4000, "{} bytes", log.len());
    assert!(!scratch.join("d/d").exists());
}

#[test]
fn too_few_descriptors_are_waited_for() {
    let scratch = Scratch::new("multilog-descriptors");
    let mut child =
        Run::new(program("multilog")).args(["s4096", "./d"]).cwd(scratch.path()).spawn();
    wait_until("it is ready", SOON, || scratch.join("d/current").exists());
    let pid = child.pid();
    let limit =
        |number: &str| Run::sh(&format!("prlimit --pid {pid} --nofile={number}:")).output().code;
    assert_eq!(limit("3"), 0);
    child.write(lines(20).as_bytes());
    child.close();
    child.expect_stderr("multilog: warning: unable to create ./d/current, pausing: process cannot open more files\n");
    assert_eq!(limit("64"), 0);
    let outcome = child.wait(A_WHILE);
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    assert!(logged(&scratch.join("d")) == lines(20).into_bytes());
}
