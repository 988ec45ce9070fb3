//! What can be read of a service at one moment, without asking its supervise.

use alloc::vec::Vec;
use common::reason;
use supervise::client::{self, StatusError};
use supervise::detail::{Detail, Details};
use supervise::place::Place;
use supervise::status::{Status, Statuses};
use sys::Errno;
use sys::fs::{CWD, stat};

/// A service as its supervise describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) statuses: Statuses,
    /// Whether it is up normally: without a file `down`.
    pub(crate) normally_up: bool,
}

/// Why there is nothing to be said about a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// It can't be entered.
    Enter(Errno),
    /// Whether there is a file `down` can't be told.
    Down(Errno),
    /// The path of the working directory can't be had, which an absolute `$SUPERVISEDIR` needs.
    Path(Errno),
    /// No supervise runs, though one has.
    NotRunning,
    /// `ok` can't be opened: no supervise has ever run, if it doesn't exist.
    Ok(Errno),
    /// There is no status, or none that can be read.
    Status(StatusError),
}

/// Looks at the service in the working directory.
///
/// # Errors
/// In the original's order: what is wrong first is said.
pub(crate) fn look(place: &Place) -> Result<Sight, Problem> {
    let normally_up = match stat(c"down") {
        Ok(_) => false,
        Err(Errno::NOENT) => true,
        Err(errno) => return Err(Problem::Down(errno)),
    };
    match client::reach(CWD, place) {
        Ok(()) => {}
        Err(Errno::NXIO) => return Err(Problem::NotRunning),
        Err(errno) => return Err(Problem::Ok(errno)),
    }
    let statuses = client::status(CWD, place).map_err(Problem::Status)?;
    Ok(Sight { statuses, normally_up })
}

/// Looks at the service in the working directory, and at the details that belong to what it saw.
///
/// # Errors
/// As [`look`].
pub(crate) fn look_closely(place: &Place) -> Result<(Sight, Details), Problem> {
    let mut sight = look(place)?;
    // The status is replaced first, and the details follow at once.
    for _ in 0..3 {
        let details = belonging(&sight.statuses, client::details(CWD, place));
        if details.service.is_some() {
            return Ok((sight, details));
        }
        let again = look(place)?;
        if again == sight {
            break;
        }
        sight = again;
    }
    Ok((sight, belonging(&sight.statuses, client::details(CWD, place))))
}

/// Those details that are of the same moment as the statuses. Others are older or another program's.
pub(crate) fn belonging(statuses: &Statuses, details: Details) -> Details {
    let same = |status: Status, detail: &Detail| {
        (status.since, status.pid) == (detail.since, detail.pid) && status.state.is_some()
    };
    Details {
        service: details.service.filter(|detail| same(statuses.service, detail)),
        log: details.log.filter(|detail| statuses.log.is_some_and(|log| same(log, detail))),
    }
}

impl Problem {
    /// Appends the problem in the original's words.
    pub(crate) fn describe(self, line: &mut Vec<u8>) {
        let (text, errno) = self.text();
        line.extend_from_slice(text.as_bytes());
        if let Some(errno) = errno {
            line.extend_from_slice(b": ");
            line.extend_from_slice(reason(errno).as_bytes());
        }
    }

    fn text(self) -> (&'static str, Option<Errno>) {
        match self {
            Self::Enter(errno) => ("unable to chdir", Some(errno)),
            Self::Down(errno) => ("unable to stat down", Some(errno)),
            Self::Path(errno) => ("unable to tell the directory's path", Some(errno)),
            Self::NotRunning => ("supervise not running", None),
            Self::Ok(errno) => ("unable to open supervise/ok", Some(errno)),
            Self::Status(StatusError::Open(errno)) => {
                ("unable to open supervise/status", Some(errno))
            }
            Self::Status(StatusError::Read(errno)) => {
                ("unable to read supervise/status", Some(errno))
            }
            Self::Status(StatusError::Truncated) => {
                ("unable to read supervise/status: bad format", None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::tai64n::Label;
    use core::time::Duration;
    use supervise::detail::{Phase, Restarts};
    use supervise::status::{State, Want};

    #[test]
    fn details_of_another_moment_are_left_out() {
        let label = |seconds| Label::from_unix(Duration::from_secs(seconds));
        let status =
            |pid, state| Status { since: label(5), pid, paused: false, want: Want::Up, state };
        let detail = |pid, seconds| Detail {
            since: label(seconds),
            pid,
            phase: Phase::Up,
            notifies: false,
            ready: None,
            until: None,
            death: None,
            restarts: Restarts::default(),
        };
        let state = Some(State::Running);
        let one = Statuses { service: status(7, state), log: None };
        let both = Statuses { log: Some(status(8, state)), ..one };
        let old = Statuses { service: status(7, None), log: None };
        for (statuses, service, log, expected) in [
            (one, detail(7, 5), None, (true, false)),
            (one, detail(7, 6), None, (false, false)),
            (one, detail(8, 5), None, (false, false)),
            (one, detail(7, 5), Some(detail(8, 5)), (true, false)),
            (both, detail(7, 5), Some(detail(8, 5)), (true, true)),
            (both, detail(7, 5), Some(detail(9, 5)), (true, false)),
            (old, detail(7, 5), None, (false, false)),
        ] {
            let found = belonging(&statuses, Details { service: Some(service), log });
            assert_eq!((found.service.is_some(), found.log.is_some()), expected);
        }
    }
}
