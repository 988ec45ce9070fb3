//! The same case with our programs and with Debian's package ucspi-tcp.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tests::side_by_side::{Aspect, Case, Cast, Seen, Table};
use tests::{debian, program, workspace};

/// The programs that cases run.
const PROGRAMS: [&str; 16] = [
    "tcprules",
    "tcprulescheck",
    "argv0",
    "recordio",
    "rblsmtpd",
    "fixcrio",
    "addcr",
    "delcr",
    "tcpclient",
    "mconnect",
    "mconnect-io",
    "tcpcat",
    "who@",
    "date@",
    "finger@",
    "http@",
];

/// So many cases at once: some mostly wait.
const AT_ONCE: usize = 6;

/// Reads a table.
pub(crate) fn table(name: &str) -> Table {
    Table::read(&place(), name)
}

fn place() -> PathBuf {
    workspace().join("tests/tests/ucspi")
}

/// Runs all cases of a table with both and compares.
///
/// # Panics
/// If a case differs where it doesn't say so, or doesn't differ as it says.
pub(crate) fn agree(name: &str) {
    let Some(theirs) = PROGRAMS.map(debian).into_iter().collect::<Option<Vec<_>>>() else { return };
    let table = table(name);
    let (ours, theirs) = (prelude(&PROGRAMS.map(program)), prelude(&theirs));
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(case) = table.cases().get(next.fetch_add(1, Ordering::Relaxed)) {
                    // The cast only tells whose programs of daemontools are there.
                    let [ours, theirs] =
                        [&ours, &theirs].map(|prelude| Seen::of(case, prelude, Cast::DEBIAN));
                    let mut wrong = wrong.lock().expect("no holder panics");
                    wrong.extend(judge(case, &ours, &theirs));
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no holder panics");
    assert!(wrong.is_empty(), "{} of {table}:\n\n{}", wrong.len(), wrong.join("\n"));
}

/// What every case begins with: these programs are linked into the first directory of PATH, so that the paths, too, are the
/// same for both.
fn prelude(programs: &[PathBuf]) -> String {
    let link = |(name, path): (&&str, &PathBuf)| {
        format!("ln -s '{}' \"${{PATH%%:*}}/{name}\"\n", path.display())
    };
    let links = PROGRAMS.iter().zip(programs).map(link).collect::<String>();
    let common = fs::read_to_string(place().join("prelude.sh")).expect("the prelude");
    format!("{links}{common}")
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
