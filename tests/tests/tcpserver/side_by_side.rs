//! The same case with our tcpserver and with Debian's.

use std::fs;
use std::path::PathBuf;

use tests::side_by_side::{Table, assert_listed, compare_preludes};
use tests::{debian, is_root, program, skip, workspace};

use crate::{names, users};

const PROGRAMS: [&str; 2] = ["tcpserver", "tcprules"];

/// So many cases at once: they mostly wait.
const AT_ONCE: usize = 6;

const TABLES: [&str; 5] = ["rules", "lookups", "options", "users", "accounts"];

fn table(name: &str) -> Table {
    Table::read(&place(), name)
}

fn place() -> PathBuf {
    workspace().join("tests/tests/tcpserver")
}

/// Runs all cases of a table with both, in a network of their own, and compares.
fn agree(name: &str) {
    let Some(theirs) = PROGRAMS.map(debian).into_iter().collect::<Option<Vec<_>>>() else { return };
    names::serve();
    users::serve();
    let [ours, theirs] =
        [PROGRAMS.map(program).to_vec(), theirs].map(|programs| prelude(&programs));
    compare_preludes(&table(name), &theirs, &ours, AT_ONCE);
}

/// What every case begins with: the paths of the programs are the same for both.
fn prelude(programs: &[PathBuf]) -> String {
    let talk = PathBuf::from(env!("CARGO_BIN_EXE_talk"));
    let linked = programs.iter().chain([&talk]).map(|path| format!("'{}' ", path.display()));
    let linked: String = linked.collect();
    let common = fs::read_to_string(place().join("prelude.sh")).expect("the prelude");
    format!("ln -s {linked} \"${{PATH%%:*}}\"\n{common}")
}

#[test]
fn rules() {
    tests::alone!();
    agree("rules");
}

#[test]
fn look_ups() {
    tests::alone!();
    agree("lookups");
}

#[test]
fn options() {
    tests::alone!();
    agree("options");
}

#[test]
fn accounts() {
    if !is_root() {
        skip!("only root can change its ids");
    }
    tests::alone!();
    agree("accounts");
}

#[test]
fn what_hosts_say_of_their_users() {
    tests::alone!();
    agree("users");
}

#[test]
fn every_difference_is_listed_and_there_are_190_cases_at_least() {
    let tables = TABLES.map(table);
    assert_listed(&tables);
    let all: usize = tables.iter().map(|table| table.cases().len()).sum();
    assert!(all >= 190, "only {all}");
}
