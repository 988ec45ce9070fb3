//! Lines as fast as they can be had, in large writes.

use std::path::Path;
use std::time::Instant;

use super::logger::{Logger, Pipe, Script};
use super::speed::{Speed, columns};
use super::{ROUNDS, Sizes, report, there};
use crate::measure::{Goal, Table, in_turn};
use crate::place::Scratch;

/// The writer gives away so much at once.
const PIECE: usize = 64 * 1024;

/// Ratios to Debian's multilog: each kind of script, in memory and on disk. Without `s`, each 100 kB that are finished are synced:
/// on a disk, that is what is measured, and no goal.
pub(super) fn measure(table: &mut Table, sizes: Sizes, text: &str) -> Result<(), String> {
    let plain = Script { stamped: false, errors: false, large: false };
    let stamped = Script { stamped: true, ..plain };
    let errors = Script { errors: true, ..plain };
    let stamped_errors = Script { stamped: true, ..errors };
    let large = |script| Script { large: true, ..script };
    let (memory, disk) = (Scratch::new("logging")?, Scratch::on_disk("logging")?);
    let (four, three) = (Goal::RatioAtLeast(4.0), Goal::RatioAtLeast(3.0));
    for (what, script, scratch, goal) in [
        ("in memory", plain, &memory, four),
        ("in memory, t", stamped, &memory, four),
        ("in memory, '-*' '+*error*'", errors, &memory, three),
        ("in memory, t '-*' '+*error*'", stamped_errors, &memory, Goal::None),
        ("on disk, s16777215 n5", large(plain), &disk, four),
        ("on disk, t s16777215 n5", large(stamped), &disk, four),
        ("on disk, t", stamped, &disk, Goal::None),
    ] {
        let loggers = there(table, &contenders(script));
        let figures = in_turn(ROUNDS, &loggers, |logger, _| {
            flush(scratch.path());
            let mut started = logger.start(script, Pipe::Bytes, &scratch.path().join("run"))?;
            let start = Instant::now();
            let mut left = sizes.bulk;
            for piece in text.as_bytes().chunks(PIECE).cycle() {
                let piece = &piece[..piece.len().min(left)];
                started.write(piece)?;
                left -= piece.len();
                if left == 0 {
                    break;
                }
            }
            let processor = started.end()?;
            let megabytes = sizes.bulk as f64 / 1e6;
            let rate = megabytes / start.elapsed().as_secs_f64();
            Ok(Speed { rate, processor: processor * 1e6 / megabytes })
        })?;
        let columns = columns(["MB/s", "us CPU/MB"], goal);
        report(table, &format!("bulk {what}"), &columns, &loggers, &figures);
    }
    Ok(())
}

/// cat has no part in patterns: it is the same figure as without.
fn contenders(script: Script) -> Vec<Logger> {
    let takes_part = |logger: &Logger| *logger != Logger::Cat || !script.errors;
    Logger::ALL.into_iter().filter(takes_part).collect()
}

/// So that nobody's run meets what another's has left to write.
fn flush(directory: &Path) {
    let _ = std::process::Command::new("sync").arg("-f").arg(directory).status();
}
