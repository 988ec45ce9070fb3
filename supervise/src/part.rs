//! One of the two that a supervise may run, the service or its `log`: what it does, what it did, and
//! when something is due.

use crate::detail::{Death, Detail, How, Phase as Shown, Restarts};
use crate::machine::{Machine, Phase, Script};
use crate::pace::{PAUSE, Pace};
use crate::record::Record;
use crate::scripts::Role;
use crate::service::Process;
use crate::status::{State, Status, Want};
use common::tai64n::Label;
use core::time::Duration;
use sys::signal::Signal;
use sys::{OwnedFd, clock};

/// The service, or its `log`. Moments are on the monotonic clock, labels on the host's.
#[derive(Debug)]
pub struct Part {
    /// Which of the two.
    pub role: Role,
    /// What goes on.
    pub machine: Machine,
    /// What runs.
    pub process: Option<Process>,
    /// What is left to the next supervise, should this one be killed.
    pub record: Option<Record>,
    /// When something last came up or went down.
    pub since: Label,
    /// When `start` or `run` was last tried.
    pub tried: Duration,
    /// When the next try is due.
    pub due: Duration,
    /// When what runs gets KILL.
    pub end_by: Option<Duration>,
    /// Whether it reads a pipe to its end before it is told to end.
    pub draining: bool,
    /// Whether its next start is one that nobody asked for.
    pub restarts_itself: bool,
    /// Whether what runs was sent a signal to end by: such an end says nothing of the service.
    pub asked: bool,
    /// How it tells that it is ready, if it does so and hasn't yet.
    pub readiness: Option<OwnedFd>,
    /// Whether it tells that at all.
    pub notifies: bool,
    /// When it did so.
    pub ready: Option<Label>,
    /// How it last ended.
    pub death: Option<Death>,
    /// How often it was started again lately.
    pub restarts: Restarts,
    /// How it has fared.
    pub pace: Pace,
}

impl Part {
    /// One of which nothing is known yet.
    #[must_use]
    pub fn new(role: Role, machine: Machine) -> Self {
        Self {
            role,
            machine,
            process: None,
            record: None,
            since: Label::now(),
            tried: Duration::ZERO,
            due: Duration::ZERO,
            end_by: None,
            draining: false,
            restarts_itself: false,
            asked: false,
            readiness: None,
            notifies: false,
            ready: None,
            death: None,
            restarts: Restarts::default(),
            pace: Pace::default(),
        }
    }

    /// The id of what runs; 0 if nothing does.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, |process| process.pid().as_raw_pid().unsigned_abs())
    }

    /// How it last ended, for `finish`.
    #[must_use]
    pub fn how(&self) -> How {
        self.death.map_or(How::Unknown, |death| death.how)
    }

    /// When something is to be done, if nothing happens before.
    #[must_use]
    pub fn next(&self, now: Duration) -> Option<Duration> {
        let due = match self.machine.phase() {
            Phase::Waiting(_) => Some(self.due),
            Phase::Down | Phase::Started | Phase::Runs(_) => None,
        };
        let drain = self.draining.then(|| now + crate::logger::STEP);
        let watch = self.process.as_ref().filter(|process| process.must_be_watched());
        let watch = watch.map(|_| now + PAUSE);
        [due, self.end_by, drain, watch].into_iter().flatten().min()
    }

    /// Whether it is started again this very moment: what the status says of it meanwhile, nobody could
    /// read in time, and to write it would double what a restart costs.
    #[must_use]
    pub fn is_due(&self) -> bool {
        match self.machine.phase() {
            Phase::Waiting(Script::Start | Script::Run) => self.due <= clock::monotonic(),
            Phase::Waiting(Script::Finish | Script::Stop)
            | Phase::Down
            | Phase::Started
            | Phase::Runs(_) => false,
        }
    }

    /// Somebody has sent it a signal by a letter.
    pub fn was_sent(&mut self, signal: Signal) {
        let ends = [Signal::TERM, Signal::KILL, Signal::INT, Signal::QUIT];
        self.asked |= ends.contains(&signal);
    }

    /// Nothing runs: so nothing is noted, either. (Only now, when all that follows from an end is
    /// under way: a supervise that is killed in between is to find the end, and do the rest.)
    pub fn settle_record(&mut self) {
        if self.process.is_none() {
            // That it can't be written is passed over: it is for accidents, and the status, in the
            // same directory, has warned of the same.
            let _ = self.record.as_mut().map(Record::settle);
        }
    }

    /// What runs is noted, if that couldn't be done when it was started. Whether it is noted now.
    pub fn note_process(&mut self) -> bool {
        let (Some(process), Phase::Runs(script)) = (&self.process, self.machine.phase()) else {
            return true;
        };
        let pid = process.pid();
        self.record.as_mut().is_none_or(|record| record.catch_up(script, pid).is_ok())
    }

    /// It has come to another phase: if it waits there, until when, and for what.
    pub fn wait_for(&mut self, phase: Phase, back_off: Option<Duration>) {
        let now = clock::monotonic();
        self.due = match phase {
            Phase::Waiting(Script::Start | Script::Run) => self.pace.due(self.tried, now, back_off),
            // There was no process to be had for it.
            Phase::Waiting(Script::Finish | Script::Stop) => now + PAUSE,
            Phase::Down | Phase::Started | Phase::Runs(_) => return,
        };
        self.restarts_itself = phase == Phase::Waiting(Script::Run);
    }

    /// What was told to end may stay. (`finish` has a limit of its own.)
    pub fn spare(&mut self) {
        self.draining = false;
        match self.machine.phase() {
            Phase::Runs(Script::Start | Script::Run) => self.end_by = None,
            Phase::Runs(Script::Finish | Script::Stop)
            | Phase::Down
            | Phase::Waiting(_)
            | Phase::Started => {}
        }
    }

    /// Its bytes of the status.
    #[must_use]
    pub fn status(&self) -> Status {
        let state = match self.machine.phase() {
            Phase::Down if self.machine.failed().is_some() => State::Failed,
            Phase::Down => State::Stopped,
            Phase::Waiting(Script::Start | Script::Run) | Phase::Runs(Script::Start) => {
                State::Starting
            }
            Phase::Started => State::Started,
            Phase::Runs(Script::Run) if self.machine.want() == Want::Down => State::Stopping,
            Phase::Runs(Script::Run) => State::Running,
            Phase::Waiting(Script::Finish | Script::Stop)
            | Phase::Runs(Script::Finish | Script::Stop) => State::Stopping,
        };
        Status {
            since: self.since,
            pid: self.pid(),
            paused: self.machine.paused(),
            want: self.machine.want(),
            state: Some(state),
        }
    }

    /// Its record of the detail.
    #[must_use]
    pub fn detail(&self) -> Detail {
        let phase = match self.machine.phase() {
            Phase::Down => self.machine.failed().map_or(Shown::Down, Shown::Failed),
            Phase::Waiting(_) => Shown::Waiting,
            Phase::Started => Shown::Started,
            Phase::Runs(Script::Start) => Shown::Starting,
            Phase::Runs(Script::Run) if self.draining => Shown::Draining,
            Phase::Runs(Script::Run) if self.machine.want() == Want::Down => Shown::Stopping,
            Phase::Runs(Script::Run) => Shown::Up,
            Phase::Runs(Script::Finish) => Shown::Finishing,
            Phase::Runs(Script::Stop) => Shown::Cleaning,
        };
        let until = if phase == Shown::Waiting { Some(self.due) } else { self.end_by };
        Detail {
            since: self.since,
            pid: self.pid(),
            phase,
            notifies: self.notifies,
            ready: self.ready,
            until: until.map(label),
            death: self.death,
            restarts: self.restarts,
        }
    }
}

/// The host's clock at a moment of the monotonic one.
fn label(at: Duration) -> Label {
    let (now, host) = (clock::monotonic(), clock::realtime());
    Label::from_unix((host + at.saturating_sub(now)).saturating_sub(now.saturating_sub(at)))
}
