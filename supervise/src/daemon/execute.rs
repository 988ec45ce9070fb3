//! How scripts are started, and what they are told.

use super::{NAME, Supervise};
use crate::detail::How;
use crate::directory::parts;
use crate::machine::{Event, Script};
use crate::options::{Bad, Options};
use crate::place::File;
use crate::readiness;
use crate::scripts::{Handed, Role, word};
use crate::service::Process;
use core::ffi::CStr;
use sys::process::Pid;
use sys::spawn::SpawnError;
use sys::{AsFd, OwnedFd, clock};

impl Supervise {
    /// Tries to start a script; `cause` is what has led to it.
    pub(super) fn execute(&mut self, role: Role, script: Script, cause: Event) -> Event {
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
    pub(super) fn notify(&self, script: &CStr, event: &CStr, pid: u32, code: u8) {
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
    fn look(&mut self) {
        match Options::read(|bad| warn(self.name, &bad)) {
            Ok(options) => self.options = options,
            // What was asked for before still counts.
            Err(errno) => NAME.warn_errno(&[b"unable to read ", self.name], errno),
        }
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
