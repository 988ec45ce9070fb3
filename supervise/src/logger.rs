//! When a logger may be told to end, so that no line is lost.
//!
//! `svc -dx . ./log` reaches both supervise processes at once. The original ends both processes at
//! once, too: what the service writes while it ends, and what the logger hasn't read yet, is lost
//! with the pipe. Here the logger's supervise, told `d`, waits:
//!
//! - while the service is going down: until it is down, however long that takes;
//! - when the service is down: until the pipe is empty, at most [`READING`];
//! - when the service stays up: not at all, but for [`GRACE`], in which its own `d` may still
//!   arrive. The pipe outlives the logger, and the next one reads on.
//!
//! A logger is what was started as `supervise log` with a pipe as standard input, as svscan does,
//! in the directory of the service that it logs. `svc -t` and `svc -k` are never held back.

use crate::client;
use crate::directory::is_fifo;
use crate::place::Place;
use crate::status::{Status, Want};
use core::time::Duration;
use sys::fs::{CWD, Mode, OFlags, openat};
use sys::{AsFd, Env, Errno, OwnedFd};

/// How long a service that is up may take to hear that it is to go down, too.
pub const GRACE: Duration = Duration::from_secs(1);

/// How long a logger may take to read what a service has left behind.
pub const READING: Duration = Duration::from_secs(10);

/// How often to look.
pub const STEP: Duration = Duration::from_millis(50);

/// A logger's place: the directory of the service that it logs.
pub struct Logger {
    service: OwnedFd,
    place: Place,
    /// When the logger was told to end, and since when its service is gone.
    asked: Option<Duration>,
    gone: Option<Duration>,
}

/// The service, as its logger sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// It is up, or about to be started again.
    Stays,
    /// It was told to go down, and still runs.
    Goes,
    /// It is down, or nobody supervises it.
    Gone,
}

impl Logger {
    /// If `name` is a logger's, what must be known of its service; the working directory must still
    /// be the one that we were started in.
    #[must_use]
    pub fn new(name: &[u8], env: Env) -> Option<Self> {
        if name != b"log" || !sys::borrow(0).is_some_and(is_fifo) {
            return None;
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let service = openat(CWD, c".", flags, Mode::empty()).ok()?;
        let place = Place::here(env).ok()?;
        Some(Self { service, place, asked: None, gone: None })
    }

    /// The one that a predecessor in this process had.
    #[must_use]
    pub fn inherited(service: OwnedFd, place: Place, asked: Option<Duration>) -> Self {
        Self { service, place, asked, gone: None }
    }

    /// The directory of the service that it logs.
    #[must_use]
    pub fn service(&self) -> &OwnedFd {
        &self.service
    }

    /// Where the files of that service are.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// When the logger was told to end, if ever.
    #[must_use]
    pub fn asked(&self) -> Option<Duration> {
        self.asked
    }

    /// The logger was told to end, at this moment.
    pub fn ask(&mut self, now: Duration) {
        self.asked = Some(now);
        self.gone = None;
    }

    /// Whether it may end now.
    pub fn is_drained(&mut self, now: Duration) -> bool {
        let at = self.service.as_fd();
        let reached = client::reach(at, &self.place);
        let status = || client::status(at, &self.place).ok().map(|both| both.service);
        let writer = writer(reached, status);
        let gone = match writer {
            Writer::Gone => *self.gone.get_or_insert(now),
            Writer::Stays | Writer::Goes => {
                self.gone = None;
                now
            }
        };
        let empty = sys::borrow(0).is_none_or(|pipe| sys::io::ioctl_fionread(pipe) == Ok(0));
        let asked = self.asked.unwrap_or(now);
        may_end(writer, empty, now.saturating_sub(asked), now.saturating_sub(gone))
    }
}

fn writer(reached: Result<(), Errno>, status: impl FnOnce() -> Option<Status>) -> Writer {
    if reached.is_err() {
        return Writer::Gone;
    }
    match status() {
        Some(Status { pid: 0, want: Want::Down | Want::Once, .. }) => Writer::Gone,
        Some(Status { want: Want::Down, .. }) => Writer::Goes,
        Some(_) | None => Writer::Stays,
    }
}

/// The rule itself; `asked` and `gone` are how long ago that was.
fn may_end(writer: Writer, empty: bool, asked: Duration, gone: Duration) -> bool {
    match writer {
        Writer::Stays => asked >= GRACE,
        Writer::Goes => false,
        Writer::Gone => empty || gone >= READING,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::tai64n::Label;

    fn status(pid: u32, want: Want) -> Status {
        let since = Label::from_bytes([0; 12]);
        Status { since, pid, paused: false, want, state: None }
    }

    #[test]
    fn what_a_status_says_of_the_writer() {
        for (pid, want, expected) in [
            (0, Want::Down, Writer::Gone),
            (0, Want::Once, Writer::Gone),
            (0, Want::Up, Writer::Stays),
            (7, Want::Down, Writer::Goes),
            (7, Want::Once, Writer::Stays),
            (7, Want::Up, Writer::Stays),
        ] {
            assert_eq!(writer(Ok(()), || Some(status(pid, want))), expected);
            assert_eq!(writer(Err(Errno::NXIO), || Some(status(pid, want))), Writer::Gone);
        }
        assert_eq!(writer(Ok(()), || None), Writer::Stays);
    }

    #[test]
    fn the_rule() {
        let (none, long) = (Duration::ZERO, Duration::from_secs(3600));
        for (writer, empty, asked, gone, expected) in [
            (Writer::Stays, true, none, none, false),
            (Writer::Stays, false, GRACE, none, true),
            (Writer::Goes, true, long, none, false),
            (Writer::Goes, false, long, none, false),
            (Writer::Gone, true, none, none, true),
            (Writer::Gone, false, long, none, false),
            (Writer::Gone, false, long, READING, true),
        ] {
            assert_eq!(may_end(writer, empty, asked, gone), expected, "{writer:?} {empty}");
        }
    }
}
