//! svscan: carries out the plan. One loop, one wait.

mod asked;
mod scanning;
mod starting;
mod stopping;
mod upgrading;

use crate::batch::{self, Batch};
use crate::chosen::Chosen;
use crate::complaint::Complaints;
use crate::directory::{LockError, ScanDirectory, below};
use crate::ignored::Ignored;
use crate::launch::Launcher;
use crate::logpipe::LogPipe;
use crate::options::Options;
use crate::own_log::OwnLog;
use crate::plan::{Identity, Plan, Post, Role};
use crate::site::Site;
use crate::stop::Stop;
use crate::watch::Watch;
use alloc::collections::BTreeMap;
use alloc::ffi::CString;
use alloc::vec::Vec;
use common::takeover::{self, Kind, Origin};
use common::{Exit, Failure, Name};
use core::time::Duration;
use supervise::place;
use sys::poll::{PollFd, PollFlags, poll};
use sys::process::WaitOptions;
use sys::signal::SignalSet;
use sys::{Args, Env, Errno};

const NAME: Name = Name("svscan");

/// A scan is made at least this often, while there is something that only a scan finds out.
pub const REGULARLY: Duration = Duration::from_secs(5);

/// A scan is made at least this often in any case: for what nothing tells of, like a file system that is mounted.
pub const SAFELY: Duration = Duration::from_secs(60);

/// After the first news, so long is waited for more: a thousand new links are then not a thousand scans.
const GATHER: Duration = Duration::from_millis(20);

/// How long a directory that is made in place is given to be filled.
const FILLED: Duration = Duration::from_secs(1);

/// `svscan [-e NAME] [directory [log-service]]`, the working directory unless given. Ends when it is told to (TERM, INT) or
/// the service NAME has ended, and everything is stopped.
///
/// # Errors
/// Exit code 100 for wrong usage; 111 if the directory or NAME can't be used, or another svscan uses the directory.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let (origin, received) = takeover::begin(NAME, upgrading::VERSION, args, env)?;
    let options = Options::read(NAME, origin.args())?;
    let daemon = match &received {
        None => Daemon::begin(origin, options)?,
        Some(received) => {
            let inherited = upgrading::Inherited::new(received).map_err(|_| {
                NAME.fatal(Exit::TEMPORARY.0, &[b"unable to take over: malformed state"])
            })?;
            if received.kind == Kind::Check {
                return Ok(Exit::OK);
            }
            Daemon::resume(origin, options, inherited)
        }
    };
    Ok(daemon.go_on())
}

/// What svscan and svscanboot say of a second one.
pub(crate) fn taken(name: Name, path: &[u8]) -> Failure {
    let parts: [&[u8]; 3] = [b"unable to lock ", path, b": another svscan is running there"];
    name.fatal(Exit::TEMPORARY.0, &parts)
}

struct Daemon {
    origin: Origin,
    plan: Plan,
    batch: Batch,
    directory: ScanDirectory,
    watch: Option<Watch>,
    launcher: Launcher,
    pipes: BTreeMap<Identity, LogPipe>,
    ignored: Ignored,
    complaints: Complaints,
    chosen: Option<Chosen>,
    own_log: Option<OwnLog>,
    stop: Option<Stop>,
    /// The mask to wait with.
    waiting: SignalSet,
    /// When the next scan is due, if nothing happens.
    regular: Duration,
    /// When the next scan is due, since something has happened.
    prompt: Option<Duration>,
    /// Supervises that are still to be told to upgrade, and when the next ones are.
    upgrades: (Vec<Post>, Duration),
}

impl Daemon {
    /// An svscan that begins with nothing.
    fn begin(origin: Origin, options: Options) -> Result<Self, Failure> {
        let waiting = asked::prepare(&options, origin.mask());
        let path = options.directory.unwrap_or(c".");
        let fatal = |what: &[u8], errno| {
            NAME.fatal_errno(Exit::TEMPORARY.0, &[what, path.to_bytes()], errno)
        };
        if options.directory.is_some() {
            sys::process::chdir(path).map_err(|errno| fatal(b"unable to chdir to ", errno))?;
        }
        let directory = ScanDirectory::open(c".")
            .map_err(|errno| fatal(b"unable to read directory ", errno))?;
        match directory.lock() {
            Ok(()) => {}
            Err(LockError::Taken) => return Err(taken(NAME, path.to_bytes())),
            Err(LockError::Unsupported(errno)) => {
                NAME.warn_errno(&[b"unable to lock ", path.to_bytes()], errno);
            }
        }
        let mut daemon = Self::new(origin, waiting, directory, None);
        daemon.choose(&options)?;
        daemon.log_to(&options);
        Ok(daemon)
    }

    fn new(
        origin: Origin,
        waiting: SignalSet,
        directory: ScanDirectory,
        limit: Option<Option<u64>>,
    ) -> Self {
        let watch = Watch::new();
        if let Err(errno) = watch {
            NAME.warn_errno(&[b"unable to watch the scan directory"], errno);
        }
        let processors = sys::thread::sched_getaffinity(None).map_or(1, |set| set.count());
        let now = sys::clock::monotonic();
        Self {
            launcher: Launcher::new(origin.env(), origin.mask(), limit),
            origin,
            plan: Plan::default(),
            batch: Batch::new(usize::try_from(processors).unwrap_or(1)),
            directory,
            watch: watch.ok(),
            pipes: BTreeMap::new(),
            ignored: Ignored::default(),
            complaints: Complaints::new(NAME),
            chosen: None,
            own_log: None,
            stop: None,
            waiting,
            regular: now,
            prompt: None,
            upgrades: (Vec::new(), now),
        }
    }

    fn go_on(mut self) -> Exit {
        loop {
            self.reap();
            self.obey();
            self.read_news();
            let now = sys::clock::monotonic();
            if self.chosen.as_ref().is_some_and(|chosen| chosen.code().is_some()) {
                self.begin_stop(now);
            }
            if self.stop.is_some() {
                if let Some(exit) = self.go_on_stopping(now) {
                    return exit;
                }
            } else {
                if now >= self.next_scan() {
                    self.scan(now);
                }
                self.start_due(now);
                self.tell_upgrades(now);
            }
            self.wait();
        }
    }

    /// When the next scan is due.
    fn next_scan(&self) -> Duration {
        let others = [self.prompt, self.plan.next_finished()];
        others.into_iter().flatten().fold(self.regular, Duration::min)
    }

    /// When there is something to do next.
    fn wake(&self, now: Duration) -> Duration {
        if let Some(stop) = &self.stop {
            return now + stop.tick();
        }
        let start = self
            .plan
            .next_start()
            .map(|at| if self.batch.room() > 0 { at } else { at.max(now + batch::STEP) });
        let upgrade = (!self.upgrades.0.is_empty()).then_some(self.upgrades.1);
        let look = self.must_look().then_some(now + upgrading::PAUSE);
        [start, upgrade, look].into_iter().flatten().fold(self.next_scan(), Duration::min)
    }

    fn wait(&self) {
        let now = sys::clock::monotonic();
        let timeout = Some(self.wake(now).saturating_sub(now));
        let news = self.watch.as_ref().map(|watch| PollFd::new(watch, PollFlags::IN));
        // Interrupted by a signal, woken by news, or in time: all of it is looked at anyway. Nothing else can fail
        // here but memory for a moment, and the regular scan goes on then too.
        match news {
            Some(news) => _ = poll(&mut [news], timeout, Some(self.waiting)),
            None => _ = poll(&mut [], timeout, Some(self.waiting)),
        }
    }

    /// Takes every child that has ended, ours or left to us.
    fn reap(&mut self) {
        loop {
            match sys::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    let now = sys::clock::monotonic();
                    let asked = status.exit_status() == Some(0);
                    if let Some(post) = self.plan.ended(pid.as_raw_nonzero().get(), asked, now) {
                        self.batch.ended(post);
                        self.prompt_by(now + GATHER);
                        if asked {
                            // The next scan is to find it, as soon as it would have without inotify.
                            self.regular = self.regular.min(now + REGULARLY);
                        }
                        self.look_at_chosen(Some(post));
                    }
                }
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn read_news(&mut self) {
        let Some(news) = self.watch.as_ref().map(Watch::news) else { return };
        let now = sys::clock::monotonic();
        if news.any {
            self.prompt_by(now + GATHER);
        }
        if news.made_behind {
            self.prompt_by(now + FILLED);
        }
        for name in news.made {
            self.plan.unfinished(name, now + FILLED);
        }
        if news.chosen {
            self.look_at_chosen(None);
        }
    }

    fn prompt_by(&mut self, at: Duration) {
        self.prompt = Some(self.prompt.map_or(at, |earlier| earlier.min(at)));
    }

    /// The path of a post's directory.
    fn path(&self, post: Post) -> Option<CString> {
        let name = self.plan.name(post.id)?;
        let own = self.own_log.as_ref().filter(|own| own.id == post.id);
        Some(match post.role {
            Role::Logger if own.is_none_or(|own| own.is_inside) => below(name, b"log"),
            Role::Service | Role::Logger => name.clone(),
        })
    }

    /// A post's directory, if its name still leads there; with `fetch`, wherever its supervise works.
    fn site(&self, post: Post, fetch: bool) -> Option<Site> {
        let base = self.base();
        let is_it =
            |name: &CString| self.directory.identity(name).is_ok_and(|id| id == Some(post.id));
        if self.plan.name(post.id).is_some_and(is_it) {
            return Site::open(&self.path(post)?, base).ok();
        }
        let pid = self.plan.pid(post).filter(|_| fetch)?;
        Site::of_process(pid, base).ok()
    }

    /// `$SUPERVISEDIR`.
    fn base(&self) -> Option<&'static [u8]> {
        self.origin.env().get(place::VARIABLE)
    }
}
