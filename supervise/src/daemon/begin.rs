//! How a supervise begins: with nothing, with what a killed one has left, or with what its
//! predecessor in the same process hands over.

use super::execute::warn;
use super::{NAME, Supervise};
use crate::client;
use crate::detail::{Detail, Failure as Why, How};
use crate::directory::{Directory, parts};
use crate::logger::Logger;
use crate::logpipe::LogPipe;
use crate::machine::{Event, Machine, Phase};
use crate::options::Options;
use crate::part::Part;
use crate::place::{File, Place};
use crate::readiness;
use crate::record::{Past, Record};
use crate::scripts::{Role, Scripts};
use crate::service::{Process, Whom};
use crate::status::{State, Status, Want};
use alloc::boxed::Box;
use common::takeover::{self, Origin};
use common::{Exit, Failure};
use sys::signal::{self, Signal, SignalSet};
use sys::{Args, Env, fs};

/// The version of the state that we hand over, and the latest that we understand.
const VERSION: u32 = 1;

/// supervise DIRECTORY: 0 when `svc -x` or TERM ended it, 100 for wrong usage, 111 when the
/// directory can't be supervised, by us or because another one does.
///
/// # Errors
/// As above.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let (origin, received) = takeover::begin(NAME, VERSION, args, env)?;
    let args = origin.args();
    let name = match args.get(1) {
        Some(name) if args.len() == 2 => name.to_bytes(),
        _ => return Err(NAME.usage("dir")),
    };
    match received {
        None => {
            let mut supervise = Supervise::new(name, origin)?;
            let over = supervise.begin()?;
            Ok(if over { supervise.finish() } else { supervise.work() })
        }
        Some(received) => match Supervise::take_over(name, origin, &received)? {
            Some(mut supervise) => {
                // A child may have ended before we could hear of it.
                let over = supervise.reap();
                Ok(if over { supervise.finish() } else { supervise.work() })
            }
            None => Ok(Exit::OK),
        },
    }
}

/// Whether a process that a killed supervise has noted had ended before we came.
#[derive(Clone, Copy, Default)]
struct Missed {
    service: bool,
    log: bool,
}

impl Supervise {
    /// Takes possession of the service directory, which becomes the working directory.
    ///
    /// (On the heap, and in a frame of its own: what is put together here in pieces isn't to stay on
    /// the stack for as long as supervise runs. So each of these pages costs nothing.)
    #[inline(never)]
    fn new(name: &'static [u8], origin: Origin) -> Result<Box<Self>, Failure> {
        let logger = Logger::new(name, origin.env());
        let directory = origin.args().get(1).unwrap_or_default();
        sys::process::chdir(directory)
            .map_err(|errno| NAME.fatal_errno(111, &[b"unable to chdir to ", name], errno))?;
        let place = Place::here(origin.env()).map_err(|errno| {
            NAME.fatal_errno(111, &[b"unable to tell the path of ", name], errno)
        })?;
        let mask = listen(&origin);
        let options = Options::read(|bad| warn(name, &bad)).unwrap_or_else(|errno| {
            NAME.warn_errno(&[b"unable to read ", name], errno);
            Options::default()
        });
        let want = options
            .wanted()
            .map_err(|errno| NAME.fatal_errno(111, &[b"unable to stat ", name, b"/down"], errno))?;
        let directory = Directory::claim(NAME, name, &place)?;
        let log = if options.has_log() {
            let log = Part::new(Role::Log, Machine::down(Want::Up, None));
            Some((log, log_pipe(name, &place)?))
        } else {
            None
        };
        Ok(Box::new(Self {
            name,
            mask,
            scripts: Scripts::new(origin.env(), origin.mask()),
            origin,
            place,
            directory,
            options,
            service: Part::new(Role::Service, Machine::down(want, None)),
            log,
            logger,
            leaving: None,
            whom: Whom::Alone,
            unpublished: None,
            upgrade: false,
            is_deaf: false,
            is_replaced: false,
        }))
    }

    /// Looks for what a killed supervise has left, lets ourselves be seen, and begins. Whether that was
    /// all.
    #[inline(never)]
    fn begin(&mut self) -> Result<bool, Failure> {
        let missed = self.inherit();
        if let Err(errno) = self.directory.open_detail() {
            let path = self.place.path(File::Detail);
            NAME.warn_errno(&parts(b"unable to open ", self.name, &path), errno);
        }
        self.publish();
        self.directory.open_ok(NAME)?;
        let over =
            self.begin_one(Role::Log, missed.log) || self.begin_one(Role::Service, missed.service);
        self.directory.settle();
        Ok(over)
    }

    #[inline(never)]
    fn inherit(&mut self) -> Missed {
        let service = found(&mut self.service, self.name, &self.place, File::Process);
        let log = match &mut self.log {
            Some((log, _)) => found(log, self.name, &self.place, File::LogProcess),
            None => Past::Orderly,
        };
        let mut missed = Missed::default();
        if service == Past::Orderly && log == Past::Orderly {
            return missed;
        }
        // What svc asked of a supervise that was killed still holds.
        let status = client::status(fs::CWD, &self.place).ok();
        let details = client::details(fs::CWD, &self.place);
        let old = status.map(|status| status.service);
        missed.service = inherit(&mut self.service, service, old, details.service.as_ref());
        if let Some((part, _)) = &mut self.log {
            let old = status.and_then(|status| status.log);
            missed.log = inherit(part, log, old, details.log.as_ref());
        }
        if self.service.process.is_some() && self.service.notifies && self.service.ready.is_none() {
            // It may still tell that it is ready.
            self.service.readiness = readiness::listen(&self.place.path(File::Ready)).ok();
        }
        missed
    }

    fn begin_one(&mut self, role: Role, missed: bool) -> bool {
        if role == Role::Log && self.log.is_none() {
            return false;
        }
        let name = self.name;
        let part = self.part(role);
        if part.process.is_some() {
            let pid = common::decimal(u64::from(part.pid()));
            let which: &[u8] = if role == Role::Log { b"/log" } else { b"" };
            NAME.info(&[b"taking over ", name, which, b" (pid ", pid.as_bytes(), b")"]);
        }
        if missed { self.end(role, How::Unknown) } else { self.happen(role, Event::Begin) }
    }
}

fn log_pipe(name: &[u8], place: &Place) -> Result<LogPipe, Failure> {
    let path = place.path(File::LogPipe);
    let (pipe, refused) = LogPipe::open(&path)
        .map_err(|errno| NAME.fatal_errno(111, &[b"unable to create a pipe for ", name], errno))?;
    if let Some(errno) = refused {
        NAME.warn_errno(&parts(b"unable to keep ", name, &path), errno);
    }
    Ok(pipe)
}

/// Opens a part's record. What it says of the time before us.
fn found(part: &mut Part, name: &[u8], place: &Place, file: File) -> Past {
    match Record::open(place.path(file)) {
        Ok((record, past)) => {
            part.record = Some(record);
            past
        }
        Err(errno) => {
            NAME.warn_errno(&parts(b"unable to open ", name, &place.path(file)), errno);
            Past::Orderly
        }
    }
}

/// Goes on with what a killed supervise has left. Whether its process has ended unnoticed.
fn inherit(part: &mut Part, past: Past, old: Option<Status>, detail: Option<&Detail>) -> bool {
    let Past::Killed(entry) = past else { return false };
    let entry = entry.filter(|entry| entry.pid.is_some());
    let want = old.map_or(part.machine.want(), |old| old.want);
    part.process = entry.as_ref().and_then(Process::left_behind);
    // A status without a process is newer than the end of this one: all has been seen to.
    let entry = entry.filter(|_| part.process.is_some() || old.is_none_or(|old| old.pid != 0));
    let same = old.filter(|old| part.process.is_some() && part.pid() == old.pid);
    let state = old.and_then(|old| old.state);
    part.machine = match entry {
        Some(entry) => {
            let paused = same.is_some_and(|same| same.paused);
            Machine::adopted(Phase::Runs(entry.script), want, paused)
        }
        None if state == Some(State::Started) => Machine::adopted(Phase::Started, want, false),
        None if state == Some(State::Failed) => {
            let why = detail.and_then(|detail| detail.phase.failure());
            Machine::down(want, Some(why.unwrap_or(Why::Exit)))
        }
        None => Machine::down(want, None),
    };
    part.since = same.map_or(part.since, |same| same.since);
    if let Some(detail) = detail {
        part.death = detail.death;
        part.restarts = detail.restarts;
        part.notifies = detail.notifies;
        part.ready = detail.ready.filter(|_| same.is_some_and(|same| same.pid == detail.pid));
    }
    entry.is_some() && part.process.is_none()
}

/// Listens for the signals that mean something to us. Gives what stays blocked while we wait.
pub(super) fn listen(origin: &Origin) -> SignalSet {
    let mut waiting = origin.mask();
    let mut ours = SignalSet::EMPTY;
    let heeded =
        [Signal::CHILD, Signal::TERM, Signal::INT, Signal::TSTP, Signal::CONT, Signal::WINCH];
    for signal in heeded {
        // Who starts us with these ignored (a shell, in the background) means it, for us and for what
        // we start.
        let may_be_ignored = signal == Signal::INT || signal == Signal::TSTP;
        if !may_be_ignored || !signal::is_ignored(signal) {
            signal::catch(signal);
            ours = ours.with(signal);
            waiting = waiting.without(signal);
        }
    }
    signal::block(ours);
    waiting
}
