//! The same case with our tcpserver and with Debian's.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::side_by_side::{Aspect, Case, Cast, Seen, Table, is_entry};
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
    let table = table(name);
    let (ours, theirs) = (prelude(&PROGRAMS.map(program)), prelude(&theirs));
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = table.cases().get(next.fetch_add(1, Ordering::Relaxed)) {
                    let [ours, theirs] =
                        [&ours, &theirs].map(|prelude| Seen::of(case, prelude, Cast::DEBIAN));
                    if std::env::var_os("SHOW").is_some() {
                        println!("{case}\n    {}\n{theirs}", case.command);
                    }
                    wrong.lock().expect("no holder panics").extend(judge(case, &ours, &theirs));
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no holder panics");
    assert!(wrong.is_empty(), "{} of {table}:\n\n{}", wrong.len(), wrong.join("\n"));
}

/// What every case begins with: the paths of the programs are the same for both.
fn prelude(programs: &[PathBuf]) -> String {
    let talk = PathBuf::from(env!("CARGO_BIN_EXE_talk"));
    let linked = programs.iter().chain([&talk]).map(|path| format!("'{}' ", path.display()));
    let linked: String = linked.collect();
    let common = fs::read_to_string(place().join("prelude.sh")).expect("the prelude");
    format!("ln -s {linked} \"${{PATH%%:*}}\"\n{common}")
}

/// What is wrong with how a case went: `None` if it went as it should.
fn judge(case: &Case, ours: &Seen, theirs: &Seen) -> Option<String> {
    let found = theirs.differs_from(ours);
    let none = BTreeSet::new();
    let expected = case.difference.as_ref().map_or(&none, |difference| &difference.aspects);
    if found == *expected {
        return None;
    }
    let mut text = format!("{case}\n    {}\n", case.command);
    for aspect in found.difference(expected) {
        let told =
            |seen: &Seen, aspect: Aspect| seen[aspect].chars().take(4000).collect::<String>();
        let (ours, theirs) = (told(ours, *aspect), told(theirs, *aspect));
        let _ = writeln!(text, "  {aspect}, Debian's:\n{theirs}\n  {aspect}, ours:\n{ours}");
    }
    for aspect in expected.difference(&found) {
        let _ = writeln!(text, "  {aspect}: no longer differs");
    }
    Some(text)
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
    let cases = || tables.iter().flat_map(Table::cases);
    for difference in cases().filter_map(|case| case.difference.as_ref()) {
        let entry = &difference.entry;
        assert!(is_entry(entry), "docs/DIFFERENCES.md has no entry that begins with {entry}");
    }
    assert!(cases().count() >= 190, "only {}", cases().count());
}
