//! What the machine decides, carried out. How a script is started is in [`super::execute`].

use super::{NAME, RETRY, Supervise};
use crate::command::Command;
use crate::detail::{Death, Details, Failure, How};
use crate::directory::{PublishError, Unmended, parts};
use crate::machine::{Event, Phase, Script};
use crate::pace::{PAUSE, Pace};
use crate::scripts::{Role, word};
use crate::service::Whom;
use crate::status::{Statuses, Want};
use common::Exit;
use common::tai64n::Label;
use core::ffi::CStr;
use sys::clock;
use sys::signal::Signal;

impl Supervise {
    /// Takes in an event, and those that follow from it. Whether supervise's work is over.
    pub(super) fn happen(&mut self, role: Role, event: Event) -> bool {
        // A service that is down for good stays so, while its log reads on.
        if role == Role::Service && self.leaving.is_some() {
            return false;
        }
        let mut next = Some(event);
        while let Some(event) = next.take() {
            let back_off = self.options.back_off.filter(|_| role == Role::Service);
            let part = self.part(role);
            let before = part.machine.phase();
            let effects = part.machine.step(event);
            let after = part.machine.phase();
            if effects.stamp {
                part.since = Label::now();
            }
            if effects.afresh {
                part.pace = Pace::default();
                part.due = part.tried + PAUSE;
            }
            if before != after {
                part.wait_for(after, back_off);
            }
            if effects.spare {
                part.spare();
            }
            let end = effects.end && self.prepare_end(role);
            if effects.publish && !(event == Event::Ended && self.part(role).is_due()) {
                self.publish();
            }
            let whom = self.whom;
            let part = self.part(role);
            if let (Some(signal), Some(process)) = (effects.signal, &part.process) {
                process.signal(signal, whom);
                part.was_sent(signal);
            }
            if end {
                self.begin_end(role);
            }
            if let Some(script) = effects.execute {
                next = Some(self.execute(role, script, event));
            }
            if effects.exit {
                return self.go(role);
            }
        }
        self.part(role).settle_record();
        let service = &self.service.machine;
        role == Role::Service
            && service.exits()
            && service.want() != Want::Up
            && self.let_log_read()
    }

    /// A `log` that was stopped would never read what is left; and a service whose pipe is full may not end.
    fn let_log_read(&mut self) -> bool {
        self.log.as_ref().is_some_and(|(log, _)| log.machine.paused())
            && self.happen(Role::Log, Event::Command(Command::Continue))
    }

    /// The service or the log is down for good. Whether that was the last of them.
    fn go(&mut self, role: Role) -> bool {
        if role == Role::Log || self.log.is_none() {
            return true;
        }
        let now = clock::monotonic();
        self.leaving = Some(now);
        self.let_log_read() || self.leave(now)
    }

    /// The process of a script has ended.
    pub(super) fn end(&mut self, role: Role, how: How) -> bool {
        let options = self.options;
        let now = clock::monotonic();
        let part = self.part(role);
        let pid = part.pid();
        part.process = None;
        part.end_by = None;
        part.draining = false;
        let asked = core::mem::take(&mut part.asked);
        let Phase::Runs(script) = part.machine.phase() else { return false };
        let mut failure = options.verdict(script, how);
        if script == Script::Run {
            part.death = Some(Death { at: Label::now(), pid, how });
            part.readiness = None;
            part.ready = None;
            if part.machine.want() == Want::Up && !part.machine.exits() && !asked {
                let limit = options.limit.filter(|_| role == Role::Service);
                let lived = now.saturating_sub(part.tried);
                let often = part.pace.died(now, lived, limit);
                failure = failure.or(often.then_some(Failure::Restarts));
            }
        }
        let (event, code) = numbers(how);
        self.notify(word(role, script), event, pid, code);
        self.happen(role, failure.map_or(Event::Ended, Event::Failed))
    }
    /// What runs is about to be told to end: until when it may run, and whether it must wait. Whether
    /// it isn't waiting already: being told again and again puts nothing off.
    fn prepare_end(&mut self, role: Role) -> bool {
        let time = self.options.timeout_kill.filter(|_| role == Role::Service);
        let holds_back = role == Role::Service && self.logger.is_some();
        let part = self.part(role);
        if part.draining {
            return false;
        }
        part.draining = holds_back;
        if !holds_back {
            part.end_by = part.end_by.or(time.map(|time| clock::monotonic() + time));
        }
        true
    }

    fn begin_end(&mut self, role: Role) {
        if !self.part(role).draining {
            return self.send_end(role);
        }
        // One that is stopped would never read what is left.
        if let Some(process) = &self.service.process {
            process.signal(Signal::CONT, Whom::Alone);
        }
        self.logger.iter_mut().for_each(|logger| logger.ask(clock::monotonic()));
    }

    /// What a logger had to read, it has read.
    pub(super) fn tell_to_end(&mut self, role: Role) {
        let time = self.options.timeout_kill;
        let part = self.part(role);
        part.draining = false;
        part.end_by = time.map(|time| clock::monotonic() + time);
        self.send_end(role);
    }

    fn send_end(&mut self, role: Role) {
        let (signal, whom) = match role {
            Role::Service if self.options.down_group() => (self.options.down_signal, Whom::Group),
            Role::Service => (self.options.down_signal, self.whom),
            Role::Log => (Signal::TERM, self.whom),
        };
        if let Some(process) = &self.part(role).process {
            process.signal(signal, whom);
            // A stopped one must go on to notice.
            process.signal(Signal::CONT, whom);
        }
    }

    /// Writes down what goes on.
    pub(super) fn publish(&mut self) {
        match self.directory.mend() {
            Ok(()) => {}
            Err(Unmended::System(path, errno)) => {
                NAME.warn_errno(&parts(b"unable to restore ", self.name, path), errno);
            }
            Err(Unmended::Taken(path)) => {
                // Whoever has it has found our record, and goes on with the service.
                let [verb, name, slash, path] = parts(b"unable to keep ", self.name, path);
                let why = b": another supervise has it now";
                NAME.fatal(Exit::TEMPORARY.0, &[verb, name, slash, path, why]).say();
                self.is_replaced = true;
                return;
            }
        }
        let result = self.write_status();
        let noted = self.note_processes();
        self.unpublished = (result.is_err() || !noted).then(|| clock::monotonic() + RETRY);
        if let Err(error) = result {
            self.directory.warn(NAME, error);
        }
    }

    /// Notes what runs where that couldn't be done when it was started. Whether all is noted now.
    pub(super) fn note_processes(&mut self) -> bool {
        let service = self.service.note_process();
        self.log.as_mut().is_none_or(|(log, _)| log.note_process()) && service
    }

    pub(super) fn write_status(&self) -> Result<(), PublishError> {
        self.directory.publish(&self.statuses(), &self.details())
    }

    fn statuses(&self) -> Statuses {
        let log = self.log.as_ref().map(|(log, _)| log.status());
        Statuses { service: self.service.status(), log }
    }

    fn details(&self) -> Details {
        let log = self.log.as_ref().map(|(log, _)| log.detail());
        Details { service: Some(self.service.detail()), log }
    }
}

/// How `notify` is told of an end: the word for it, and the exit code or signal.
fn numbers(how: How) -> (&'static CStr, u8) {
    match how {
        How::Exit(code) => (c"exit", code),
        How::Signal(signal) => (c"killed", signal),
        // It wasn't our child: nobody can tell.
        How::Unknown => (c"unknown", 0),
    }
}
