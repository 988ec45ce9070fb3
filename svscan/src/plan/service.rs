//! What the plan knows of one service: its name, and the states of its two supervises.

use super::{Listed, Scan};
use alloc::ffi::CString;
use core::time::Duration;

/// One service.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: CString,
    pub(super) listed: bool,
    /// There only for its logger, and listed for ever: the one of svscan's own messages.
    pub(super) own: bool,
    pub(super) service: Option<State>,
    pub(super) logger: Option<State>,
}

/// What one supervise is: the table of [`super`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Due { at: Duration },
    Running { since: Duration, pid: i32 },
    Resting,
    Busy,
}

impl Service {
    pub(super) fn new(entry: Listed, now: Duration) -> Self {
        let due = State::Due { at: now };
        let logger = entry.log.then_some(due);
        Self { name: entry.name, listed: true, own: false, service: Some(due), logger }
    }

    pub(super) fn states(&self) -> impl Iterator<Item = State> {
        [self.service, self.logger].into_iter().flatten()
    }

    /// What a scan does to a service that it did (or did not) list.
    pub(super) fn settle(&mut self, scan: Scan, now: Duration) {
        if !self.listed {
            return;
        }
        self.service = self.service.map(|state| state.after(scan, now));
        self.logger = self.logger.map(|state| state.after(scan, now));
    }
}

impl State {
    fn after(self, scan: Scan, now: Duration) -> Self {
        match (self, scan) {
            (Self::Busy, _) | (Self::Resting, Scan::Regular) => Self::Due { at: now },
            (Self::Resting, Scan::Prompted) => Self::Resting,
            (Self::Due { .. } | Self::Running { .. }, _) => self,
        }
    }

    pub(super) fn postponed(self, until: Duration) -> Self {
        match self {
            Self::Due { at } => Self::Due { at: at.max(until) },
            Self::Running { .. } | Self::Resting | Self::Busy => self,
        }
    }

    pub(super) fn is_running(self) -> bool {
        match self {
            Self::Running { .. } => true,
            Self::Due { .. } | Self::Resting | Self::Busy => false,
        }
    }
}
