//! `svstat DIRECTORY...`: what services do, on standard output, what is wrong with them included.

mod doing;
mod follow;
mod json;
mod long;
mod order;
mod report;

use crate::look::{Problem, Sight, look};
use crate::text::{self, Words};
use crate::visit::Start;
use alloc::vec::Vec;
use common::tai64n::Label;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use order::{Form, Order, Which};
use report::{Report, When};
use supervise::place::Place;
use sys::{Args, Env, Errno};

const NAME: Name = Name("svstat");

/// Exit code 0, whatever the directories are like; 100 for wrong options; 111 when the working
/// directory can't be opened or come back to, or the lines can't be written.
///
/// # Errors
/// As above.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let (order, directories) = order::read(args).map_err(|wrong| wrong.failure(NAME))?;
    let start = Start::here(NAME)?;
    if let Some(every) = order.watch {
        return follow::run(&start, &order, every, directories, env);
    }
    let mut lines = Vec::new();
    for directory in directories.iter() {
        read(&start, &order, directory, env)?.append(&mut lines, directory.to_bytes(), &order);
    }
    match write(&lines) {
        Err(errno) if !lines.is_empty() => {
            Err(NAME.fatal_errno(111, &[b"unable to write output"], errno))
        }
        Ok(()) | Err(_) => Ok(Exit::OK),
    }
}

fn write(lines: &[u8]) -> Result<(), Errno> {
    sys::borrow(1).ok_or(Errno::BADF).and_then(|out| sys::write_all(out, lines))
}

/// What was read of a directory, for the form that it is told in.
enum Known {
    Line(Result<Sight, Problem>, Label),
    Report(Report),
}

fn read(start: &Start, order: &Order, directory: &CStr, env: Env) -> Result<Known, Failure> {
    let mut known = None;
    start.visit(directory, |entered| {
        known = Some(match order.form {
            Form::Plain(_) => {
                let seen = entered.map_err(Problem::Enter);
                let place = seen.and_then(|()| Place::here(env).map_err(Problem::Path));
                Known::Line(place.and_then(|place| look(&place)), Label::now())
            }
            Form::Long | Form::Json => {
                Known::Report(Report::read(directory.to_bytes(), entered, env))
            }
        });
    })?;
    Ok(known.unwrap_or(Known::Line(Err(Problem::NotRunning), Label::now())))
}

impl Known {
    /// Appends all that is to be told.
    fn append(&self, lines: &mut Vec<u8>, name: &[u8], order: &Order) {
        match (self, order.form) {
            (Self::Line(seen, now), Form::Plain(words)) => {
                plain(lines, name, seen, *now, words, order.which);
            }
            (Self::Report(report), Form::Json) => json::append(lines, report, order.which),
            (Self::Report(report), _) => long::append(lines, report, order.which),
            (Self::Line(..), _) => {}
        }
    }

    /// The same, told at another moment.
    fn at(&mut self, when: When) {
        match self {
            Self::Line(_, now) => *now = when.label,
            Self::Report(report) => report.when = when,
        }
    }
}

/// The lines of 0.76 and of daemontools-encore.
fn plain(
    lines: &mut Vec<u8>,
    name: &[u8],
    seen: &Result<Sight, Problem>,
    now: Label,
    words: Words,
    which: Which,
) {
    let begin = |lines: &mut Vec<u8>, between: &[u8]| {
        lines.extend_from_slice(name);
        lines.extend_from_slice(between);
    };
    let sight = match seen {
        Ok(sight) => sight,
        Err(problem) => {
            begin(lines, b": ");
            problem.describe(lines);
            return lines.push(b'\n');
        }
    };
    let mut tell = |between: &[u8], status| {
        begin(lines, between);
        text::describe(lines, status, sight.normally_up, now, words);
        lines.push(b'\n');
    };
    if which != Which::Log {
        tell(b": ", &sight.statuses.service);
    }
    match &sight.statuses.log {
        Some(log) if words == Words::Encore && which != Which::Service => tell(b" log: ", log),
        None if which == Which::Log => begin(lines, b": no log service\n"),
        Some(_) | None => {}
    }
}
