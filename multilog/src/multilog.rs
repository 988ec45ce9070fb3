//! multilog: appends what a service says to logs, which rotate by themselves.

mod alert;
mod archive;
pub(crate) mod compression;
mod compressor;
mod descriptors;
mod directory;
mod disk;
pub(crate) mod finished;
mod intake;
pub(crate) mod journal;
mod keeper;
pub(crate) mod limits;
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

use crate::input::{Event, Input, watch};
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::time::Duration;
use directory::Directory;
use intake::{Intake, Taken};
use journal::{Shared, replay::Replay};
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

/// So often the clock is looked at where files become too old: it may be set, and the host may have slept.
const PATIENCE: Duration = Duration::from_secs(3600);

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
    let script = script::read(args);
    for argument in &script.unclear {
        NAME.warn(&[b"unable to understand ", argument.to_bytes(), b": passed over"]);
    }
    let mask = if script.compresses() {
        watch(&[Signal::TERM, Signal::ALARM, Signal::CHILD])
    } else {
        watch(&[Signal::TERM, Signal::ALARM])
    };
    let (mut works, journal) = Works::prepare(&script, Surroundings { env, mask, notice })?;
    let lines = Lines::new(script.stamp.map(|form| Stamps::new(form, env)));
    let mut intake = Intake::new(lines, journal, script.journal, &mut works);
    let exit = match sys::borrow(0) {
        Some(stdin) => relay(&mut Input::new(stdin, mask), &mut intake, &mut works),
        None => Exit::OK,
    };
    intake.end(&mut works);
    works.close();
    Ok(exit)
}

/// Reads lines until there are no more, or no more are wanted.
fn relay(input: &mut Input, intake: &mut Intake, works: &mut Works) -> Exit {
    let mut is_last = false;
    loop {
        if is_last && !intake.is_in_line() {
            return Exit::OK;
        }
        match input.wait(works.until_expiry()) {
            Event::Readable => {}
            Event::Time => {
                works.expire();
                continue;
            }
            Event::Signals(signals) => {
                if signals.contains(Signal::ALARM) {
                    works.rotate();
                }
                if signals.contains(Signal::CHILD) {
                    works.logs().for_each(Log::look_after_compressor);
                }
                if signals.contains(Signal::TERM) {
                    input.end_with_this_line();
                    is_last = true;
                }
                continue;
            }
        }
        match intake.take(input, works) {
            Ok(Taken::Something) | Err(Errno::AGAIN | Errno::INTR) => {}
            Ok(Taken::End) => return Exit::OK,
            Err(errno) => return unreadable(errno),
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
    Log(Box<Log<Directory>>),
}

/// The script, ready to be carried out on each line.
struct Works(Vec<Work>);

impl Works {
    /// Opens what is needed: all status files first, then the logs, as the original does. Gives the journal, too, if
    /// there is one, and what it leaves to be done.
    fn prepare(
        script: &Script,
        surroundings: Surroundings,
    ) -> Result<(Self, Option<(Shared, Replay)>), Failure> {
        let (mut statuses, mut settings) = (VecDeque::new(), Vec::new());
        for action in &script.actions {
            match action {
                Action::Status(path) => {
                    let status = Status::open(path, surroundings.notice).map_err(|errno| {
                        let parts: [&[u8]; 2] = [b"unable to create ", path.to_bytes()];
                        NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
                    })?;
                    statuses.push_back(status);
                }
                Action::Log(log) => settings.push(*log),
                Action::Choose { .. } | Action::Alert => {}
            }
        }
        status::note_shared(statuses.make_contiguous());
        let identities = journal::identities(script);
        let opened = opening::open(&settings, surroundings, script.journal, &identities)?;
        let mut logs = opened.logs.into_iter();
        let works = script.actions.iter().filter_map(|action| match *action {
            Action::Choose { select, pattern } => Some(Work::Choose { select, pattern }),
            Action::Alert => Some(Work::Alert),
            Action::Status(_) => statuses.pop_front().map(Work::Status),
            Action::Log(_) => logs.next().map(|log| Work::Log(Box::new(log))),
        });
        Ok((Self(works.collect()), opened.journal))
    }

    /// For each log, whether the line in hand goes there.
    fn takes_line(&self) -> Vec<bool> {
        let logs = self.0.iter().filter_map(|work| match work {
            Work::Log(log) => Some(log.takes_line),
            Work::Choose { .. } | Work::Alert | Work::Status(_) => None,
        });
        logs.collect()
    }

    fn logs(&mut self) -> impl Iterator<Item = &mut Log<Directory>> {
        self.0.iter_mut().filter_map(|work| match work {
            Work::Log(log) => Some(&mut **log),
            Work::Choose { .. } | Work::Alert | Work::Status(_) => None,
        })
    }

    /// Writes all that the lines so far have left behind.
    fn flush(&mut self) {
        for work in &mut self.0 {
            match work {
                Work::Log(log) => log.commit(),
                Work::Status(status) => status.flush(),
                Work::Choose { .. } | Work::Alert => {}
            }
        }
    }

    fn rotate(&mut self) {
        self.logs().for_each(Log::rotate_now);
    }

    /// How long until a finished file may be too old.
    fn until_expiry(&mut self) -> Option<Duration> {
        let next = self.logs().filter_map(|log| log.next_expiry()).min()?;
        Some(next.saturating_sub(realtime()).min(PATIENCE))
    }

    fn expire(&mut self) {
        self.logs().for_each(|log| log.expire(realtime()));
    }

    fn close(&mut self) {
        self.logs().for_each(Log::close);
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
