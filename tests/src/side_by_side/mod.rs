//! The same case against our programs and Debian's: what each of them says, how it ends, what it leaves behind, and what the
//! programs that it runs inherit.
//!
//! Cases stand in tables, `tests/side_by_side/*.cases`: see [`Table`].

mod cast;
mod diff;
mod entries;
mod files;
mod seen;
mod table;
mod variable;

use std::fmt::Write;
use std::path::Path;
use std::sync::{Condvar, Mutex};

pub use cast::{Cast, Whose};
use entries::is_entry;
pub use seen::{Aspect, Seen};
pub use table::{Case, Difference, Part, Table};

/// Runs all cases of a table with Debian's programs and with each of these casts, `at_once` of them side by side (a case that
/// waits costs nothing), and compares.
///
/// With `CASE` in the environment, only the cases whose names contain these words, and what Debian's programs show is printed.
///
/// # Panics
/// If a case differs where it doesn't say so, or doesn't differ as it says: with all such cases, each with a diff.
pub fn compare(table: &Table, prelude: &Path, casts: &[Cast], at_once: usize) {
    if !Cast::DEBIAN.is_there() {
        return;
    }
    let prelude = &*std::fs::read_to_string(prelude).expect("the prelude");
    let run = |cast| Run { prelude, cast, of: cast };
    let runs: Vec<Run<'_>> = casts.iter().copied().map(run).collect();
    compare_runs(table, run(Cast::DEBIAN), &runs, at_once);
}

/// The same for programs beyond daemontools: each of the two preludes puts one side's where cases find them. What a case finds
/// of daemontools is Debian's both times.
///
/// # Panics
/// As [`compare`].
pub fn compare_preludes(table: &Table, debians: &str, ours: &str, at_once: usize) {
    let run = |prelude, of| Run { prelude, cast: Cast::DEBIAN, of };
    compare_runs(table, run(debians, Cast::DEBIAN), &[run(ours, Cast::OURS)], at_once);
}

/// Checks that each difference that a case names is an entry of docs/DIFFERENCES.md.
///
/// # Panics
/// With those that aren't.
pub fn assert_listed<'a>(tables: impl IntoIterator<Item = &'a Table>) {
    let cases = tables.into_iter().flat_map(Table::cases);
    let differences = cases.filter_map(|case| case.difference.as_ref());
    let mut unlisted: Vec<&str> = differences
        .map(|difference| difference.entry.as_str())
        .filter(|entry| !is_entry(entry))
        .collect();
    unlisted.sort_unstable();
    unlisted.dedup();
    let unlisted = unlisted.join("\n");
    assert!(unlisted.is_empty(), "docs/DIFFERENCES.md has no entry that begins with:\n{unlisted}");
}

/// How a case is run.
#[derive(Clone, Copy)]
struct Run<'a> {
    prelude: &'a str,
    /// Whose programs of daemontools are found.
    cast: Cast,
    /// Whose run it is, as differences know it.
    of: Cast,
}

fn compare_runs(table: &Table, debians: Run<'_>, runs: &[Run<'_>], at_once: usize) {
    let places = Places::new(at_once);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let start = |case, run: Run<'_>| {
            let (places, prelude) = (&places, run.prelude.to_owned());
            // A run that doesn't end in time panics under this name.
            std::thread::Builder::new()
                .name(format!("{case}, with {}", run.of))
                .spawn_scoped(scope, move || places.with(|| Seen::of(case, &prelude, run.cast)))
                .expect("start a thread")
        };
        let start_all = |case| {
            let runs = runs.iter().map(|run| (run.of, start(case, *run))).collect::<Vec<_>>();
            (case, start(case, debians), runs)
        };
        let wanted = std::env::var("CASE").ok();
        let is_wanted =
            |case: &&Case| wanted.as_ref().is_none_or(|words| case.name.contains(words));
        let started: Vec<_> = table.cases().iter().filter(is_wanted).map(start_all).collect();
        started
            .into_iter()
            .flat_map(|(case, debians, runs)| {
                let debians = debians.join().ok();
                if let (Some(debians), true) = (&debians, std::env::var_os("CASE").is_some()) {
                    println!("{case}\n{}\n{debians}", case.indented_command());
                }
                let judged = runs.into_iter().map(move |(cast, run)| {
                    let ended = debians.as_ref().zip(run.join().ok());
                    let told = |(debians, ours)| judge(case, cast, debians, &ours);
                    ended.map_or_else(|| Some(format!("{case}\nhas not ended in time")), told)
                });
                judged.flatten().collect::<Vec<_>>()
            })
            .collect()
    });
    assert!(wrong.is_empty(), "{} of {table}:\n\n{}", wrong.len(), wrong.join("\n"));
}

/// What `wait-for` says at its deadline.
const IN_VAIN: &str = "waited in vain: ";

/// What is wrong with how a case went: `None` if it went as it should.
fn judge(case: &Case, cast: Cast, debians: &Seen, ours: &Seen) -> Option<String> {
    // It would agree with any other that waits in vain.
    if debians[Aspect::Stdout].contains(IN_VAIN) {
        return Some(format!("{case}\n{}\n  waits in vain with Debian's", case.indented_command()));
    }
    let found = debians.differs_from(ours);
    let expected = case.expected(cast);
    if found == expected {
        return None;
    }
    let mut text = format!("{case}\n{}\n", case.indented_command());
    for aspect in found.difference(&expected) {
        let lines = diff::lines(&debians[*aspect], &ours[*aspect]);
        let _ = write!(text, "  {aspect}: Debian's (-) and {cast} (+)\n{lines}");
    }
    let gone: Vec<String> = expected.difference(&found).map(ToString::to_string).collect();
    if let (false, Some(difference)) = (gone.is_empty(), &case.difference) {
        let _ = writeln!(
            text,
            "  {}: no longer differs with {cast}, though docs/DIFFERENCES.md says so: {}",
            gone.join(", "),
            difference.entry
        );
    }
    Some(text)
}

/// How many runs may go on side by side.
struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Places {
    fn new(free: usize) -> Places {
        Places { free: Mutex::new(free), freed: Condvar::new() }
    }

    fn with<T>(&self, run: impl FnOnce() -> T) -> T {
        let free = self.free.lock().expect("no holder panics");
        *self.freed.wait_while(free, |free| *free == 0).expect("no holder panics") -= 1;
        let _place = Place(self);
        run()
    }
}

/// One of the places, given back also when the run panics.
struct Place<'a>(&'a Places);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().expect("no holder panics") += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(table: &str, cast: Cast, debians: [&str; 2], ours: [&str; 2]) -> Option<String> {
        let table = Table::new("t", table);
        let seen = |[stdout, stderr]: [&str; 2]| {
            Seen::new([(Aspect::Stdout, stdout.to_owned()), (Aspect::Stderr, stderr.to_owned())])
        };
        judge(&table.cases()[0], cast, &seen(debians), &seen(ours))
    }

    const PLAIN: &str = "name\n    svok\n";
    const LISTED: &str = "name\n    svok\n    differs in stderr with our clients: svok\n";

    #[test]
    fn what_agrees_and_what_differs_as_it_says_is_right() {
        assert_eq!(judged(PLAIN, Cast::OURS, ["a", "b"], ["a", "b"]), None);
        assert_eq!(judged(LISTED, Cast::OURS, ["a", "b"], ["a", "c"]), None);
        assert_eq!(judged(LISTED, Cast::PAIRINGS[1], ["a", "b"], ["a", "b"]), None);
    }

    #[test]
    fn what_differs_otherwise_is_shown() {
        let text = judged(LISTED, Cast::OURS, ["a\n", "b"], ["x\n", "c"]).expect("a complaint");
        assert_eq!(
            text,
            "t:1: name\n    svok\n  stdout: Debian's (-) and ours (+)\n    - a\n    + x\n"
        );
    }

    #[test]
    fn a_difference_that_goes_away_is_told() {
        let text = judged(LISTED, Cast::OURS, ["a", "b"], ["a", "b"]).expect("a complaint");
        assert!(text.contains("stderr: no longer differs with ours"), "{text}");
    }
}
