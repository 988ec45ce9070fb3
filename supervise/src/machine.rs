//! What supervise decides: a state, an event, and what is to be done about it. Nothing here touches
//! the system; [`crate::daemon`] does.
//!
//! The whole of it, for a service that is wanted up. `<start>` means to try that script next, and what
//! comes of it is the next event; a script that isn't there is passed over at once (Absent).
//!
//! ```text
//!            Down      Waiting       Started   Runs: start    run            finish         stop
//! u o        <start>   -             -         -              -              -              -
//! d          -         Down/<stop>   <stop>    end it         end it         -              -
//! x          exit      Down/<stop>*  -         -              -              -              -
//! p c h ...  -         -             -         the signal     the signal     the signal     the signal
//! Began      -         -             -         -              -              -              -
//! Absent     -         -             -         <run>          Started        Waiting/<stop> Waiting/Down
//! NotRun     -         -             -         Waiting/Down   Waiting/Down   Waiting/<stop> Waiting/Down
//! NotForked  -         -             -         Waiting/Down   Waiting/Down   Waiting        Waiting
//! Ended      -         -             -         <run>/<stop>   <finish>       Waiting/<stop> Waiting/Down
//! Failed     -         -             -         Down           <finish>       <stop>         Waiting/Down
//! Due        -         <the script>  -         -              -              -              -
//! Terminate  = d, then x
//! ```
//!
//! `Waiting/<stop>`: the former if it is wanted up and supervise isn't told to end, else the latter;
//! after `stop` supervise ends if it was told to. *: but what is wanted once, and waits for that, has its run
//! first. (`cox` is what svscan tells a logger's supervise in the end: what is left in the pipe is to be read even
//! if the logger has ended a moment ago.)
//!
//! `log`, when supervise runs it, is a second machine: one whose `start`, `finish` and `stop` are
//! always absent.

use crate::command::Command;
use crate::detail::Failure;
use crate::status::Want;
use sys::signal::Signal;

/// The state of a supervised service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    phase: Phase,
    want: Want,
    paused: bool,
    /// supervise ends as soon as the service is down.
    exit: bool,
    /// `start` or `run` has run since it was last down: it isn't down before `stop` has, too.
    begun: bool,
    /// Why it isn't started again.
    failed: Option<Failure>,
}

/// Where a service is between down and up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It doesn't run.
    Down,
    /// It doesn't run, and this script is tried at the next [`Event::Due`].
    Waiting(Script),
    /// Its `start` has run, and there is no `run`.
    Started,
    /// This script runs, or is being tried.
    Runs(Script),
}

/// What a service consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// Runs once before `run` does, and must succeed.
    Start,
    /// The service itself.
    Run,
    /// Runs after each end of `run`.
    Finish,
    /// Runs once after the last end of `run`.
    Stop,
}

/// What happens to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// All is prepared: the first event, once.
    Begin,
    /// A letter came through the control FIFO.
    Command(Command),
    /// The script that was to be tried runs.
    Began,
    /// There is no such script.
    Absent,
    /// It couldn't be executed.
    NotRun,
    /// There was no process to be had for it.
    NotForked,
    /// The script has ended.
    Ended,
    /// It has ended in a way that is a failure for good.
    Failed(Failure),
    /// A try that was put off is due.
    Due,
    /// supervise itself got TERM.
    Terminate,
}

/// What is to be done, in the order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// A script has just come up or gone down: note the time.
    pub stamp: bool,
    /// Somebody wants it started: what has gone wrong so far doesn't count any more.
    pub afresh: bool,
    /// What was asked to end may stay: no KILL follows, no pipe is waited for.
    pub spare: bool,
    /// Write the status.
    pub publish: bool,
    /// Send what runs this signal.
    pub signal: Option<Signal>,
    /// Tell what runs to end.
    pub end: bool,
    /// Try to start this script; the outcome is the next event.
    pub execute: Option<Script>,
    /// End supervise.
    pub exit: bool,
}

impl Machine {
    /// A service that is down.
    #[must_use]
    pub fn down(want: Want, failed: Option<Failure>) -> Self {
        let phase = Phase::Down;
        Self { phase, want, paused: false, exit: false, begun: false, failed }
    }

    /// A service that an earlier supervise left behind.
    #[must_use]
    pub fn adopted(phase: Phase, want: Want, paused: bool) -> Self {
        let begun = match phase {
            Phase::Started | Phase::Runs(_) => true,
            Phase::Down | Phase::Waiting(_) => false,
        };
        Self { phase, want, paused, exit: false, begun, failed: None }
    }

    /// With what else a predecessor knew of it.
    #[must_use]
    pub fn and(self, exit: bool, begun: bool, failed: Option<Failure>) -> Self {
        Self { exit, begun, failed, ..self }
    }

    /// Where the service is.
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What is wanted of it.
    #[must_use]
    pub fn want(&self) -> Want {
        self.want
    }

    /// Whether it was stopped by `svc -p`.
    #[must_use]
    pub fn paused(&self) -> bool {
        self.paused
    }

    /// Whether supervise ends when it is down.
    #[must_use]
    pub fn exits(&self) -> bool {
        self.exit
    }

    /// Whether `stop` is due before it is down.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// Why it isn't started again, if it has failed.
    #[must_use]
    pub fn failed(&self) -> Option<Failure> {
        self.failed
    }

    /// Takes in an event; gives what is to be done.
    #[must_use]
    pub fn step(&mut self, event: Event) -> Effects {
        match event {
            Event::Begin => self.begin(),
            Event::Command(command) => self.command(command),
            Event::Began => self.began(),
            Event::Absent => self.passed_over(),
            Event::NotRun => self.not_run(),
            Event::NotForked => self.not_forked(),
            Event::Ended => self.ended(None),
            Event::Failed(failure) => self.ended(Some(failure)),
            Event::Due => match self.phase {
                Phase::Waiting(script) => self.execute(script),
                Phase::Down | Phase::Started | Phase::Runs(_) => Effects::default(),
            },
            Event::Terminate => {
                let down = self.take_down();
                let exit = self.leave();
                Effects { end: down.end, execute: down.execute.or(exit.execute), ..exit }
            }
        }
    }

    fn begin(&mut self) -> Effects {
        match (self.phase, self.want) {
            (Phase::Down, Want::Up) => self.execute(Script::Start),
            // The supervise before us may have been killed between the letter and the signal.
            (Phase::Runs(Script::Start | Script::Run) | Phase::Started, Want::Down) => {
                self.take_down()
            }
            // The status was written before we let ourselves be seen.
            (Phase::Started | Phase::Runs(_), _)
            | (Phase::Down, Want::Down | Want::Once)
            | (Phase::Waiting(_), _) => Effects::default(),
        }
    }

    fn command(&mut self, command: Command) -> Effects {
        match command {
            Command::Up => self.want_it(Want::Up),
            Command::Once => self.want_it(Want::Once),
            Command::Down => self.take_down(),
            Command::Exit => self.leave(),
            Command::Pause => self.pause(true, Signal::STOP),
            Command::Continue => self.pause(false, Signal::CONT),
            Command::Send(signal) => {
                Effects { signal: self.runs().then_some(signal), ..Effects::default() }
            }
            // These say whom the others are for.
            Command::Group
            | Command::Alone
            | Command::Log
            | Command::Service
            | Command::Upgrade => Effects::default(),
        }
    }

    fn want_it(&mut self, want: Want) -> Effects {
        self.want = want;
        self.failed = None;
        match self.phase {
            Phase::Down => Effects { afresh: true, ..self.execute(Script::Start) },
            Phase::Waiting(_) => Effects { afresh: true, ..PUBLISH },
            Phase::Started => PUBLISH,
            Phase::Runs(_) => Effects { spare: true, ..PUBLISH },
        }
    }

    fn take_down(&mut self) -> Effects {
        self.want = Want::Down;
        match self.phase {
            Phase::Waiting(Script::Start | Script::Run) => self.clean_up(),
            Phase::Started => self.execute(Script::Stop),
            Phase::Runs(Script::Start | Script::Run) => {
                self.paused = false;
                Effects { end: true, ..PUBLISH }
            }
            // These two are on its way down.
            Phase::Waiting(Script::Finish | Script::Stop)
            | Phase::Runs(Script::Finish | Script::Stop)
            | Phase::Down => PUBLISH,
        }
    }

    fn leave(&mut self) -> Effects {
        self.exit = true;
        match self.phase {
            Phase::Down => EXIT,
            Phase::Waiting(Script::Start | Script::Run) if self.want != Want::Once => {
                self.clean_up()
            }
            Phase::Waiting(_) | Phase::Started | Phase::Runs(_) => PUBLISH,
        }
    }

    fn pause(&mut self, paused: bool, signal: Signal) -> Effects {
        if !self.runs() {
            return Effects::default();
        }
        self.paused = paused;
        Effects { signal: Some(signal), ..PUBLISH }
    }

    fn began(&mut self) -> Effects {
        let Phase::Runs(script) = self.phase else { return Effects::default() };
        self.begun |= matches!(script, Script::Start | Script::Run);
        self.paused = false;
        Effects { stamp: true, ..PUBLISH }
    }

    fn passed_over(&mut self) -> Effects {
        match self.phase {
            Phase::Runs(Script::Start) => self.execute(Script::Run),
            Phase::Runs(Script::Run) if self.want == Want::Down => self.clean_up(),
            Phase::Runs(Script::Run) => {
                self.phase = Phase::Started;
                self.begun = true;
                Effects { stamp: true, ..PUBLISH }
            }
            Phase::Runs(Script::Finish) => self.go_on(),
            Phase::Runs(Script::Stop) => self.come_to_rest(),
            Phase::Down | Phase::Waiting(_) | Phase::Started => Effects::default(),
        }
    }

    fn not_run(&mut self) -> Effects {
        match self.phase {
            Phase::Runs(Script::Start | Script::Run) if self.want == Want::Up && !self.exit => {
                self.wait_again()
            }
            Phase::Runs(Script::Start | Script::Run) => self.clean_up(),
            Phase::Runs(Script::Finish | Script::Stop) => self.passed_over(),
            Phase::Down | Phase::Waiting(_) | Phase::Started => Effects::default(),
        }
    }

    fn not_forked(&mut self) -> Effects {
        match self.phase {
            Phase::Runs(Script::Start | Script::Run)
                if self.want == Want::Once || self.want == Want::Up && !self.exit =>
            {
                self.wait_again()
            }
            Phase::Runs(Script::Start | Script::Run) => self.clean_up(),
            Phase::Runs(script @ (Script::Finish | Script::Stop)) => {
                self.phase = Phase::Waiting(script);
                PUBLISH
            }
            Phase::Down | Phase::Waiting(_) | Phase::Started => Effects::default(),
        }
    }

    fn ended(&mut self, failure: Option<Failure>) -> Effects {
        let Phase::Runs(script) = self.phase else { return Effects::default() };
        self.paused = false;
        if failure.is_some() {
            // Told to go down, it has done so.
            self.failed = failure.filter(|_| self.want != Want::Down).or(self.failed);
            self.want = Want::Down;
        }
        let next = match script {
            Script::Start if failure.is_some() => self.come_to_rest(),
            Script::Start if self.want == Want::Down => self.execute(Script::Stop),
            Script::Start => self.execute(Script::Run),
            Script::Run => self.execute(Script::Finish),
            Script::Finish => self.go_on(),
            Script::Stop => self.come_to_rest(),
        };
        Effects { stamp: true, ..next }
    }

    /// `run` has ended, and so has `finish`.
    fn go_on(&mut self) -> Effects {
        match self.want {
            Want::Up if !self.exit => self.wait_again(),
            Want::Up | Want::Down | Want::Once => self.execute(Script::Stop),
        }
    }

    /// Nothing runs, and nothing was to come but a start: so `stop`, unless nothing has begun.
    fn clean_up(&mut self) -> Effects {
        if self.begun { self.execute(Script::Stop) } else { self.come_to_rest() }
    }

    /// Nothing is left to be done.
    fn come_to_rest(&mut self) -> Effects {
        self.begun = false;
        match self.want {
            Want::Up if !self.exit => self.wait_again(),
            Want::Up | Want::Down | Want::Once => {
                self.phase = Phase::Down;
                Effects { exit: self.exit, ..PUBLISH }
            }
        }
    }

    fn wait_again(&mut self) -> Effects {
        self.phase = Phase::Waiting(if self.begun { Script::Run } else { Script::Start });
        PUBLISH
    }

    /// The status follows when it is known what came of it.
    fn execute(&mut self, script: Script) -> Effects {
        self.phase = Phase::Runs(script);
        Effects { execute: Some(script), ..Effects::default() }
    }

    fn runs(&self) -> bool {
        match self.phase {
            Phase::Runs(_) => true,
            Phase::Down | Phase::Waiting(_) | Phase::Started => false,
        }
    }
}

const PUBLISH: Effects = Effects {
    stamp: false,
    afresh: false,
    spare: false,
    publish: true,
    signal: None,
    end: false,
    execute: None,
    exit: false,
};
const EXIT: Effects = Effects { exit: true, ..PUBLISH };

#[cfg(test)]
mod tests;
