//! multilog: appends what a service says to logs, which rotate by themselves.

mod alert;
mod descriptors;
mod directory;
mod disk;
pub(crate) mod finished;
mod keeper;
pub(crate) mod line;
mod log;
mod notice;
mod opening;
mod patience;
pub(crate) mod pattern;
mod processor;
pub(crate) mod script;
pub(crate) mod stamp;
mod status;
mod steps;
pub(crate) mod wildcard;

use crate::input::{Input, watch};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use directory::Directory;
use line::{Lines, Sink};
use log::Log;
use notice::Notice;
use pattern::Pattern;
use processor::Surroundings;
use script::{Action, Script};
use stamp::Stamps;
use status::Status;
use sys::clock::realtime;
use sys::fs::Mode;
use sys::signal::Signal;
use sys::{Args, Env, Errno};

const NAME: Name = Name("multilog");

/// Read at once. What was read is written before the next read.
const READ: usize = 64 * 1024;

/// `multilog SCRIPT`: reads lines from standard input and carries out the script's actions on each,
/// until the end of the input or TERM. ALRM rotates all logs that aren't empty.
///
/// What it can't write to disk it tries to write again, for ever: no line is lost. After TERM, the
/// line in hand is read to its end, and the rest of the pipe is left to a successor.
///
/// # Errors
/// A log or a status file that can't be opened, a log that is kept already: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let notice = Notice::new(args, env);
    descriptors::occupy();
    sys::process::umask(Mode::WGRP | Mode::WOTH);
    let Script { stamp, actions } = script::read(args);
    let mask = watch(&[Signal::TERM, Signal::ALARM]);
    let surroundings = Surroundings { env, mask, notice };
    let mut works = Works::prepare(&actions, surroundings)?;
    let Some(stdin) = sys::borrow(0) else { return Ok(works.close(Exit::OK)) };
    let mut lines = Lines::new(stamp.map(|form| Stamps::new(form, env)));
    let exit = relay(&mut Input::new(stdin, mask), &mut lines, &mut works);
    Ok(works.close(exit))
}

/// Reads lines until there are no more, or no more are wanted.
fn relay(input: &mut Input, lines: &mut Lines, works: &mut Works) -> Exit {
    let mut buffer: Vec<u8> = Vec::with_capacity(READ);
    let mut is_last = false;
    loop {
        if is_last && !lines.is_in_line() {
            return Exit::OK;
        }
        let signals = input.wait();
        if signals.contains(Signal::ALARM) {
            works.rotate();
        }
        if signals.contains(Signal::TERM) {
            input.end_with_this_line();
            is_last = true;
        }
        if !signals.is_empty() {
            continue;
        }
        match input.read(buffer.spare_capacity_mut()) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Ok([]) => {
                lines.finish(works);
                return Exit::OK;
            }
            Ok(read) => {
                lines.feed(read, realtime, works);
                works.flush();
            }
            Err(errno) => {
                lines.finish(works);
                return unreadable(errno);
            }
        }
    }
}

/// Input that can't be read ends it. A descriptor that isn't open is an end like any other, as for
/// the original.
fn unreadable(errno: Errno) -> Exit {
    if errno == Errno::BADF {
        return Exit::OK;
    }
    NAME.warn_errno(&[b"unable to read standard input"], errno);
    Exit::TEMPORARY
}

/// An action, ready to be carried out.
enum Work {
    Choose { select: bool, pattern: Pattern },
    Alert,
    Status(Status),
    Log(Log<Directory>),
}

/// The script, ready to be carried out on each line.
struct Works(Vec<Work>);

impl Works {
    /// Opens what is needed: all status files first, then the logs, as the original does.
    fn prepare(actions: &[Action], surroundings: Surroundings) -> Result<Self, Failure> {
        let mut statuses = VecDeque::new();
        for action in actions {
            if let Action::Status(path) = action {
                statuses.push_back(Status::open(path, surroundings.notice).map_err(|errno| {
                    let parts: [&[u8]; 2] = [b"unable to create ", path.to_bytes()];
                    NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
                })?);
            }
        }
        status::note_shared(statuses.make_contiguous());
        let mut works = Vec::new();
        for action in actions {
            works.extend(match *action {
                Action::Choose { select, pattern } => Some(Work::Choose { select, pattern }),
                Action::Alert => Some(Work::Alert),
                Action::Status(_) => statuses.pop_front().map(Work::Status),
                Action::Log(settings) => Some(Work::Log(opening::open(settings, surroundings)?)),
            });
        }
        Ok(Self(works))
    }

    fn logs(&mut self) -> impl Iterator<Item = &mut Log<Directory>> {
        self.0.iter_mut().filter_map(|work| match work {
            Work::Log(log) => Some(log),
            Work::Choose { .. } | Work::Alert | Work::Status(_) => None,
        })
    }

    /// Writes all that the lines so far have left behind.
    fn flush(&mut self) {
        for work in &mut self.0 {
            match work {
                Work::Log(log) => log.flush(),
                Work::Status(status) => status.flush(),
                Work::Choose { .. } | Work::Alert => {}
            }
        }
    }

    fn rotate(&mut self) {
        self.logs().for_each(Log::rotate_now);
    }

    fn close(&mut self, exit: Exit) -> Exit {
        self.flush();
        self.logs().for_each(Log::close);
        exit
    }
}

impl Sink for Works {
    fn begin(&mut self, bytes: &[u8], seen: usize) {
        let text = &bytes[..seen];
        let mut selected = true;
        for work in &mut self.0 {
            match work {
                Work::Choose { select, pattern } => {
                    if selected != *select && pattern.matches(text) {
                        selected = *select;
                    }
                }
                Work::Alert if selected => alert::say(text),
                Work::Status(status) if selected => status.set(text),
                Work::Log(log) => {
                    log.takes_line = selected;
                    if selected {
                        log.append(bytes);
                    }
                }
                Work::Alert | Work::Status(_) => {}
            }
        }
    }

    fn more(&mut self, bytes: &[u8]) {
        for log in self.logs().filter(|log| log.takes_line) {
            log.append(bytes);
        }
    }

    fn takes_all(&self) -> bool {
        self.0.iter().all(|work| matches!(work, Work::Log(_)))
    }

    fn all(&mut self, lines: &[u8]) {
        self.logs().for_each(|log| log.append(lines));
    }
}
