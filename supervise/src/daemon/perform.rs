//! What the machine decides, carried out: scripts started and told to end, states written down.

use super::{NAME, RETRY, Supervise};
use crate::detail::{Death, Details, How};
use crate::directory::{PublishError, parts};
use crate::machine::{Event, Phase, Script};
use crate::options::{Bad, Options};
use crate::pace::{PAUSE, Pace};
use crate::place::File;
use crate::readiness;
use crate::scripts::{Handed, Role, word};
use crate::service::{Process, Whom};
use crate::status::{Statuses, Want};
use common::tai64n::Label;
use core::ffi::CStr;
use sys::process::Pid;
use sys::signal::Signal;
use sys::spawn::SpawnError;
use sys::{AsFd, OwnedFd, clock};

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
            if effects.end {
                self.prepare_end(role);
            }
            if effects.publish {
                self.publish();
            }
            let whom = self.whom;
            let part = self.part(role);
            if let (Some(signal), Some(process)) = (effects.signal, &part.process) {
                process.signal(signal, whom);
                part.was_sent(signal);
            }
            if effects.end {
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
        false
    }

    /// The service or the log is down for good. Whether that was the last of them.
    fn go(&mut self, role: Role) -> bool {
        if role == Role::Log || self.log.is_none() {
            return true;
        }
        let now = clock::monotonic();
        self.leaving = Some(now);
        self.leave(now)
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
                failure = failure.or(often.then_some(crate::detail::Failure::Restarts));
            }
        }
        let (event, code) = numbers(how);
        self.notify(word(role, script), event, pid, code);
        self.happen(role, failure.map_or(Event::Ended, Event::Failed))
    }

    /// Tries to start a script; `cause` is what has led to it.
    fn execute(&mut self, role: Role, script: Script, cause: Event) -> Event {
        let begins = matches!(script, Script::Start | Script::Run);
        // At the very beginning it was read just now; and so it was when there is no `start`.
        let known = matches!(cause, Event::Begin | Event::Absent);
        if role == Role::Service && begins && !known {
            self.look();
        }
        let exists = match role {
            Role::Service => self.options.has(script),
            Role::Log => script == Script::Run,
        };
        if !exists {
            return Event::Absent;
        }
        let now = clock::monotonic();
        if begins {
            self.part(role).tried = now;
        }
        let started = match (role, script, self.options.notification) {
            (Role::Service, Script::Run, Some(number)) => {
                let path = self.place.path(File::Ready);
                match readiness::open(&path) {
                    Ok((reader, writer)) => {
                        self.service.readiness = Some(reader);
                        self.start(role, script, Some((&writer, number)))
                    }
                    Err(errno) => Err(SpawnError::Descriptor(errno)),
                }
            }
            _ => self.start(role, script, None),
        };
        let options = self.options;
        let part = self.part(role);
        match started {
            Ok(pid) => {
                let _ = part.record.as_mut().map(|record| record.complete(pid));
                part.process = Some(Process::child(pid, options.session()));
                if script == Script::Run {
                    part.notifies = role == Role::Service && options.notification.is_some();
                    if core::mem::take(&mut part.restarts_itself) {
                        part.restarts.note(now);
                    }
                }
                if script == Script::Finish {
                    part.end_by = options.timeout_finish.map(|time| now + time);
                }
                self.notify(word(role, script), c"start", pid.as_raw_pid().unsigned_abs(), 0);
                Event::Began
            }
            Err(failed) => {
                part.readiness = None;
                self.complain(role, script, failed)
            }
        }
    }

    fn start(
        &mut self,
        role: Role,
        script: Script,
        ready: Option<(&OwnedFd, i32)>,
    ) -> Result<Pid, SpawnError> {
        let (part, pipe) = match (&mut self.log, role) {
            (Some((_, pipe)), Role::Service) => (&mut self.service, Some((pipe.writer(), 1))),
            (Some((log, pipe)), Role::Log) => (log, Some((pipe.reader(), 0))),
            (None, Role::Service | Role::Log) => (&mut self.service, None),
        };
        let ready = ready.map(|(fd, number)| (fd.as_fd(), number));
        let mut descriptors = [(self.directory.lock().as_fd(), -1); 2];
        let mut count = 0;
        for each in [pipe, ready].into_iter().flatten() {
            descriptors[count] = each;
            count += 1;
        }
        let (code, signal) = last_words(part.how());
        let both = [code.as_c_str(), signal.as_c_str()];
        let handed = Handed {
            args: if script == Script::Finish { &both } else { &[] },
            descriptors: &descriptors[..count],
            session: self.options.session(),
            announce: part.record.as_mut().and_then(|record| record.announce(script).ok()),
        };
        self.scripts.start(role, script, handed)
    }

    fn complain(&self, role: Role, script: Script, failed: SpawnError) -> Event {
        match failed {
            SpawnError::Clone(errno) => {
                NAME.warn_errno(&[b"unable to fork for ", self.name, b", trying again"], errno);
                Event::NotForked
            }
            SpawnError::Directory(errno)
            | SpawnError::Descriptor(errno)
            | SpawnError::Exec(errno) => {
                let path = parts(b"unable to start ", self.name, word(role, script));
                NAME.fatal_errno(111, &path, errno).say();
                Event::NotRun
            }
        }
    }

    /// Tells `notify`, if there is one, what has happened to a script. Nobody waits for it.
    fn notify(&self, script: &CStr, event: &CStr, pid: u32, code: u8) {
        if !self.options.notifies() {
            return;
        }
        let (pid, code) = (Number::new(pid), Number::new(code.into()));
        let handed = Handed {
            args: &[script, event, pid.as_c_str(), code.as_c_str()],
            descriptors: &[],
            session: self.options.session(),
            announce: None,
        };
        if let Err(failed) = self.scripts.notify(handed) {
            let path = parts(b"unable to start ", self.name, c"notify");
            NAME.warn_errno(&path, failed.errno());
        }
    }

    /// Looks what the service directory asks for now.
    pub(super) fn look(&mut self) {
        match Options::read(|bad| warn(self.name, &bad)) {
            Ok(options) => self.options = options,
            // What was asked for before still counts.
            Err(errno) => NAME.warn_errno(&[b"unable to read ", self.name], errno),
        }
    }

    /// What runs is about to be told to end: until when it may run, and whether it must wait.
    fn prepare_end(&mut self, role: Role) {
        let time = self.options.timeout_kill.filter(|_| role == Role::Service);
        let holds_back = role == Role::Service && self.logger.is_some();
        let part = self.part(role);
        part.draining = holds_back;
        if !holds_back {
            part.end_by = time.map(|time| clock::monotonic() + time);
        }
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
        if let Err((path, errno)) = self.directory.mend() {
            NAME.warn_errno(&parts(b"unable to restore ", self.name, path), errno);
        }
        let result = self.write_status();
        self.unpublished = result.err().map(|_| clock::monotonic() + RETRY);
        if let Err(error) = result {
            self.directory.warn(NAME, error);
        }
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

/// Warns of a file that is malformed.
pub(super) fn warn(name: &[u8], bad: &Bad) {
    let [verb, name, slash, file] = parts(b"unable to use ", name, bad.file);
    match &bad.content {
        Ok(text) => NAME.warn(&[verb, name, slash, file, b": malformed: ", text.as_bytes()]),
        Err(errno) => NAME.warn_errno(&[verb, name, slash, file], *errno),
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

/// How `finish` is told of an end: the exit code, or 256; and the signal, or 0.
fn last_words(how: How) -> (Number, Number) {
    match how {
        How::Exit(code) => (Number::new(code.into()), Number::new(0)),
        How::Signal(signal) => (Number::new(256), Number::new(signal.into())),
        How::Unknown => (Number::UNKNOWN, Number::new(0)),
    }
}

/// A number's digits as an argument; nothing is allocated for it.
struct Number([u8; 12]);

impl Number {
    /// No number at all.
    const UNKNOWN: Self = Self(*b"unknown\0\0\0\0\0");

    fn new(number: u32) -> Self {
        let mut text = [0; 12];
        let digits = common::decimal(number.into());
        let digits = digits.as_bytes();
        text[..digits.len()].copy_from_slice(digits);
        Self(text)
    }

    fn as_c_str(&self) -> &CStr {
        // Ten digits at most leave room for the NUL.
        CStr::from_bytes_until_nul(&self.0).unwrap_or_default()
    }
}
