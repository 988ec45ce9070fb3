//! Our programs side by side with Debian's: the same cases for both, in tables.
//!
//! A failing case prints what a shell types and, for each thing in which the two differ, a diff. To try one by hand, type it
//! after `. tests/tests/side_by_side/prelude.sh` in an empty directory, with PATH beginning with either's programs.

use std::path::PathBuf;

use tests::side_by_side::{Cast, Table, compare, is_entry};
use tests::{alone, fresh_root, is_root, skip, workspace};

/// Where the tables are.
fn place() -> PathBuf {
    workspace().join("tests/tests/side_by_side")
}

/// A table with each of these casts, so many cases at once: those that mostly wait cost little.
fn agree(name: &str, casts: &[Cast], at_once: usize) {
    compare(&Table::read(&place(), name), &place().join("prelude.sh"), casts, at_once);
}

#[test]
fn softlimit() {
    agree("softlimit", &[Cast::OURS], 4);
}

#[test]
fn setuidgid() {
    agree("setuidgid", &[Cast::OURS], 4);
}

#[test]
fn envuidgid() {
    agree("envuidgid", &[Cast::OURS], 4);
}

#[test]
fn envdir() {
    agree("envdir", &[Cast::OURS], 4);
}

#[test]
fn chain() {
    agree("chain", &[Cast::OURS], 4);
}

#[test]
fn fghack() {
    agree("fghack", &[Cast::OURS], 4);
}

#[test]
fn pgrphack() {
    agree("pgrphack", &[Cast::OURS], 4);
}

#[test]
fn setlock() {
    agree("setlock", &[Cast::OURS], 4);
}

#[test]
fn readproctitle() {
    agree("readproctitle", &[Cast::OURS], 4);
}

#[test]
fn tai64n() {
    agree("tai64n", &[Cast::OURS], 4);
}

#[test]
fn tai64nlocal() {
    agree("tai64nlocal", &[Cast::OURS], 4);
}

#[test]
fn svc() {
    agree("svc", &[Cast::OURS], 4);
}

#[test]
fn svok() {
    agree("svok", &[Cast::OURS], 4);
}

#[test]
fn svstat() {
    agree("svstat", &[Cast::OURS], 4);
}

#[test]
fn multilog() {
    agree("multilog", &[Cast::OURS], 16);
}

#[test]
fn supervise() {
    agree("supervise", &[Cast::OURS], 16);
}

#[test]
fn svscan() {
    agree("svscan", &Cast::PAIRINGS, 32);
}

/// On a root of its own, one after the other.
#[test]
fn svscanboot() {
    if !is_root() {
        skip!("svscanboot is tried by root");
    }
    alone!();
    if let Err(why) = fresh_root() {
        skip!("{why}");
    }
    agree("svscanboot", &[Cast::OURS], 1);
}

#[test]
fn protocol() {
    agree("protocol", &Cast::PAIRINGS, 32);
}

const TABLES: [&str; 19] = [
    "softlimit",
    "setuidgid",
    "envuidgid",
    "envdir",
    "chain",
    "fghack",
    "pgrphack",
    "setlock",
    "readproctitle",
    "tai64n",
    "tai64nlocal",
    "svc",
    "svok",
    "svstat",
    "multilog",
    "supervise",
    "svscan",
    "svscanboot",
    "protocol",
];

#[test]
fn every_difference_is_listed() {
    let tables = TABLES.map(|name| Table::read(&place(), name));
    let differences =
        tables.iter().flat_map(Table::cases).filter_map(|case| case.difference.as_ref());
    let mut unlisted: Vec<&str> = differences
        .map(|difference| difference.entry.as_str())
        .filter(|entry| !is_entry(entry))
        .collect();
    unlisted.sort_unstable();
    unlisted.dedup();
    assert!(
        unlisted.is_empty(),
        "docs/DIFFERENCES.md has no entry that begins with:\n{}",
        unlisted.join("\n")
    );
}

#[test]
fn there_are_250_cases_at_least() {
    let counts = TABLES.map(|name| (name, Table::read(&place(), name).cases().len()));
    for (name, count) in counts {
        println!("{count:4} {name}");
    }
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    println!("{all:4} in all");
    assert!(all >= 250, "only {all}");
}
