//! What supervise decides: a state, an event, and what is to be done about it. Nothing here touches
//! the system; [`crate::daemon`] does.
//!
//! ```text
//!            Down          Delayed        Up                     Draining (a logger only)
//! u          start         -              -                      Up
//! o          start         -              -                      Up
//! d          -             Down           TERM CONT / Draining   -
//! x          exit          Down, exit     -                      -
//! p c        -             -              STOP / CONT            STOP / CONT
//! h a i t k  -             -              the signal             the signal
//! Started    Up            Up             -                      -
//! NotRun     Delayed/Down  Delayed/Down   -                      -
//! NotForked  Delayed       Delayed        -                      -
//! Ended      -             -              Delayed/Down/exit      Down/exit
//! Due        -             start          -                      -
//! Drained    -             -              -                      Up, TERM CONT
//! Terminate  = d, then x
//! ```

use crate::command::Command;
use crate::status::Want;
use sys::signal::Signal;

/// The state of a supervised service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    service: Service,
    want: Want,
    paused: bool,
    /// supervise ends as soon as the service is down.
    exit: bool,
    /// The service logs what another one writes, and must read all of it before it is ended.
    logger: bool,
}

/// Where a service is between down and up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// It doesn't run.
    Down,
    /// It doesn't run, and is started again at the next [`Event::Due`].
    Delayed,
    /// It runs.
    Up,
    /// It runs, and is to be told to end at the next [`Event::Drained`].
    Draining,
}

/// What happens to a supervise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// All is prepared: the first event, once.
    Begin,
    /// A letter came through the control FIFO.
    Command(Command),
    /// The service was started and runs.
    Started,
    /// `run` couldn't be executed.
    NotRun,
    /// There was no process to be had for it.
    NotForked,
    /// The service has ended.
    Ended,
    /// A start that was put off is due.
    Due,
    /// Nothing is left that a logger would have to read first, or the time for it is over.
    Drained,
    /// supervise itself got TERM.
    Terminate,
}

/// What is to be done, in the order of the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// The service has just come up or gone down: note the time.
    pub stamp: bool,
    /// Write the status.
    pub publish: bool,
    /// Send the service these signals.
    pub signals: &'static [Signal],
    /// Start the service; the outcome is the next event.
    pub start: bool,
    /// End supervise.
    pub exit: bool,
}

impl Machine {
    /// A service that is down.
    #[must_use]
    pub fn down(want: Want, logger: bool) -> Self {
        Self { service: Service::Down, want, paused: false, exit: false, logger }
    }

    /// A service that an earlier supervise left behind, running.
    #[must_use]
    pub fn adopted(want: Want, paused: bool, logger: bool) -> Self {
        Self { service: Service::Up, want, paused, exit: false, logger }
    }

    /// Where the service is.
    #[must_use]
    pub fn service(&self) -> Service {
        self.service
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

    /// Takes in an event; gives what is to be done.
    #[must_use]
    pub fn step(&mut self, event: Event) -> Effects {
        match event {
            Event::Begin => self.begin(),
            Event::Command(command) => self.command(command),
            Event::Started => self.started(),
            Event::NotRun => self.not_up(self.want == Want::Up),
            Event::NotForked => self.not_up(self.want != Want::Down),
            Event::Ended => self.ended(),
            Event::Due => self.due(),
            Event::Drained => self.drained(),
            Event::Terminate => {
                let down = self.command(Command::Down);
                let exit = self.command(Command::Exit);
                Effects { signals: down.signals, ..exit }
            }
        }
    }

    fn begin(&mut self) -> Effects {
        match (self.service, self.want) {
            (Service::Down, Want::Up) => START,
            // The supervise before us may have been killed between the letter and the signal.
            (Service::Up, Want::Down) => self.command(Command::Down),
            // The status was written before we let ourselves be seen.
            (Service::Up, Want::Up | Want::Once)
            | (Service::Down, Want::Down | Want::Once)
            | (Service::Delayed | Service::Draining, _) => Effects::default(),
        }
    }

    fn command(&mut self, command: Command) -> Effects {
        match command {
            Command::Up => self.want_it(Want::Up),
            Command::Once => self.want_it(Want::Once),
            Command::Down => self.take_down(),
            Command::Exit => {
                self.exit = true;
                match self.service {
                    Service::Down => EXIT,
                    Service::Delayed => {
                        self.service = Service::Down;
                        EXIT
                    }
                    Service::Up | Service::Draining => PUBLISH,
                }
            }
            Command::Pause if self.runs() => {
                self.paused = true;
                publish_and_send(&[Signal::STOP])
            }
            Command::Continue if self.runs() => {
                self.paused = false;
                publish_and_send(&[Signal::CONT])
            }
            Command::Pause | Command::Continue => Effects::default(),
            Command::Send(signal) if self.runs() => {
                Effects { signals: alone(signal), ..Effects::default() }
            }
            Command::Send(_)
            | Command::Group
            | Command::Alone
            | Command::Log
            | Command::Service
            | Command::Upgrade => Effects::default(),
        }
    }

    fn want_it(&mut self, want: Want) -> Effects {
        self.want = want;
        match self.service {
            Service::Down => START,
            Service::Delayed | Service::Up => PUBLISH,
            Service::Draining => {
                self.service = Service::Up;
                PUBLISH
            }
        }
    }

    fn take_down(&mut self) -> Effects {
        self.want = Want::Down;
        match self.service {
            Service::Down | Service::Draining => PUBLISH,
            Service::Delayed => {
                self.service = Service::Down;
                PUBLISH
            }
            Service::Up if self.logger => {
                // One that is stopped would never read what is left.
                let signals: &[Signal] = if self.paused { &[Signal::CONT] } else { &[] };
                self.paused = false;
                self.service = Service::Draining;
                publish_and_send(signals)
            }
            Service::Up => {
                self.paused = false;
                publish_and_send(END)
            }
        }
    }

    fn started(&mut self) -> Effects {
        if self.runs() {
            return Effects::default();
        }
        self.service = Service::Up;
        self.paused = false;
        Effects { stamp: true, ..PUBLISH }
    }

    fn not_up(&mut self, again: bool) -> Effects {
        if self.runs() {
            return Effects::default();
        }
        self.service = if again { Service::Delayed } else { Service::Down };
        PUBLISH
    }

    fn ended(&mut self) -> Effects {
        if !self.runs() {
            return Effects::default();
        }
        self.paused = false;
        self.service = match self.want {
            Want::Up if !self.exit => Service::Delayed,
            Want::Up | Want::Down | Want::Once => Service::Down,
        };
        Effects { stamp: true, exit: self.exit, ..PUBLISH }
    }

    fn due(&mut self) -> Effects {
        match self.service {
            Service::Delayed => Effects { start: true, ..Effects::default() },
            Service::Down | Service::Up | Service::Draining => Effects::default(),
        }
    }

    fn drained(&mut self) -> Effects {
        match self.service {
            Service::Draining => {
                self.service = Service::Up;
                self.paused = false;
                publish_and_send(END)
            }
            Service::Down | Service::Delayed | Service::Up => Effects::default(),
        }
    }

    fn runs(&self) -> bool {
        match self.service {
            Service::Up | Service::Draining => true,
            Service::Down | Service::Delayed => false,
        }
    }
}

/// How a service is told to end: a stopped one must go on to notice.
const END: &[Signal] = &[Signal::TERM, Signal::CONT];

const PUBLISH: Effects =
    Effects { stamp: false, publish: true, signals: &[], start: false, exit: false };
const EXIT: Effects = Effects { exit: true, ..PUBLISH };
/// The status follows when it is known how the start went.
const START: Effects = Effects { start: true, publish: false, ..PUBLISH };

fn publish_and_send(signals: &'static [Signal]) -> Effects {
    Effects { signals, ..PUBLISH }
}

/// The signals that a letter alone can send.
fn alone(signal: Signal) -> &'static [Signal] {
    static ALL: [Signal; 9] = [
        Signal::HUP,
        Signal::ALARM,
        Signal::INT,
        Signal::TERM,
        Signal::KILL,
        Signal::QUIT,
        Signal::USR1,
        Signal::USR2,
        Signal::WINCH,
    ];
    ALL.iter().position(|known| *known == signal).map_or(&[], |at| &ALL[at..=at])
}

#[cfg(test)]
mod tests;
