//! The service whose end is the end of all (`-e`): as soon as it has ended for the first time, or could not be started,
//! everything is stopped, and svscan exits with its code.

use alloc::ffi::CString;
use common::Exit;
use supervise::detail::{Death, Detail, How, Phase};
use supervise::status::Status;

/// What is known of the chosen service.
#[derive(Debug)]
pub struct Chosen {
    /// Its name in the scan directory.
    pub name: CString,
    /// How it had ended before svscan began to look.
    before: Option<Death>,
    /// Its process, when it was last seen up.
    up: Option<u32>,
    /// How it ended: svscan's exit code.
    code: Option<Exit>,
}

impl Chosen {
    /// The service of this name, which last ended like this before we came.
    #[must_use]
    pub fn new(name: CString, before: Option<Death>) -> Self {
        Self { name, before, up: None, code: None }
    }

    /// How it had ended before svscan began to look.
    #[must_use]
    pub fn before(&self) -> Option<Death> {
        self.before
    }

    /// svscan's exit code, if the service has ended.
    #[must_use]
    pub fn code(&self) -> Option<Exit> {
        self.code
    }

    /// It could not be started at all.
    pub fn fail(&mut self) {
        self.code.get_or_insert(Exit::TEMPORARY);
    }

    /// Looks at what its supervise says. The first end that is seen counts.
    pub fn look(&mut self, status: Option<Status>, detail: Option<Detail>) {
        let Some(status) = status else { return };
        // A detail of another moment is one that an earlier supervise has left.
        let fresh = |d: &Detail| (d.since, d.pid) == (status.since, status.pid);
        let end = match detail.filter(fresh) {
            Some(detail) => self.end(&detail),
            // Debian's supervise keeps the code to itself.
            None => self.up.filter(|up| *up != status.pid).map(|_| Exit::TEMPORARY),
        };
        if status.pid != 0 {
            self.up = Some(status.pid);
        }
        self.code = self.code.or(end);
    }

    fn end(&self, detail: &Detail) -> Option<Exit> {
        let death = detail.death.filter(|death| Some(*death) != self.before);
        if let Some(death) = death {
            return Some(code(death.how));
        }
        match detail.phase {
            // It waits for its second start, and has never run.
            Phase::Waiting if detail.pid == 0 => Some(Exit::TEMPORARY),
            Phase::Failed(_) => Some(Exit::TEMPORARY),
            Phase::Waiting
            | Phase::Down
            | Phase::Starting
            | Phase::Started
            | Phase::Up
            | Phase::Stopping
            | Phase::Finishing
            | Phase::Cleaning
            | Phase::Draining => None,
        }
    }
}

/// A shell's way to say how a process ended.
fn code(how: How) -> Exit {
    match how {
        How::Exit(code) => Exit(code),
        How::Signal(signal) => Exit(128_u8.saturating_add(signal)),
        How::Unknown => Exit::TEMPORARY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::tai64n::Label;
    use supervise::detail::{Failure, Restarts};
    use supervise::status::Want;

    const LABEL: [u8; 12] = [0x40, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0];

    fn status(pid: u32) -> Option<Status> {
        let since = Label::from_bytes(LABEL);
        Some(Status { since, pid, paused: false, want: Want::Up, state: None })
    }

    fn detail(pid: u32, phase: Phase, death: Option<Death>) -> Option<Detail> {
        let since = Label::from_bytes(LABEL);
        let restarts = Restarts::default();
        Some(Detail {
            since,
            pid,
            phase,
            notifies: false,
            ready: None,
            until: None,
            death,
            restarts,
        })
    }

    fn death(how: How) -> Option<Death> {
        Some(Death { at: Label::from_bytes(LABEL), pid: 7, how })
    }

    #[test]
    fn what_counts_as_an_end() {
        for (phase, pid, death, expected) in [
            (Phase::Down, 0, None, None),
            (Phase::Starting, 0, None, None),
            (Phase::Up, 9, None, None),
            (Phase::Up, 9, death(How::Exit(0)), Some(0)),
            (Phase::Waiting, 0, death(How::Exit(3)), Some(3)),
            (Phase::Finishing, 0, death(How::Signal(15)), Some(143)),
            (Phase::Down, 0, death(How::Signal(200)), Some(255)),
            (Phase::Down, 0, death(How::Unknown), Some(111)),
            (Phase::Waiting, 0, None, Some(111)),
            (Phase::Failed(Failure::Start), 0, None, Some(111)),
            (Phase::Failed(Failure::Exit), 0, death(How::Exit(100)), Some(100)),
        ] {
            let mut chosen = Chosen::new(c"a".into(), None);
            chosen.look(status(pid), detail(pid, phase, death));
            assert_eq!(chosen.code(), expected.map(Exit), "{phase:?} {death:?}");
        }
    }

    #[test]
    fn what_was_before_does_not_count_and_the_first_end_does() {
        let old = death(How::Exit(5));
        let mut chosen = Chosen::new(c"a".into(), old);
        chosen.look(status(9), detail(9, Phase::Up, old));
        assert_eq!(chosen.code(), None);
        chosen.look(status(0), detail(0, Phase::Down, death(How::Exit(6))));
        chosen.look(status(0), detail(0, Phase::Down, death(How::Exit(7))));
        assert_eq!(chosen.code(), Some(Exit(6)));
        // A detail that isn't this status's.
        let mut chosen = Chosen::new(c"a".into(), None);
        chosen.look(status(9), detail(8, Phase::Down, old));
        assert_eq!(chosen.code(), None);
        chosen.look(None, None);
        chosen.fail();
        assert_eq!(chosen.code(), Some(Exit(111)));
    }

    #[test]
    fn debians_supervise_tells_that_it_ended_but_not_how() {
        let mut chosen = Chosen::new(c"a".into(), None);
        chosen.look(status(0), None);
        chosen.look(status(7), None);
        chosen.look(status(7), None);
        assert_eq!(chosen.code(), None);
        chosen.look(status(8), None);
        assert_eq!(chosen.code(), Some(Exit(111)));
    }
}
