//! A thousand lines a second, as a service that has something to do: what each costs, and how soon it is in the file.

use std::fs::File;
use std::time::{Duration, Instant};

use super::logger::{Logger, Pipe, Script};
use super::{Column, ROUNDS, Sizes, report, text, there};
use crate::measure::{Goal, Table, in_turn, median};
use crate::place::Scratch;

/// From one line to the next.
const PACE: Duration = Duration::from_millis(1);

/// A line that isn't there by then is lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a run gave, in microseconds.
struct Figures {
    processor: f64,
    middle: f64,
    late: f64,
}

pub(super) fn measure(table: &mut Table, sizes: Sizes, text: &str) -> Result<(), String> {
    let lines = sizes.paced;
    let scratch = Scratch::new("logging-paced")?;
    let ranges = text::ranges(text);
    let columns = [
        Column {
            unit: "us CPU",
            goal: Goal::RatioAtMost(1.0),
            pick: |figures: &Figures| figures.processor,
        },
        Column { unit: "us p50", goal: Goal::None, pick: |figures| figures.middle },
        Column { unit: "us p99", goal: Goal::None, pick: |figures| figures.late },
    ];
    for (what, stamped) in [("plain", false), ("t", true)] {
        let script = Script { stamped, errors: false, large: true };
        let loggers = there(table, &Logger::ALL);
        let figures = in_turn(ROUNDS, &loggers, |logger, _| {
            let mut started = logger.start(script, Pipe::Bytes, &scratch.path().join("run"))?;
            let file = File::open(&started.file).map_err(|e| format!("unable to open: {e}"))?;
            let size = || file.metadata().map(|metadata| metadata.len());
            let size = || size().map_err(|e| format!("unable to look at a log: {e}"));
            let before = started.processor_time();
            let begin = Instant::now();
            let mut latencies = Vec::with_capacity(lines);
            for (range, number) in ranges.iter().cycle().zip(0..lines) {
                let due = begin + PACE * u32::try_from(number).unwrap_or(u32::MAX);
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                let had = size()?;
                let written = Instant::now();
                started.write(&text.as_bytes()[range.clone()])?;
                // A line is written as a whole.
                while size()? == had {
                    if written.elapsed() > PATIENCE {
                        return Err("a line isn't in the file".to_owned());
                    }
                }
                latencies.push(written.elapsed().as_secs_f64() * 1e6);
            }
            started.settle()?;
            let processor = (started.processor_time() - before) * 1e6 / lines as f64;
            started.end()?;
            latencies.sort_by(f64::total_cmp);
            let late = latencies.get(latencies.len() * 99 / 100).copied().unwrap_or(f64::NAN);
            Ok(Figures { processor, middle: median(latencies), late })
        })?;
        let what = format!("a line each ms, {what}");
        report(table, &what, &columns, &loggers, &figures);
    }
    Ok(())
}
