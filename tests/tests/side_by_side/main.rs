//! Our programs side by side with Debian's: the same cases for both, in tables, `*.cases` in this directory.
//!
//! A failing case prints what a shell types and, for each thing in which the two differ, a diff. To see one case, and what
//! Debian's programs do with it: `CASE='a part of its name' cargo test -p tests --test side_by_side TABLE -- --nocapture`.

use std::fs;
use std::path::PathBuf;

use tests::side_by_side::{Cast, Table, assert_listed, compare};
use tests::{alone, fresh_root, is_root, skip, workspace};

/// The tables, each with the casts in which its cases are run and how many of them at once: those that mostly wait cost little.
macro_rules! tables {
    ($($name:ident: $casts:expr, $at_once:expr;)*) => {
        $(
            #[test]
            fn $name() {
                agree(stringify!($name), &$casts, $at_once);
            }
        )*

        const TABLES: &[&str] = &[$(stringify!($name),)* "svscanboot"];
    };
}

tables! {
    chain: [Cast::OURS], 4;
    envdir: [Cast::OURS], 4;
    envuidgid: [Cast::OURS], 4;
    fghack: [Cast::OURS], 4;
    multilog: [Cast::OURS], 16;
    pgrphack: [Cast::OURS], 4;
    protocol: Cast::PAIRINGS, 32;
    readproctitle: [Cast::OURS], 4;
    setlock: [Cast::OURS], 4;
    setuidgid: [Cast::OURS], 4;
    softlimit: [Cast::OURS], 4;
    supervise: [Cast::OURS], 16;
    svc: [Cast::OURS], 4;
    svok: [Cast::OURS], 4;
    svscan: Cast::PAIRINGS, 32;
    svstat: [Cast::OURS], 4;
    tai64n: [Cast::OURS], 4;
    tai64nlocal: [Cast::OURS], 4;
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
fn every_table_is_run() {
    let files = fs::read_dir(place()).expect("this directory").flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let mut tables: Vec<String> =
        names.filter_map(|name| Some(name.strip_suffix(".cases")?.to_owned())).collect();
    let mut run = TABLES.to_vec();
    tables.sort_unstable();
    run.sort_unstable();
    assert_eq!(tables, run);
}

#[test]
fn every_difference_is_listed() {
    let tables: Vec<Table> = TABLES.iter().map(|name| Table::read(&place(), name)).collect();
    assert_listed(&tables);
}

#[test]
fn there_are_250_cases_at_least() {
    let count = |name| (name, Table::read(&place(), name).cases().len());
    let counts: Vec<(&str, usize)> = TABLES.iter().copied().map(count).collect();
    for (name, count) in &counts {
        println!("{count:4} {name}");
    }
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    println!("{all:4} in all");
    assert!(all >= 250, "only {all}");
}

fn agree(name: &str, casts: &[Cast], at_once: usize) {
    compare(&Table::read(&place(), name), &place().join("prelude.sh"), casts, at_once);
}

fn place() -> PathBuf {
    workspace().join("tests/tests/side_by_side")
}
