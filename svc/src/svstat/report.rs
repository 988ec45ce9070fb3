//! All that can be read of a service and of its logger, for the forms that explain.

use super::doing::{Doing, Waits};
use super::order::{Form, Order, Which};
use crate::look::{Problem, look, look_closely};
use crate::writer::{self, Writer};
use common::tai64n::Label;
use core::time::Duration;
use supervise::detail::{Detail, Details};
use supervise::place::Place;
use supervise::status::Status;
use sys::fs::{FileType, stat};
use sys::{Env, Errno, clock};

/// A service directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    /// As given.
    pub(crate) name: &'static [u8],
    pub(crate) seen: Result<Process, Problem>,
    pub(crate) logger: Logger,
    pub(crate) when: When,
}

/// Who logs what a service writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Logger {
    /// Nobody that supervise or svscan would start.
    None,
    /// A script `log`, run by the same supervise.
    Script(Process),
    /// A service directory `log`.
    Directory(Result<Process, Problem>),
}

/// A supervised process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) status: Status,
    pub(crate) detail: Option<Detail>,
    pub(crate) normally_up: bool,
    pub(crate) writer: Writer,
}

/// When it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) label: Label,
    /// Since boot.
    pub(crate) boot: Duration,
}

impl Report {
    /// Reads the service directory `name`, which is the working directory if it could be entered,
    /// and its logger.
    pub(crate) fn read(
        name: &'static [u8],
        entered: Result<(), Errno>,
        env: Env,
        order: &Order,
    ) -> Self {
        let closely = !order.is_plain();
        let mut logger = Logger::None;
        let seen = entered.map_err(Problem::Enter).and_then(|()| {
            let seen = read(env, closely);
            if let Ok((_, Some(log))) = seen {
                logger = Logger::Script(log);
            } else if has_logger(order) {
                let log = sys::process::chdir(c"log").map_err(Problem::Enter);
                logger = Logger::Directory(log.and_then(|()| Ok(read(env, closely)?.0)));
            }
            Ok(seen?.0)
        });
        let boot = if closely { clock::monotonic() } else { Duration::ZERO };
        Self { name, seen, logger, when: When { label: Label::now(), boot } }
    }
}

impl Report {
    /// Whether there is a multilog in it: nothing tells when one begins to pause.
    pub(crate) fn writes(&self) -> bool {
        let logger = match &self.logger {
            Logger::Script(log) | Logger::Directory(Ok(log)) => Some(log),
            Logger::None | Logger::Directory(Err(_)) => None,
        };
        let mut all = self.seen.iter().chain(logger);
        all.any(|process| process.writer != Writer::Unknown)
    }
}

impl When {
    pub(crate) fn now() -> Self {
        Self { label: Label::now(), boot: clock::monotonic() }
    }
}

/// The service in the working directory, and the log of the same supervise.
fn read(env: Env, closely: bool) -> Result<(Process, Option<Process>), Problem> {
    let place = Place::here(env).map_err(Problem::Path)?;
    let (sight, details) = match closely {
        true => look_closely(&place)?,
        false => (look(&place)?, Details::default()),
    };
    let normally_up = sight.normally_up;
    let process = |status: Status, detail| {
        let writer = if status.pid == 0 { Writer::Unknown } else { writer::look(status.pid) };
        Process { status, detail, normally_up, writer }
    };
    let log = sight.statuses.log.map(|status| process(status, details.log));
    Ok((process(sight.statuses.service, details.service), log))
}

/// Whether the service in the working directory has a directory `log` that is to be told of. In a
/// line, that is a logger only if it could run: any other directory may be called `log`.
pub(crate) fn has_logger(order: &Order) -> bool {
    match order.form {
        Form::Plain(_) if order.which == Which::Service => false,
        Form::Plain(_) => stat(c"log/run").is_ok(),
        Form::Long | Form::Json => {
            stat(c"log").is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir())
        }
    }
}

impl Process {
    pub(crate) fn doing(&self) -> Doing {
        Doing::of(&self.status, self.detail.as_ref())
    }

    pub(crate) fn waits(&self) -> Option<Waits> {
        self.doing().waits(&self.status, self.normally_up)
    }

    /// Until when it waits, if that is known.
    pub(crate) fn until(&self) -> Option<Label> {
        self.waits().and(self.detail).and_then(|detail| detail.until)
    }

    /// Since when it is ready: inner `None`, not yet; outer `None`, it doesn't tell.
    pub(crate) fn ready(&self) -> Option<Option<Label>> {
        self.detail.filter(|detail| detail.notifies).map(|detail| detail.ready)
    }
}

/// Whole seconds from one moment to another; 0 if the clock was set back.
pub(crate) fn seconds_between(from: Label, to: Label) -> u64 {
    u64::try_from(to.unix_seconds().saturating_sub(from.unix_seconds())).unwrap_or(0)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use supervise::detail::{Phase, Restarts};
    use supervise::status::{State, Want};

    pub(crate) fn label(seconds: u64) -> Label {
        Label::from_unix(Duration::from_secs(seconds))
    }

    /// A status of second 100.
    pub(crate) fn status(pid: u32, want: Want, state: State) -> Status {
        Status { since: label(100), pid, paused: false, want, state: Some(state) }
    }

    /// The detail that belongs to it.
    pub(crate) fn detail(pid: u32, phase: Phase) -> Detail {
        Detail {
            since: label(100),
            pid,
            phase,
            notifies: false,
            ready: None,
            until: None,
            death: None,
            restarts: Restarts::default(),
        }
    }

    /// A report on the directory `s`, 42 seconds later.
    pub(crate) fn report(seen: Result<Process, Problem>, logger: Logger) -> Report {
        let when = When { label: label(142), boot: Duration::from_secs(1000) };
        Report { name: b"s", seen, logger, when }
    }

    #[test]
    fn until_when_and_since_when() {
        let known = Detail { until: Some(label(7)), ..detail(0, Phase::Waiting) };
        let process = |detail| Process {
            status: status(0, Want::Up, State::Starting),
            detail,
            normally_up: true,
            writer: Writer::Unknown,
        };
        assert_eq!(process(Some(known)).until(), Some(label(7)));
        assert_eq!(process(None).until(), None);
        // A service that is up waits for nothing, whatever stands there.
        let up = Detail { phase: Phase::Up, ..known };
        assert_eq!(process(Some(up)).until(), None);
        assert_eq!(process(Some(known)).ready(), None);
        let notifies = Detail { notifies: true, ready: Some(label(8)), ..known };
        assert_eq!(process(Some(notifies)).ready(), Some(Some(label(8))));
        assert_eq!(seconds_between(label(9), label(7)), 0);
    }
}
