//! The most memory that a logger had: in a flood, and with one line that doesn't end.

use std::time::Instant;

use super::logger::{Logger, Pipe, Script};
use super::{Column, Sizes, report, there};
use crate::measure::{Goal, Table, in_turn};
use crate::place::Scratch;

const ROUNDS: usize = 3;

/// What a run gave.
struct Figures {
    /// Megabytes a second.
    rate: f64,
    /// KiB.
    peak: f64,
}

pub(super) fn measure(table: &mut Table, sizes: Sizes, text: &str) -> Result<(), String> {
    let scratch = Scratch::new("logging-memory")?;
    let endless = vec![b'x'; 64 * 1024];
    let long = format!("one line of {} MB", sizes.long / 1_000_000);
    for (what, source, bytes) in
        [("bulk", text.as_bytes(), sizes.bulk), (&*long, &endless, sizes.long)]
    {
        let script = Script { stamped: true, errors: false, large: true };
        let loggers = there(table, &[Logger::Ours, Logger::Multilog, Logger::S6]);
        let figures = in_turn(ROUNDS, &loggers, |logger, _| {
            let mut started = logger.start(script, Pipe::Bytes, &scratch.path().join("run"))?;
            let start = Instant::now();
            let mut left = bytes;
            while left > 0 {
                let piece = &source[..source.len().min(left)];
                started.write(piece)?;
                left -= piece.len();
            }
            started.settle()?;
            let rate = bytes as f64 / 1e6 / start.elapsed().as_secs_f64();
            let peak = started.peak()?;
            started.end()?;
            Ok(Figures { rate, peak })
        })?;
        let memory = Column {
            unit: "KiB at most",
            goal: Goal::RatioAtMost(1.0),
            pick: |figures: &Figures| figures.peak,
        };
        let rate =
            Column { unit: "MB/s", goal: Goal::None, pick: |figures: &Figures| figures.rate };
        report(table, &format!("memory, {what}"), &[memory, rate], &loggers, &figures);
    }
    Ok(())
}
