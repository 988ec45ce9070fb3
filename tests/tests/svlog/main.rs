//! svlog, end to end: logs that multilog writes, and those that others left behind.

mod compressed;
mod finding;
mod following;
mod order;
mod terminal;
mod times;
mod trouble;

use std::fs;
use std::path::Path;
use std::time::Duration;

use tests::{Child, Run, Scratch, program, wait_until};

const SOON: Duration = Duration::from_secs(30);

/// `svlog ARGS` in the scratch directory, where it is an hour later than in Greenwich.
fn svlog(scratch: &Scratch, args: &[&str]) -> Run {
    Run::new(program("svlog"))
        .args(args)
        .cwd(scratch.path())
        .env("TZ", "ABC-1")
        .env("SVDIR", scratch.join("service"))
}

/// What it says, if all is well.
fn said(scratch: &Scratch, args: &[&str]) -> String {
    let outcome = svlog(scratch, args).output();
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0), "{args:?}");
    outcome.out()
}

/// Has multilog keep these lines.
fn keep(scratch: &Scratch, script: &[&str], lines: &str) {
    let outcome = Run::new(program("multilog"))
        .args(script)
        .cwd(scratch.path())
        .stdin(lines.as_bytes().to_vec())
        .output();
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0), "{script:?}");
}

/// The label of a second after 1970-01-01 00:00:00 UTC.
fn label(second: u64) -> String {
    format!("@{:016x}00000000", (1_u64 << 62) + 10 + second)
}

/// A line of that second.
fn line(second: u64, text: &str) -> String {
    format!("{} {text}\n", label(second))
}

/// As it is shown.
fn seen(second: u64, text: &str) -> String {
    let (hour, minute) = (second / 3600 + 1, second / 60 % 60);
    format!("1970-01-01 {hour:02}:{minute:02}:{:02}.000000 {text}\n", second % 60)
}

/// The finished files of a log, in order.
fn finished(log: &Path) -> Vec<String> {
    let entries = fs::read_dir(log).expect("a log").flatten();
    let names = entries.map(|entry| entry.file_name().into_string().expect("UTF-8"));
    let mut names: Vec<String> = names.filter(|name| name.starts_with('@')).collect();
    names.sort();
    names
}

/// Numbered lines, each of so many bytes or somewhat more.
fn numbered(count: usize, size: usize) -> String {
    (1..=count).map(|number| format!("line {number} {}\n", "x".repeat(size))).collect()
}
