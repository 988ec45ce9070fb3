//! What a service is doing, and what it waits for: from its status, and from its details if there
//! are any.

use supervise::detail::{Detail, Failure, Phase};
use supervise::status::{State, Status, Want};

/// What a service is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doing {
    Down,
    /// It is about to be started.
    Waiting,
    /// `start` runs.
    Starting,
    /// `start` has run, there is no `run`.
    Started,
    Up,
    /// It was told to end.
    Stopping,
    /// `finish` runs.
    Finishing,
    /// `stop` runs.
    Cleaning,
    /// A logger that reads what its service has left.
    Draining,
    /// It has failed for good, and why, if that is known.
    Failed(Option<Failure>),
}

/// What a service waits for; the phase it is in ends with that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waits {
    /// Its next start.
    NextStart,
    /// The end of `start`.
    StartScript,
    /// Its own end, as it was told.
    End,
    /// The end of `finish`.
    FinishScript,
    /// The end of `stop`.
    StopScript,
    /// The end of what its service has left in the pipe.
    LogRead,
    /// `svc -c`.
    Continue,
    /// `svc -u`.
    Up(Reason),
}

/// Why a service stays down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is a file `down`, and nobody has asked for it.
    DownFile,
    /// It was told to (`svc -d`), or nobody has started it.
    Told,
    /// It was to run once, and has.
    Once,
    /// It has failed for good.
    Failed(Option<Failure>),
}

impl Doing {
    /// From a status, and the detail of the same moment.
    pub(crate) fn of(status: &Status, detail: Option<&Detail>) -> Self {
        if let Some(detail) = detail {
            return match detail.phase {
                Phase::Down => Self::Down,
                Phase::Waiting => Self::Waiting,
                Phase::Starting => Self::Starting,
                Phase::Started => Self::Started,
                Phase::Up => Self::Up,
                Phase::Stopping => Self::Stopping,
                Phase::Finishing => Self::Finishing,
                Phase::Cleaning => Self::Cleaning,
                Phase::Draining => Self::Draining,
                Phase::Failed(failure) => Self::Failed(Some(failure)),
            };
        }
        let up = status.pid != 0;
        match (status.state, status.want) {
            (Some(State::Failed), _) => Self::Failed(None),
            (Some(State::Started), _) => Self::Started,
            (Some(State::Starting), _) if up => Self::Starting,
            (Some(State::Stopping), _) => Self::Stopping,
            (_, Want::Down) if up => Self::Stopping,
            (_, Want::Up | Want::Once) if up => Self::Up,
            (_, Want::Up) | (Some(State::Starting), Want::Once) => Self::Waiting,
            (_, Want::Down | Want::Once) => Self::Down,
        }
    }

    /// Its name for programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Started => "started",
            Self::Up => "up",
            Self::Stopping => "stopping",
            Self::Finishing => "finishing",
            Self::Cleaning => "cleaning",
            Self::Draining => "draining",
            Self::Failed(_) => "failed",
        }
    }

    /// What it waits for, if for anything.
    pub(crate) fn waits(self, status: &Status, normally_up: bool) -> Option<Waits> {
        match self {
            Self::Down => Some(Waits::Up(match status.want {
                Want::Once => Reason::Once,
                Want::Up | Want::Down if normally_up => Reason::Told,
                Want::Up | Want::Down => Reason::DownFile,
            })),
            Self::Waiting => Some(Waits::NextStart),
            Self::Starting => Some(Waits::StartScript),
            Self::Started => None,
            Self::Up => status.paused.then_some(Waits::Continue),
            Self::Stopping => Some(Waits::End),
            Self::Finishing => Some(Waits::FinishScript),
            Self::Cleaning => Some(Waits::StopScript),
            Self::Draining => Some(Waits::LogRead),
            Self::Failed(failure) => Some(Waits::Up(Reason::Failed(failure))),
        }
    }
}

impl Waits {
    /// Its name for programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NextStart => "next-start",
            Self::StartScript => "start",
            Self::End => "end",
            Self::FinishScript => "finish",
            Self::StopScript => "stop",
            Self::LogRead => "log",
            Self::Continue => "continue",
            Self::Up(_) => "up",
        }
    }

    /// For people.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::NextStart => "for its next start",
            Self::StartScript => "for ./start to end",
            Self::End => "for its process to end, as it was told",
            Self::FinishScript => "for ./finish to end",
            Self::StopScript => "for ./stop to end",
            Self::LogRead => "until all is read that its service has left in the pipe",
            Self::Continue => "for svc -c: it is paused",
            Self::Up(Reason::DownFile) => "for svc -u: there is a file down",
            Self::Up(Reason::Told) => "for svc -u: it was told to be down",
            Self::Up(Reason::Once) => "for svc -u: it was to run once",
            Self::Up(Reason::Failed(failure)) => match failure {
                Some(Failure::Exit) => "for svc -u: it has failed for good, run exited 100",
                Some(Failure::Start) => "for svc -u: it has failed for good, ./start failed",
                Some(Failure::Restarts) => {
                    "for svc -u: it has failed for good, it died more often than max-restarts allows"
                }
                Some(Failure::Finish) => "for svc -u: it has failed for good, ./finish exited 125",
                None => "for svc -u: it has failed for good",
            },
        }
    }

    /// What happens at the moment that a detail names, for people; `None` if that says nothing.
    pub(crate) fn at_its_end(self) -> Option<&'static str> {
        match self {
            Self::NextStart => Some("due"),
            Self::End | Self::FinishScript => Some("KILL follows"),
            Self::LogRead => Some("told to end anyway"),
            Self::StartScript | Self::StopScript | Self::Continue | Self::Up(_) => None,
        }
    }
}

impl Reason {
    /// Its name for programs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::DownFile => "down-file",
            Self::Told => "told",
            Self::Once => "once",
            Self::Failed(_) => "failed",
        }
    }
}

/// A failure's name for programs.
pub(crate) fn failure_name(failure: Failure) -> &'static str {
    match failure {
        Failure::Exit => "exit-100",
        Failure::Start => "start",
        Failure::Restarts => "max-restarts",
        Failure::Finish => "finish-125",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::tai64n::Label;
    use supervise::detail::Restarts;

    fn status(pid: u32, want: Want, state: Option<State>) -> Status {
        Status { since: Label::from_bytes([0; 12]), pid, paused: false, want, state }
    }

    #[test]
    fn without_details() {
        for (pid, want, state, doing) in [
            (0, Want::Up, None, Doing::Waiting),
            (0, Want::Down, None, Doing::Down),
            (0, Want::Once, None, Doing::Down),
            (5, Want::Up, None, Doing::Up),
            (5, Want::Once, None, Doing::Up),
            (5, Want::Down, None, Doing::Stopping),
            (0, Want::Down, Some(State::Stopped), Doing::Down),
            (0, Want::Up, Some(State::Starting), Doing::Waiting),
            (0, Want::Once, Some(State::Starting), Doing::Waiting),
            (5, Want::Up, Some(State::Starting), Doing::Starting),
            (0, Want::Up, Some(State::Started), Doing::Started),
            (5, Want::Up, Some(State::Running), Doing::Up),
            (5, Want::Up, Some(State::Stopping), Doing::Stopping),
            (0, Want::Down, Some(State::Stopping), Doing::Stopping),
            (0, Want::Down, Some(State::Failed), Doing::Failed(None)),
            (5, Want::Up, Some(State::Unknown(9)), Doing::Up),
        ] {
            assert_eq!(
                Doing::of(&status(pid, want, state), None),
                doing,
                "{pid} {want:?} {state:?}"
            );
        }
    }

    #[test]
    fn the_phase_of_a_detail_counts() {
        for (phase, doing) in [
            (Phase::Down, "down"),
            (Phase::Waiting, "waiting"),
            (Phase::Starting, "starting"),
            (Phase::Started, "started"),
            (Phase::Up, "up"),
            (Phase::Stopping, "stopping"),
            (Phase::Finishing, "finishing"),
            (Phase::Cleaning, "cleaning"),
            (Phase::Draining, "draining"),
            (Phase::Failed(Failure::Start), "failed"),
        ] {
            let detail = Detail {
                since: Label::from_bytes([0; 12]),
                pid: 5,
                phase,
                notifies: false,
                ready: None,
                until: None,
                death: None,
                restarts: Restarts::default(),
            };
            let found = Doing::of(&status(5, Want::Up, Some(State::Running)), Some(&detail));
            assert_eq!(found.name(), doing);
        }
    }

    #[test]
    fn what_is_waited_for() {
        let waits =
            |doing: Doing, want, normally_up| doing.waits(&status(0, want, None), normally_up);
        for (doing, want, normally_up, expected) in [
            (Doing::Down, Want::Down, true, Some(Waits::Up(Reason::Told))),
            (Doing::Down, Want::Down, false, Some(Waits::Up(Reason::DownFile))),
            (Doing::Down, Want::Once, false, Some(Waits::Up(Reason::Once))),
            (Doing::Waiting, Want::Up, true, Some(Waits::NextStart)),
            (Doing::Up, Want::Up, true, None),
            (Doing::Started, Want::Up, true, None),
            (Doing::Failed(None), Want::Down, true, Some(Waits::Up(Reason::Failed(None)))),
        ] {
            assert_eq!(waits(doing, want, normally_up), expected);
        }
        let paused = Status { paused: true, ..status(5, Want::Up, None) };
        assert_eq!(Doing::Up.waits(&paused, true), Some(Waits::Continue));
    }
}
