//! supervise itself: waits for what happens, and hands it to [`crate::machine`]. What that decides is
//! carried out in [`perform`]; how it all begins is in [`begin`], how a newer supervise goes on with it
//! in [`handover`].

mod begin;
mod execute;
mod handover;
mod perform;

use crate::command::Command;
use crate::detail::How;
use crate::directory::Directory;
use crate::logger::{self, Logger};
use crate::logpipe::LogPipe;
use crate::machine::{Event, Phase};
use crate::options::Options;
use crate::part::Part;
use crate::place::Place;
use crate::readiness::{self, Heard};
use crate::record::Record;
use crate::scripts::{Role, Scripts};
use crate::service::{Process, Whom};
use crate::status::Want;
use common::tai64n::Label;
use common::takeover::Origin;
use common::{Exit, Name};
use core::time::Duration;
use sys::poll::{PollFd, PollFlags, poll};
use sys::process::{Pid, WaitOptions, WaitStatus, wait};
use sys::signal::{self, Signal, SignalSet};
use sys::thread::{ClockId, clock_nanosleep_relative};
use sys::time::Timespec;
use sys::{AsFd, BorrowedFd, Errno, clock};

pub use begin::run;

const NAME: Name = Name("supervise");

/// A status that couldn't be written is tried again after this time, if nothing changes before.
const RETRY: Duration = Duration::from_secs(5);

const A_SECOND: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

struct Supervise {
    /// The service directory, as given: for messages.
    name: &'static [u8],
    origin: Origin,
    /// What stays blocked while we wait.
    mask: SignalSet,
    place: Place,
    directory: Directory,
    scripts: Scripts,
    options: Options,
    service: Part,
    /// The `log`, if supervise runs one, and the pipe to it.
    log: Option<(Part, LogPipe)>,
    /// If the service is itself a logger that svscan has started, what it logs.
    logger: Option<Logger>,
    /// Since when the service is down for good, and only the `log` is left.
    leaving: Option<Duration>,
    /// Whom signals are for, by the letters that are just being obeyed.
    whom: Whom,
    /// When to try again to write the status.
    unpublished: Option<Duration>,
    /// Whether a newer supervise is to take over.
    upgrade: bool,
    /// Whether we couldn't wait for anything when we last tried.
    is_deaf: bool,
    /// Whether another supervise has this directory now.
    is_replaced: bool,
}

impl Supervise {
    /// The loop: wait, find out what happened, do what is to be done.
    fn work(&mut self) -> Exit {
        let mut over = false;
        while !over {
            self.wait();
            let caught = signal::take();
            over = self.heed(caught)
                || (caught.contains(Signal::CHILD) && self.reap())
                || self.miss()
                || self.pass_time()
                || self.obey();
            if self.is_replaced {
                return Exit::TEMPORARY;
            }
            if self.upgrade && !over {
                self.upgrade = false;
                self.hand_over();
            }
        }
        self.finish()
    }

    /// Ends in order: nothing is left to the next supervise.
    fn finish(&mut self) -> Exit {
        let log = self.log.as_mut().and_then(|(log, _)| log.record.take());
        self.service.record.take().into_iter().chain(log).for_each(Record::remove);
        Exit::OK
    }

    fn wait(&mut self) {
        let control = self.directory.control().as_fd();
        let mut fds = [control; 4];
        let watched = [
            self.service.process.as_ref().and_then(Process::descriptor),
            self.log.as_ref().and_then(|(log, _)| log.process.as_ref()?.descriptor()),
            self.service.readiness.as_ref(),
        ];
        let mut count = 1;
        for fd in watched.into_iter().flatten() {
            fds[count] = fd.as_fd();
            count += 1;
        }
        let mut fds = fds.map(|fd: BorrowedFd<'_>| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        match poll(&mut fds[..count], self.timeout(), Some(self.mask)) {
            Ok(_) | Err(Errno::INTR) => self.is_deaf = false,
            Err(errno) => {
                // Too little memory even for that: what has come meanwhile is seen to once a second.
                if !core::mem::replace(&mut self.is_deaf, true) {
                    NAME.warn_errno(&[b"unable to wait for ", self.name, b", trying again"], errno);
                }
                let _ = clock_nanosleep_relative(ClockId::Monotonic, &A_SECOND);
            }
        }
    }

    /// How long to wait at most.
    fn timeout(&self) -> Option<Duration> {
        // A service that only waits for its process doesn't even look at the clock.
        let idle = |part: &Part| part.next(Duration::ZERO).is_none();
        let log = self.log.as_ref().map(|(log, _)| log);
        if idle(&self.service)
            && log.is_none_or(idle)
            && self.unpublished.is_none()
            && self.leaving.is_none()
        {
            return None;
        }
        let now = clock::monotonic();
        let leaving = self.leaving.map(|_| now + logger::STEP);
        let parts = [self.service.next(now), log.and_then(|log| log.next(now))];
        let next = parts.into_iter().chain([leaving, self.unpublished]).flatten().min();
        next.map(|next| next.saturating_sub(now))
    }

    /// Obeys the signals that we got ourselves.
    fn heed(&mut self, caught: SignalSet) -> bool {
        let end = caught.contains(Signal::TERM) || caught.contains(Signal::INT);
        (end && self.happen(Role::Service, Event::Terminate))
            || (caught.contains(Signal::TSTP) && self.command(Role::Service, Command::Pause))
            || (caught.contains(Signal::CONT) && self.command(Role::Service, Command::Continue))
            || (caught.contains(Signal::WINCH) && self.look_after())
    }

    /// Somebody has seen that the directory isn't whole: makes it so.
    fn look_after(&mut self) -> bool {
        self.publish();
        false
    }

    fn command(&mut self, role: Role, command: Command) -> bool {
        self.happen(role, Event::Command(command))
    }

    /// Reaps whatever child has ended.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    if let Some(role) = self.whose(pid)
                        && self.end(role, how(status))
                    {
                        return true;
                    }
                }
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => return false,
            }
        }
    }

    fn whose(&self, pid: Pid) -> Option<Role> {
        let is = |part: &Part| part.process.as_ref().is_some_and(|process| process.pid() == pid);
        if is(&self.service) {
            return Some(Role::Service);
        }
        self.log.as_ref().filter(|(log, _)| is(log)).map(|_| Role::Log)
    }

    /// Looks after those that aren't our children.
    fn miss(&mut self) -> bool {
        let gone = |part: &Part| part.process.as_ref().is_some_and(Process::is_gone);
        (gone(&self.service) && self.end(Role::Service, How::Unknown))
            || (self.log.as_ref().is_some_and(|(log, _)| gone(log))
                && self.end(Role::Log, How::Unknown))
    }

    /// What is due by the clock, and what the service has to tell.
    fn pass_time(&mut self) -> bool {
        let now = clock::monotonic();
        if let Some(pipe) = &self.service.readiness {
            match readiness::hear(pipe) {
                Heard::Nothing => {}
                Heard::Ready => {
                    self.service.readiness = None;
                    self.service.ready = Some(Label::now());
                    self.publish();
                }
                Heard::Over => self.service.readiness = None,
            }
        }
        if self.unpublished.is_some_and(|retry| now >= retry) {
            let written = self.write_status().is_ok();
            let noted = self.note_processes();
            self.unpublished = (!written || !noted).then_some(now + RETRY);
        }
        if self.service.draining && self.logger.as_mut().is_none_or(|l| l.is_drained(now)) {
            self.tell_to_end(Role::Service);
            self.publish();
        }
        self.pass_time_of(Role::Service, now)
            || (self.log.is_some() && self.pass_time_of(Role::Log, now))
            || self.leave(now)
    }

    fn pass_time_of(&mut self, role: Role, now: Duration) -> bool {
        let group = if self.options.down_group() { Whom::Group } else { Whom::Alone };
        let part = self.part(role);
        if part.end_by.is_some_and(|limit| now >= limit) {
            part.end_by = None;
            if let Some(process) = &part.process {
                process.signal(Signal::KILL, group);
            }
        }
        match part.machine.phase() {
            Phase::Waiting(_) if now >= part.due => self.happen(role, Event::Due),
            Phase::Waiting(_) | Phase::Down | Phase::Started | Phase::Runs(_) => false,
        }
    }

    /// When the service is down for good: lets the log read what there is to be read, and go.
    fn leave(&mut self, now: Duration) -> bool {
        let (Some(since), Some((log, pipe))) = (self.leaving, &self.log) else { return false };
        let reads = log.process.is_some() || log.machine.want() == Want::Up;
        let late = now.saturating_sub(since) >= logger::READING;
        !log.machine.exits()
            && (!reads || late || pipe.is_empty())
            && self.happen(Role::Log, Event::Terminate)
    }

    /// Obeys the letters that have come.
    fn obey(&mut self) -> bool {
        let mut letters = [0; 64];
        // An empty FIFO is an error, too: EAGAIN.
        let count = sys::read(self.directory.control(), &mut letters).unwrap_or(0);
        let mut role = Role::Service;
        let mut over = false;
        for command in letters[..count].iter().filter_map(|letter| Command::from_letter(*letter)) {
            match command {
                Command::Group => self.whom = Whom::Group,
                Command::Alone => self.whom = Whom::Alone,
                Command::Log => role = Role::Log,
                Command::Service => role = Role::Service,
                Command::Upgrade => self.upgrade = true,
                // That is for supervise, whoever it runs.
                Command::Exit => over = over || self.command(Role::Service, command),
                Command::Up
                | Command::Down
                | Command::Once
                | Command::Pause
                | Command::Continue
                | Command::Send(_) => {
                    let is_there = role == Role::Service || self.log.is_some();
                    over = over || (is_there && self.command(role, command));
                }
            }
        }
        self.whom = Whom::Alone;
        over
    }

    fn part(&mut self, role: Role) -> &mut Part {
        match (&mut self.log, role) {
            (Some((log, _)), Role::Log) => log,
            (_, Role::Log | Role::Service) => &mut self.service,
        }
    }
}

fn how(status: WaitStatus) -> How {
    let code = |code: i32| u8::try_from(code).unwrap_or(u8::MAX);
    match (status.exit_status(), status.terminating_signal()) {
        (Some(exit), _) => How::Exit(code(exit)),
        (None, Some(signal)) => How::Signal(code(signal)),
        (None, None) => How::Unknown,
    }
}
