//! Lines one by one: a write(2) for each, one after the other.

use std::time::Instant;

use super::logger::{Logger, Pipe, Script};
use super::speed::{Speed, columns};
use super::{ROUNDS, Sizes, report, text, there};
use crate::measure::{Goal, Table, in_turn};
use crate::place::Scratch;

/// Into a pipe as any other, where a slow reader finds many lines at once, and into one that keeps them apart (`O_DIRECT`), so that
/// each read has one line, however slow the reader is. The former is bounded by what the writer can do, the latter by the system calls:
/// cat has two for each line.
pub(super) fn measure(table: &mut Table, sizes: Sizes, text: &str) -> Result<(), String> {
    let scratch = Scratch::new("logging-lines")?;
    let ranges = text::ranges(text);
    let goal = Goal::RatioAtLeast(1.8);
    for (what, pipe, goal) in
        [("line by line", Pipe::Bytes, goal), ("a line in each read", Pipe::Packets, Goal::None)]
    {
        for (kind, stamped) in [("plain", false), ("t", true)] {
            let script = Script { stamped, errors: false, large: true };
            let loggers = there(table, &Logger::ALL);
            let figures = in_turn(ROUNDS, &loggers, |logger, _| {
                let mut started = logger.start(script, pipe, &scratch.path().join("run"))?;
                let start = Instant::now();
                for range in ranges.iter().cycle().take(sizes.lines) {
                    started.write(&text.as_bytes()[range.clone()])?;
                }
                let processor = started.end()?;
                let lines = sizes.lines as f64;
                let rate = lines / start.elapsed().as_secs_f64();
                Ok(Speed { rate, processor: processor * 1e6 / lines })
            })?;
            let columns = columns(["lines/s", "us CPU"], goal);
            report(table, &format!("{what}, {kind}"), &columns, &loggers, &figures);
        }
    }
    Ok(())
}
