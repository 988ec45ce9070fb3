//! supervise itself: carries out what [`crate::machine`] decides, and waits for what happens next.

use crate::client;
use crate::command::Command;
use crate::directory::Directory;
use crate::logger::{self, Logger};
use crate::machine::{Event, Machine, Service};
use crate::place::Place;
use crate::record::{Past, Record};
use crate::service::{Process, Run};
use crate::status::{State, Status, Statuses, Want};
use common::tai64n::Label;
use common::{Exit, Failure, Name};
use core::time::Duration;
use sys::poll::{PollFd, PollFlags, poll};
use sys::process::{Pid, WaitOptions, wait};
use sys::signal::{self, Signal, SignalSet};
use sys::spawn::SpawnError;
use sys::{Args, AsFd, Env, Errno, clock, fs};

const NAME: Name = Name("supervise");

/// A service is started at most once in this time, but for an explicit `u` or `o`.
const PAUSE: Duration = Duration::from_secs(1);

/// A status that couldn't be written is tried again after this time, if nothing changes before.
const RETRY: Duration = Duration::from_secs(5);

/// supervise DIRECTORY: 0 when `svc -x` or TERM ended it, 100 for wrong usage, 111 when the
/// directory can't be supervised, by us or because another one does.
///
/// # Errors
/// As above.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let name = match args.get(1) {
        Some(name) if args.len() == 2 => name,
        _ => return Err(NAME.usage("dir")),
    };
    let logger = Logger::new(name.to_bytes(), env);
    sys::process::chdir(name).map_err(|errno| {
        NAME.fatal_errno(111, &[b"unable to chdir to ", name.to_bytes()], errno)
    })?;
    let place = Place::here(env).map_err(|errno| {
        NAME.fatal_errno(111, &[b"unable to tell the path of ", name.to_bytes()], errno)
    })?;
    Supervise::new(name.to_bytes(), env, &place, logger)?.work()
}

struct Supervise {
    /// The service directory, as given: for messages.
    name: &'static [u8],
    run: Run,
    /// The mask that our parent gave us: the service gets it, too.
    mask: SignalSet,
    directory: Directory,
    record: Option<Record>,
    machine: Machine,
    process: Option<Process>,
    logger: Option<Logger>,
    /// When the service last came up or went down.
    since: Label,
    /// When it was last started, on the monotonic clock.
    started: Option<Duration>,
    /// When to try again to write the status.
    unpublished: Option<Duration>,
}

impl Supervise {
    /// Takes possession of the service directory, which is the working directory.
    fn new(
        name: &'static [u8],
        env: Env,
        place: &Place,
        logger: Option<Logger>,
    ) -> Result<Self, Failure> {
        signal::catch(Signal::CHILD);
        signal::catch(Signal::TERM);
        let mask = signal::block(SignalSet::of(&[Signal::CHILD, Signal::TERM]));
        let want = wanted(name)?;
        let directory = Directory::claim(NAME, name)?;
        let old = client::status(fs::CWD, place).ok().map(|old| old.service);
        let (record, past) = match Record::open() {
            Ok((record, past)) => (Some(record), past),
            Err(errno) => {
                NAME.warn_errno(&[b"unable to open ", name, b"/supervise/process"], errno);
                (None, Past::Orderly)
            }
        };
        let process = match past {
            Past::Killed(Some(entry)) => Process::left_behind(&entry),
            Past::Orderly | Past::Killed(None) => None,
        };
        // What svc asked of a supervise that was killed still holds.
        let old = old.filter(|_| past != Past::Orderly);
        let want = old.map_or(want, |old| old.want);
        let same = old.filter(|old| process.as_ref().is_some_and(|p| number(p.pid()) == old.pid));
        let machine = match process {
            Some(_) => Machine::adopted(want, same.is_some_and(|s| s.paused), logger.is_some()),
            None => Machine::down(want, logger.is_some()),
        };
        let mut supervise = Self {
            name,
            run: Run::new(env, mask),
            mask,
            directory,
            record,
            machine,
            process,
            logger,
            since: same.map_or_else(Label::now, |same| same.since),
            started: None,
            unpublished: None,
        };
        supervise.publish();
        supervise.directory.open_ok(NAME)?;
        supervise.note_past();
        Ok(supervise)
    }

    /// Says what was taken over, or begins a record of our own.
    fn note_past(&mut self) {
        if let Some(process) = &self.process {
            let pid = common::decimal(u64::from(number(process.pid())));
            NAME.info(&[b"taking over ", self.name, b" (pid ", pid.as_bytes(), b")"]);
        } else {
            self.note_end();
        }
    }

    /// The loop: wait, find out what happened, do what is to be done.
    fn work(mut self) -> Result<Exit, Failure> {
        let mut over = self.happen(Event::Begin);
        while !over {
            self.wait()?;
            let caught = signal::take();
            over = (caught.contains(Signal::TERM) && self.happen(Event::Terminate))
                || (self.has_ended(caught.contains(Signal::CHILD)) && self.end())
                || self.pass_time()
                || self.obey();
        }
        if let Some(record) = self.record {
            record.remove();
        }
        Ok(Exit::OK)
    }

    fn wait(&self) -> Result<(), Failure> {
        let mask = self.mask.without(Signal::CHILD).without(Signal::TERM);
        let control = self.directory.control().as_fd();
        let process = self.process.as_ref().and_then(Process::descriptor).map(AsFd::as_fd);
        let mut fds = [control, process.unwrap_or(control)]
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        let count = 1 + usize::from(process.is_some());
        match poll(&mut fds[..count], self.timeout(), Some(mask)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            // The next supervise takes the service over.
            Err(errno) => Err(NAME.fatal_errno(111, &[b"unable to wait for ", self.name], errno)),
        }
    }

    /// How long to wait at most.
    fn timeout(&self) -> Option<Duration> {
        let due = match self.machine.service() {
            Service::Down | Service::Up => None,
            Service::Delayed => Some(self.due()),
            Service::Draining => Some(clock::monotonic() + logger::STEP),
        };
        let watch = self.process.as_ref().filter(|process| process.must_be_watched());
        let watch = watch.map(|_| clock::monotonic() + PAUSE);
        let next = [due, watch, self.unpublished].into_iter().flatten().min();
        next.map(|next| next.saturating_sub(clock::monotonic()))
    }

    /// When the service may be started again.
    fn due(&self) -> Duration {
        self.started.map_or(Duration::ZERO, |started| started + PAUSE)
    }

    /// Whether the service has ended. Reaps whatever child has, if a signal told that one has.
    fn has_ended(&self, told: bool) -> bool {
        (told && self.reap()) || self.process.as_ref().is_some_and(Process::is_gone)
    }

    fn reap(&self) -> bool {
        let mut ended = false;
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, _))) => ended |= self.is_child(pid),
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => return ended,
            }
        }
    }

    fn is_child(&self, pid: Pid) -> bool {
        self.process.as_ref().is_some_and(|process| process.pid() == pid)
    }

    fn end(&mut self) -> bool {
        self.process = None;
        self.note_end();
        self.happen(Event::Ended)
    }

    /// What is due by the clock.
    fn pass_time(&mut self) -> bool {
        let now = clock::monotonic();
        if self.unpublished.is_some_and(|retry| now >= retry) {
            self.unpublished = self.directory.publish(&self.statuses()).err().map(|_| now + RETRY);
        }
        match self.machine.service() {
            Service::Delayed if now >= self.due() => self.happen(Event::Due),
            Service::Draining if self.logger.as_mut().is_none_or(|l| l.is_drained(now)) => {
                self.happen(Event::Drained)
            }
            Service::Down | Service::Delayed | Service::Up | Service::Draining => false,
        }
    }

    /// Obeys the letters that have come.
    fn obey(&mut self) -> bool {
        let mut letters = [0; 64];
        // An empty FIFO is an error, too: EAGAIN.
        let count = sys::read(self.directory.control(), &mut letters).unwrap_or(0);
        letters[..count]
            .iter()
            .filter_map(|letter| Command::from_letter(*letter))
            .any(|command| self.happen(Event::Command(command)))
    }

    /// Takes in an event, and those that follow from it. Whether supervise's work is over.
    fn happen(&mut self, event: Event) -> bool {
        let mut next = Some(event);
        while let Some(event) = next.take() {
            let was_draining = self.machine.service() == Service::Draining;
            let effects = self.machine.step(event);
            if effects.stamp {
                self.since = Label::now();
            }
            if effects.publish {
                self.publish();
            }
            if let Some(process) = &self.process {
                effects.signals.iter().for_each(|signal| process.signal(*signal));
            }
            if self.machine.service() == Service::Draining && !was_draining {
                self.logger.iter_mut().for_each(|logger| logger.ask(clock::monotonic()));
            }
            if effects.start {
                next = Some(self.start());
            }
            if effects.exit {
                return true;
            }
        }
        false
    }

    fn start(&mut self) -> Event {
        self.started = Some(clock::monotonic());
        let announce = self.record.as_mut().and_then(|record| record.announce().ok());
        match self.run.start(announce) {
            Ok(process) => {
                let _ = self.record.as_mut().map(|record| record.complete(process.pid()));
                self.process = Some(process);
                Event::Started
            }
            Err(SpawnError::Clone(errno)) => {
                NAME.warn_errno(&[b"unable to fork for ", self.name, b", trying again"], errno);
                Event::NotForked
            }
            Err(failed) => {
                let parts = [b"unable to start ", self.name, b"/run"];
                NAME.fatal_errno(111, &parts, failed.errno()).say();
                self.note_end();
                Event::NotRun
            }
        }
    }

    /// No process is left to note. That a record can't be written is passed over: it is for
    /// accidents, and the status, in the same directory, has warned of the same.
    fn note_end(&mut self) {
        let _ = self.record.as_mut().map(Record::reset);
    }

    fn publish(&mut self) {
        if let Err((path, errno)) = self.directory.mend() {
            NAME.warn_errno(&[b"unable to restore ", self.name, b"/", path.to_bytes()], errno);
        }
        let result = self.directory.publish(&self.statuses());
        self.unpublished = result.err().map(|_| clock::monotonic() + RETRY);
        if let Err(error) = result {
            error.warn(NAME, self.name);
        }
    }

    fn statuses(&self) -> Statuses {
        let service = Status {
            since: self.since,
            pid: self.process.as_ref().map_or(0, |process| number(process.pid())),
            paused: self.machine.paused(),
            want: self.machine.want(),
            state: Some(self.state()),
        };
        Statuses { service, log: None }
    }

    fn state(&self) -> State {
        match (self.machine.service(), self.machine.want()) {
            (Service::Down, _) => State::Stopped,
            (Service::Delayed, _) => State::Starting,
            (Service::Up, Want::Up | Want::Once) => State::Running,
            (Service::Up, Want::Down) | (Service::Draining, _) => State::Stopping,
        }
    }
}

/// What a service is to do when its supervise starts: nothing, if there is a file `down`.
fn wanted(name: &[u8]) -> Result<Want, Failure> {
    match fs::stat(c"down") {
        Ok(_) => Ok(Want::Down),
        Err(Errno::NOENT) => Ok(Want::Up),
        Err(errno) => Err(NAME.fatal_errno(111, &[b"unable to stat ", name, b"/down"], errno)),
    }
}

fn number(pid: Pid) -> u32 {
    pid.as_raw_pid().unsigned_abs()
}
