//! What it takes to run a program through the tools of a chain.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::measure::{Goal, Row, Table, alternate};
use crate::place::{Scratch, debian_has, is_root, own, programs};

const ROUNDS: usize = 41;
const BATCH: u32 = 30;

pub(crate) fn measure(table: &mut Table) -> Result<(), String> {
    let scratch = Scratch::new("chain")?;
    let nothing = own("bench-nothing")?;
    let variables = scratch.path().join("env");
    std::fs::create_dir(&variables).map_err(|e| format!("unable to make a directory: {e}"))?;
    std::fs::write(variables.join("COLOUR"), "red\n")
        .map_err(|e| format!("unable to write: {e}"))?;

    let other = Err("it ends the chains below, and is not counted there".to_owned());
    let (floor, other) = alternate(ROUNDS, |_| time(std::slice::from_ref(&nothing)), other)?;
    let what = "exec of an empty program".to_owned();
    table.add(&Row { what, unit: "us", ours: floor, other, goal: Goal::None });

    let softlimit: &[&str] = &["softlimit", "-o", "100"];
    let setuidgid: &[&str] = &["setuidgid", "root"];
    let variables = variables.display().to_string();
    let envdir: &[&str] = &["envdir", &variables];
    let lock = scratch.path().join("lock").display().to_string();
    let alone = Goal::RatioAtMost(0.3);
    let free: [&[&str]; 5] =
        [softlimit, envdir, &["envuidgid", "root"], &["setlock", &lock], &["pgrphack"]];
    for tool in free {
        compare(table, &format!("exec of {}", tool[0]), &[tool], End::Free(&nothing), alone)?;
    }
    if !is_root() {
        table.skip("exec of setuidgid; the chain of three", "needs root");
        return Ok(());
    }
    compare(table, "exec of setuidgid", &[setuidgid], End::Free(&nothing), alone)?;
    let three = [softlimit, setuidgid, envdir];
    let goal = Goal::RatioAtMost(0.25);
    compare(table, "softlimit setuidgid envdir", &three, End::Free(&nothing), goal)?;
    let chpst: &[&str] = &["chpst", "-o", "100", "-u", "root", "-e", &variables];
    let what = "softlimit setuidgid envdir: one chpst of runit";
    let pair = [&three[..], &[chpst]];
    beside(table, what, pair, End::Free(&nothing), Goal::RatioAtMost(1.0))?;
    // No goal where /bin/true counts as a link: that dynamic C program alone takes longer than three
    // of ours, whichever tools run it.
    let end = Path::new("/bin/true");
    let what = "softlimit setuidgid envdir /bin/true";
    compare(table, what, &three, End::Counted(end), Goal::None)?;
    let other = Err("of which that is /bin/true alone".to_owned());
    let (alone, other) = alternate(ROUNDS, |_| time(&[end.to_owned()]), other)?;
    table.add(&Row {
        what: "exec of /bin/true".into(),
        unit: "us",
        ours: alone,
        other,
        goal: Goal::None,
    });
    Ok(())
}

/// What a chain ends in: a program whose own cost is taken off, or one that counts as a link of the chain.
#[derive(Clone, Copy)]
enum End<'a> {
    Free(&'a Path),
    Counted(&'a Path),
}

/// Measures the same chain of both.
fn compare(
    table: &mut Table,
    what: &str,
    chain: &[&[&str]],
    end: End<'_>,
    goal: Goal,
) -> Result<(), String> {
    beside(table, what, [chain, chain], end, goal)
}

/// Measures a chain of ours beside one of Debian's. What the end costs is measured right before each, so that both meet the
/// same machine.
fn beside(
    table: &mut Table,
    what: &str,
    chains: [&[&[&str]]; 2],
    end: End<'_>,
    goal: Goal,
) -> Result<(), String> {
    let names: Vec<&str> = chains[1].iter().map(|tool| tool[0]).collect();
    let installed = debian_has(&names);
    let one = |whose| {
        let mut words: Vec<PathBuf> = Vec::new();
        for tool in chains[whose as usize] {
            words.push(programs(whose).join(tool[0]));
            words.extend(tool[1..].iter().map(PathBuf::from));
        }
        let (end, floor) = match end {
            End::Free(end) => (end, time(&[end.to_owned()])?),
            End::Counted(end) => (end, 0.0),
        };
        words.push(end.to_owned());
        Ok(time(&words)? - floor)
    };
    let (ours, other) = alternate(ROUNDS, one, installed)?;
    table.add(&Row { what: what.to_owned(), unit: "us", ours, other, goal });
    Ok(())
}

/// Microseconds to run this once, of a batch.
fn time(words: &[PathBuf]) -> Result<f64, String> {
    let (program, args) = words.split_first().ok_or("nothing to run")?;
    let start = Instant::now();
    for _ in 0..BATCH {
        let status = Command::new(program).args(args).status();
        if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
            return Err(format!("{words:?}: {status:?}"));
        }
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / f64::from(BATCH))
}
