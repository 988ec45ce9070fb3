//! What svc waits for, and whether a service is there: pure decisions over what was read.

use common::tai64n::Label;
use supervise::detail::{Detail, Failure};
use supervise::status::{State, Status, Want};

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Goal {
    pub(crate) target: Target,
    /// Another start than the one before the letters went out.
    pub(crate) fresh: bool,
    pub(crate) whose: Whose,
    /// What is wanted of the service once supervise has obeyed the letters.
    pub(crate) expects: Option<Want>,
}

/// A state that can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// It doesn't run, and nothing is going on.
    Down,
    /// It runs; or its `start` has run, and there is no `run`.
    Up,
    /// It is up, and has said that it is ready, if it says so at all.
    Ready,
    /// No supervise runs.
    Gone,
}

/// Whose state: the service's, or that of the log that its supervise runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Whose {
    #[default]
    Service,
    Log,
}

/// A service, or its log, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    pub(crate) status: Status,
    pub(crate) detail: Known,
}

/// What is known beyond a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// This.
    Told(Told),
    /// There are details, of another moment: they are about to follow, or an old program's.
    Older,
    /// Nothing: the supervise is none of ours.
    Nothing,
}

/// What counts of a detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// It is ready, or never tells.
    ready: bool,
    failure: Option<Failure>,
}

impl From<Detail> for Told {
    fn from(detail: Detail) -> Self {
        let ready = !detail.notifies || detail.ready.is_some();
        Self { ready, failure: detail.phase.failure() }
    }
}

/// Whether a goal is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Reached,
    NotYet,
    /// It can't come true, and why.
    Never(&'static str),
}

impl Target {
    /// The target of this name.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        let all = [Self::Down, Self::Up, Self::Ready, Self::Gone];
        all.into_iter().find(|target| target.name().as_bytes() == name)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::Ready => "ready",
            Self::Gone => "gone",
        }
    }

    /// Both at once: the one that implies the other; `None` if none does.
    pub(crate) fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Up, Self::Ready) | (Self::Ready, Self::Up) => Some(Self::Ready),
            (Self::Down, Self::Gone) | (Self::Gone, Self::Down) => Some(Self::Gone),
            _ if self == other => Some(self),
            _ => None,
        }
    }
}

impl Goal {
    /// Whether supervise has obeyed the letters, as far as a status shows it. All letters that it has
    /// read are taken for granted. (A failure forgets what was wanted.)
    pub(crate) fn is_obeyed(self, status: &Status) -> bool {
        self.expects.is_none_or(|want| status.want == want || status.state == Some(State::Failed))
    }

    /// Judges a supervised service. `before` is the start that was current when the letters went out.
    pub(crate) fn judge(self, before: Option<(Label, u32)>, now: &Now) -> Verdict {
        let status = &now.status;
        let same = before == Some((status.since, status.pid));
        match self.target {
            Target::Gone => Verdict::NotYet,
            // 0.76's supervise says that it is to run once before it starts it.
            Target::Down if same && status.state.is_none() && self.expects == Some(Want::Once) => {
                Verdict::NotYet
            }
            Target::Down if is_down(status) => Verdict::Reached,
            Target::Down => Verdict::NotYet,
            Target::Up | Target::Ready if has_failed(status) => Verdict::Never(failure(now.detail)),
            Target::Up | Target::Ready
                if self.fresh && is_down(status) && status.want != Want::Up =>
            {
                Verdict::Never("it is down, and is not started again (svc -U starts it)")
            }
            Target::Up | Target::Ready if !is_up(status) || (self.fresh && same) => Verdict::NotYet,
            Target::Up => Verdict::Reached,
            Target::Ready if is_ready(now.detail) => Verdict::Reached,
            Target::Ready => Verdict::NotYet,
        }
    }

    /// Judges what a supervise has left that isn't there any more: this status, if any.
    pub(crate) fn judge_left(self, status: Option<&Status>) -> Verdict {
        match self.target {
            Target::Gone => Verdict::Reached,
            // It has ended in good order, and nobody starts the service again.
            Target::Down if status.is_some_and(|s| s.pid == 0 && self.is_obeyed(s)) => {
                Verdict::Reached
            }
            Target::Down | Target::Up | Target::Ready => Verdict::NotYet,
        }
    }
}

fn is_down(status: &Status) -> bool {
    let pending = match (status.state, status.want) {
        (Some(State::Failed), _) => false,
        (Some(State::Started | State::Stopping), _) => true,
        // encore called every service "starting" that had never been started.
        (_, Want::Down) => false,
        (_, Want::Up) => true,
        (Some(State::Starting | State::Running), Want::Once) => true,
        (Some(State::Stopped | State::Unknown(_)) | None, Want::Once) => false,
    };
    status.pid == 0 && !pending
}

fn is_up(status: &Status) -> bool {
    match status.state {
        Some(State::Started) => true,
        Some(State::Starting | State::Stopping | State::Failed) => false,
        Some(State::Stopped | State::Running | State::Unknown(_)) | None => status.pid != 0,
    }
}

fn has_failed(status: &Status) -> bool {
    status.state == Some(State::Failed)
}

fn is_ready(detail: Known) -> bool {
    match detail {
        Known::Told(told) => told.ready,
        Known::Older => false,
        Known::Nothing => true,
    }
}

fn failure(detail: Known) -> &'static str {
    let failure = match detail {
        Known::Told(told) => told.failure,
        Known::Older | Known::Nothing => None,
    };
    match failure {
        Some(Failure::Exit) => "it has failed for good: run exited 100",
        Some(Failure::Start) => "it has failed for good: start failed",
        Some(Failure::Restarts) => {
            "it has failed for good: it died more often than max-restarts allows"
        }
        Some(Failure::Finish) => "it has failed for good: finish exited 125",
        None => "it has failed for good",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use supervise::detail::Phase;
    use supervise::detail::Restarts;

    const WANTS: [Want; 3] = [Want::Up, Want::Down, Want::Once];

    fn label(seconds: u64) -> Label {
        Label::from_unix(Duration::from_secs(seconds))
    }

    fn status(pid: u32, want: Want, state: Option<State>) -> Status {
        Status { since: label(100), pid, paused: false, want, state }
    }

    fn goal(target: Target) -> Goal {
        Goal { target, fresh: false, whose: Whose::Service, expects: None }
    }

    fn judge(goal: Goal, status: Status) -> Verdict {
        goal.judge(None, &Now { status, detail: Known::Nothing })
    }

    /// For each state: whether it is down when up, down or once is wanted, and whether it is up
    /// without and with a process.
    #[test]
    fn down_and_up_by_state() {
        for (state, down, up) in [
            (None, [false, true, true], [false, true]),
            (Some(State::Stopped), [false, true, true], [false, true]),
            (Some(State::Starting), [false, true, false], [false, false]),
            (Some(State::Started), [false, false, false], [true, true]),
            (Some(State::Running), [false, true, false], [false, true]),
            (Some(State::Stopping), [false, false, false], [false, false]),
            (Some(State::Failed), [true, true, true], [false, false]),
            (Some(State::Unknown(9)), [false, true, true], [false, true]),
        ] {
            assert_eq!(WANTS.map(|want| is_down(&status(0, want, state))), down, "{state:?}");
            assert!(WANTS.iter().all(|want| !is_down(&status(7, *want, state))), "{state:?}");
            for want in WANTS {
                assert_eq!([0, 7].map(|pid| is_up(&status(pid, want, state))), up, "{state:?}");
            }
        }
    }

    #[test]
    fn goals_are_reached_or_not_or_never() {
        let running = status(7, Want::Up, Some(State::Running));
        let stopped = status(0, Want::Down, Some(State::Stopped));
        let failed = status(0, Want::Down, Some(State::Failed));
        for (target, now, expected) in [
            (Target::Down, running, Verdict::NotYet),
            (Target::Down, stopped, Verdict::Reached),
            (Target::Down, failed, Verdict::Reached),
            (Target::Up, running, Verdict::Reached),
            (Target::Up, stopped, Verdict::NotYet),
            (Target::Up, failed, Verdict::Never("it has failed for good")),
            (Target::Ready, running, Verdict::Reached),
            (Target::Ready, stopped, Verdict::NotYet),
            (Target::Ready, failed, Verdict::Never("it has failed for good")),
            (Target::Gone, running, Verdict::NotYet),
            (Target::Gone, stopped, Verdict::NotYet),
        ] {
            assert_eq!(judge(goal(target), now), expected, "{target:?} {now:?}");
        }
    }

    #[test]
    fn a_restart_is_another_start() {
        let restart = Goal { fresh: true, ..goal(Target::Up) };
        let at = |pid, seconds| Status { since: label(seconds), ..status(pid, Want::Up, None) };
        let judge = |now| {
            restart.judge(Some((label(100), 7)), &Now { status: now, detail: Known::Nothing })
        };
        assert_eq!(judge(at(7, 100)), Verdict::NotYet);
        assert_eq!(judge(at(0, 101)), Verdict::NotYet);
        assert_eq!(judge(at(8, 102)), Verdict::Reached);
        // The clock was set back to the same moment; the process id came around again.
        assert_eq!(judge(at(8, 100)), Verdict::Reached);
        assert_eq!(judge(at(7, 102)), Verdict::Reached);
        for want in [Want::Down, Want::Once] {
            assert!(matches!(judge(status(0, want, None)), Verdict::Never(_)));
        }
        assert_eq!(judge(status(0, Want::Once, Some(State::Starting))), Verdict::NotYet);
    }

    #[test]
    fn a_job_has_not_ended_before_it_began() {
        let job = Goal { expects: Some(Want::Once), ..goal(Target::Down) };
        let judge = |state, seconds| {
            let status = Status { since: label(seconds), ..status(0, Want::Once, state) };
            job.judge(Some((label(100), 0)), &Now { status, detail: Known::Nothing })
        };
        assert_eq!(judge(None, 100), Verdict::NotYet);
        assert_eq!(judge(None, 101), Verdict::Reached);
        // Ours knows how the start went: if it failed, nothing follows.
        assert_eq!(judge(Some(State::Stopped), 100), Verdict::Reached);
    }

    #[test]
    fn ready_is_what_the_service_says_or_up_where_it_says_nothing() {
        let now = status(7, Want::Up, Some(State::Running));
        let detail = |notifies, ready| Detail {
            since: now.since,
            pid: now.pid,
            phase: Phase::Up,
            notifies,
            ready,
            until: None,
            death: None,
            restarts: Restarts::default(),
        };
        for (detail, expected) in [
            (Known::Nothing, Verdict::Reached),
            (Known::Older, Verdict::NotYet),
            (Known::Told(detail(false, None).into()), Verdict::Reached),
            (Known::Told(detail(true, None).into()), Verdict::NotYet),
            (Known::Told(detail(true, Some(label(101))).into()), Verdict::Reached),
        ] {
            let verdict = goal(Target::Ready).judge(None, &Now { status: now, detail });
            assert_eq!(verdict, expected, "{detail:?}");
            assert_eq!(
                goal(Target::Up).judge(None, &Now { status: now, detail }),
                Verdict::Reached
            );
        }
        let failed = Detail { phase: Phase::Failed(Failure::Exit), ..detail(false, None) };
        assert_eq!(failure(Known::Told(failed.into())), "it has failed for good: run exited 100");
    }

    #[test]
    fn what_a_supervise_leaves() {
        let ended = status(0, Want::Down, Some(State::Stopped));
        let exited = status(0, Want::Up, Some(State::Stopped));
        let killed = status(7, Want::Down, Some(State::Stopping));
        for (target, left, expected) in [
            (Target::Gone, None, Verdict::Reached),
            (Target::Gone, Some(&killed), Verdict::Reached),
            (Target::Down, Some(&ended), Verdict::Reached),
            (Target::Down, Some(&killed), Verdict::NotYet),
            (Target::Down, None, Verdict::NotYet),
            (Target::Up, Some(&ended), Verdict::NotYet),
            (Target::Ready, None, Verdict::NotYet),
        ] {
            assert_eq!(goal(target).judge_left(left), expected);
        }
        // svc -xWdown, and svc -D whose letter came too late.
        assert_eq!(goal(Target::Down).judge_left(Some(&exited)), Verdict::Reached);
        let told = Goal { expects: Some(Want::Down), ..goal(Target::Down) };
        assert_eq!(told.judge_left(Some(&exited)), Verdict::NotYet);
    }

    #[test]
    fn letters_are_obeyed_when_the_status_says_so() {
        let expecting = |want| Goal { expects: want, ..goal(Target::Up) };
        for want in WANTS {
            let now = status(7, want, None);
            assert!(expecting(None).is_obeyed(&now) && expecting(Some(want)).is_obeyed(&now));
            let others = WANTS.into_iter().filter(|other| *other != want);
            assert!(others.into_iter().all(|other| !expecting(Some(other)).is_obeyed(&now)));
        }
        let failed = status(0, Want::Down, Some(State::Failed));
        assert!(expecting(Some(Want::Up)).is_obeyed(&failed));
    }

    #[test]
    fn states_that_go_together() {
        let all = [Target::Down, Target::Up, Target::Ready, Target::Gone];
        for one in all {
            assert_eq!(Target::named(one.name().as_bytes()), Some(one));
            for other in all {
                assert_eq!(one.and(other), other.and(one));
            }
            assert_eq!(one.and(one), Some(one));
        }
        assert_eq!(Target::Up.and(Target::Ready), Some(Target::Ready));
        assert_eq!(Target::Down.and(Target::Gone), Some(Target::Gone));
        assert_eq!(Target::Down.and(Target::Up), None);
        assert_eq!(Target::named(b"Up"), None);
    }
}
