//! `svstat DIRECTORY...`: what services do, on standard output, what is wrong with them included.

mod doing;
mod follow;
mod json;
mod logger;
mod long;
mod order;
mod report;
mod screen;

use crate::text::{self, Words};
use crate::visit::Start;
use crate::writer::Writer;
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use order::{Form, Order, Which};
use report::{Logger, Process, Report, When};
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
        append(&mut lines, &read(&start, &order, directory, env)?, &order);
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

fn read(
    start: &Start,
    order: &Order,
    directory: &'static CStr,
    env: Env,
) -> Result<Report, Failure> {
    start.visit(directory, |entered| Report::read(directory.to_bytes(), entered, env, order))
}

/// Appends all that is to be told of a service.
fn append(lines: &mut Vec<u8>, report: &Report, order: &Order) {
    match order.form {
        Form::Plain(words) => plain(lines, report, words, order.which),
        Form::Long => long::append(lines, report, order.which),
        Form::Json => json::append(lines, report, order.which),
    }
}

/// The lines of 0.76 and of daemontools-encore.
fn plain(lines: &mut Vec<u8>, report: &Report, words: Words, which: Which) {
    let begin = |lines: &mut Vec<u8>, between: &[u8]| {
        lines.extend_from_slice(report.name);
        lines.extend_from_slice(between);
    };
    let service = match &report.seen {
        Ok(service) => service,
        Err(problem) => {
            begin(lines, b": ");
            problem.describe(lines);
            return lines.push(b'\n');
        }
    };
    let tell = |lines: &mut Vec<u8>, between: &[u8], process: &Process| {
        begin(lines, between);
        describe(lines, process, report.when, words);
    };
    let log_follows = matches!(report.logger, Logger::Script(_)) && words == Words::Encore;
    if which != Which::Log {
        tell(lines, b": ", service);
        if which == Which::Both && !log_follows {
            logger::remark(lines, service, &report.logger);
        }
        lines.push(b'\n');
    }
    match &report.logger {
        Logger::Script(log) if log_follows && which != Which::Service => {
            tell(lines, b" log: ", log);
            lines.push(b'\n');
        }
        Logger::None | Logger::Directory(_) if which == Which::Log => {
            begin(lines, b": no log service\n");
        }
        Logger::None | Logger::Script(_) | Logger::Directory(_) => {}
    }
}

/// Appends what there is to be said of a process in a line, what it says itself at the end.
fn describe(lines: &mut Vec<u8>, process: &Process, now: When, words: Words) {
    text::describe(lines, &process.status, process.normally_up, now.label, words);
    if let Writer::Pausing(why) = process.writer {
        lines.extend_from_slice(b", pausing: ");
        lines.extend_from_slice(why.text());
    }
}
