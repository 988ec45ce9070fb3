//! The same case with our programs and with Debian's package ucspi-tcp.

use std::fs;
use std::path::PathBuf;

use tests::side_by_side::{Table, compare_preludes};
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
    let [ours, theirs] =
        [PROGRAMS.map(program).to_vec(), theirs].map(|programs| prelude(&programs));
    compare_preludes(&table(name), &theirs, &ours, AT_ONCE);
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
