//! Logging: multilog beside Debian's, s6-log and cat, in bulk, line by line and at a steady pace; tai64n and tai64nlocal in bulk;
//! what a line costs splogger. `LOGGING_MB` is how many megabytes a bulk run has, 256 unless set; all else is in proportion.
//! `LOGGING_PARTS` names what is to be measured of it: `bulk,lines`.

mod bulk;
mod lines;
mod logger;
mod memory;
mod paced;
mod speed;
mod stamps;
mod syslog;
mod text;

use crate::measure::{Goal, InTurn, Row, Table, middle, middle_of};

use logger::Logger;

const ROUNDS: usize = 5;

/// A part's name, and what measures it.
type Part = (&'static str, fn(&mut Table, Sizes, &str) -> Result<(), String>);

const PARTS: [Part; 6] = [
    ("bulk", bulk::measure),
    ("lines", lines::measure),
    ("paced", paced::measure),
    ("memory", memory::measure),
    ("stamps", stamps::measure),
    ("syslog", syslog::measure),
];

/// How much is logged.
#[derive(Clone, Copy)]
struct Sizes {
    /// Bytes in bulk.
    bulk: usize,
    /// Lines that come one by one.
    lines: usize,
    /// Lines at a steady pace: one each millisecond.
    paced: usize,
    /// Bytes of the line that is long.
    long: usize,
}

impl Sizes {
    fn read() -> Result<Sizes, String> {
        let megabytes = match std::env::var("LOGGING_MB") {
            Err(_) => 256,
            Ok(text) => match text.parse::<usize>() {
                Ok(number) if (1..=10_000).contains(&number) => number,
                _ => return Err("LOGGING_MB is a number from 1 to 10000".to_owned()),
            },
        };
        Ok(Sizes {
            bulk: megabytes * 1_000_000,
            lines: megabytes * 1000,
            paced: megabytes * 20,
            long: (megabytes * 1_000_000).min(100_000_000),
        })
    }
}

pub(crate) fn measure(table: &mut Table) -> Result<(), String> {
    let sizes = Sizes::read()?;
    let asked = std::env::var("LOGGING_PARTS").ok();
    let asked: Option<Vec<&str>> = asked.as_ref().map(|parts| parts.split(',').collect());
    if let Some(unknown) = asked.iter().flatten().find(|part| PARTS.iter().all(|(p, _)| p != *part))
    {
        return Err(format!("LOGGING_PARTS has no {unknown}"));
    }
    let text = text::lines();
    for (name, part) in PARTS {
        if asked.as_ref().is_none_or(|parts| parts.contains(&name)) {
            part(table, sizes, &text)?;
        }
    }
    Ok(())
}

/// Those that are installed. Says what isn't.
fn there(table: &mut Table, loggers: &[Logger]) -> Vec<Logger> {
    let mut found = Vec::new();
    for logger in loggers {
        match logger.installed() {
            Ok(()) => found.push(*logger),
            Err(why) => table.skip(logger.name(), &why),
        }
    }
    found
}

/// One figure of each run, as the table has it.
struct Column<F> {
    unit: &'static str,
    /// Against Debian's multilog; the others are there for comparison.
    goal: Goal,
    pick: fn(&F) -> f64,
}

/// A row for each logger but ours, which is the first, and each column.
fn report<F>(
    table: &mut Table,
    what: &str,
    columns: &[Column<F>],
    loggers: &[Logger],
    figures: &InTurn<F>,
) {
    for (logger, theirs) in loggers.iter().skip(1).zip(&figures.others) {
        for Column { unit, goal, pick } in columns {
            let what = format!("{what}: {}", logger.name());
            let (ours, other) = (middle(&figures.ours, pick), middle_of(theirs, pick));
            let goal = if *logger == Logger::Multilog { *goal } else { Goal::None };
            table.add(&Row { what, unit, ours, other, goal });
        }
    }
}
