//! svscan: carries out the plan. One loop, one wait.

use crate::complaint::Complaints;
use crate::directory::{LockError, ScanDirectory, below};
use crate::launch::{self, Launcher};
use crate::logpipe::LogPipe;
use crate::plan::{Identity, Plan, Post, Role, Scan};
use crate::watch::Watch;
use alloc::collections::BTreeMap;
use alloc::ffi::CString;
use common::{Exit, Failure, Name, decimal, reason};
use core::time::Duration;
use sys::poll::{PollFd, PollFlags, poll};
use sys::process::{Pid, WaitOptions};
use sys::signal::{self, Signal, SignalSet};
use sys::spawn::SpawnError;
use sys::{Args, Env, Errno};

const NAME: Name = Name("svscan");

/// A scan is made at least this often.
pub const REGULARLY: Duration = Duration::from_secs(5);

/// After the first news, so long is waited for more: a thousand new links are then not a thousand scans.
const GATHER: Duration = Duration::from_millis(20);

/// How long a directory that is made in place is given to be filled.
const FILLED: Duration = Duration::from_secs(1);

/// `svscan [ directory ]`, the working directory unless given. Never ends by itself.
///
/// # Errors
/// Exit code 111 if the directory can't be used, or another svscan uses it.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let path = args.get(1).unwrap_or(c".");
    let fatal =
        |what: &[u8], errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[what, path.to_bytes()], errno);
    if args.len() > 1 {
        sys::process::chdir(path).map_err(|errno| fatal(b"unable to chdir to ", errno))?;
    }
    let directory =
        ScanDirectory::open(c".").map_err(|errno| fatal(b"unable to read directory ", errno))?;
    match directory.lock() {
        Ok(()) => {}
        Err(LockError::Taken) => return Err(taken(NAME, path.to_bytes())),
        Err(LockError::Unsupported(errno)) => {
            NAME.warn_errno(&[b"unable to lock ", path.to_bytes()], errno);
        }
    }
    Daemon::new(directory, path.to_bytes(), env).go_on()
}

/// What svscan and svscanboot say of a second one.
pub(crate) fn taken(name: Name, path: &[u8]) -> Failure {
    let parts: [&[u8]; 3] = [b"unable to lock ", path, b": another svscan is running there"];
    name.fatal(Exit::TEMPORARY.0, &parts)
}

struct Daemon {
    plan: Plan,
    directory: ScanDirectory,
    watch: Option<Watch>,
    launcher: Launcher,
    pipes: BTreeMap<Identity, LogPipe>,
    complaints: Complaints,
    waiting: SignalSet,
    regular: Duration,
    prompt: Option<Duration>,
}

impl Daemon {
    fn new(directory: ScanDirectory, path: &[u8], env: Env) -> Self {
        // SIGPIPE would end svscan, and so every restart, because nobody reads its warnings any more. It is blocked and
        // not ignored, so that nothing has to be undone for the children but the mask.
        let given = signal::block(SignalSet::of(&[Signal::CHILD, Signal::PIPE]));
        signal::catch(Signal::CHILD);
        let watch = Watch::new();
        if let Err(errno) = watch {
            NAME.warn_errno(&[b"unable to watch ", path], errno);
        }
        Self {
            plan: Plan::default(),
            directory,
            watch: watch.ok(),
            launcher: Launcher::new(env, given),
            pipes: BTreeMap::new(),
            complaints: Complaints::new(NAME),
            waiting: given.with(Signal::PIPE).without(Signal::CHILD),
            regular: sys::clock::monotonic(),
            prompt: None,
        }
    }

    fn go_on(mut self) -> ! {
        loop {
            self.reap();
            self.read_news();
            let now = sys::clock::monotonic();
            let wake = self.wake();
            let timeout = if now < wake {
                wake - now
            } else {
                self.scan(now);
                self.wake().saturating_sub(sys::clock::monotonic())
            };
            self.wait(timeout);
        }
    }

    /// When the next scan is due.
    fn wake(&self) -> Duration {
        [self.prompt, self.plan.wake()].into_iter().flatten().fold(self.regular, Duration::min)
    }

    fn wait(&self, timeout: Duration) {
        let news = self.watch.as_ref().map(|watch| PollFd::new(watch, PollFlags::IN));
        // Interrupted by a child's end, woken by news, or in time: all of it is looked at anyway. Nothing else can fail
        // here but memory for a moment, and the regular scan goes on then too.
        match news {
            Some(news) => _ = poll(&mut [news], Some(timeout), Some(self.waiting)),
            None => _ = poll(&mut [], Some(timeout), Some(self.waiting)),
        }
    }

    /// Takes every child that has ended, ours or left to us.
    fn reap(&mut self) {
        loop {
            match sys::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    let now = sys::clock::monotonic();
                    let asked = status.exit_status() == Some(0);
                    if self.plan.ended(pid.as_raw_nonzero().get(), asked, now) {
                        self.prompt_by(now + GATHER);
                    }
                }
                Err(Errno::INTR) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }

    fn read_news(&mut self) {
        let Some(news) = self.watch.as_ref().map(Watch::news).filter(|news| news.any) else {
            return;
        };
        let now = sys::clock::monotonic();
        self.prompt_by(now + GATHER);
        for name in news.made {
            self.plan.unfinished(name, now + FILLED);
        }
    }

    fn prompt_by(&mut self, at: Duration) {
        self.prompt = Some(self.prompt.map_or(at, |earlier| earlier.min(at)));
    }

    /// Every start is preceded by a fresh look at what is listed: an entry that was removed a moment ago is not started.
    fn scan(&mut self, now: Duration) {
        let scan = if now >= self.regular { Scan::Regular } else { Scan::Prompted };
        let listed = self.directory.list(|id| self.plan.knows(id), &mut self.complaints, now);
        self.prompt = None;
        if scan == Scan::Regular || listed.is_err() {
            self.regular = now + REGULARLY;
        }
        let found = match listed {
            Ok(found) => found,
            Err(errno) => {
                self.complaints.warn_errno(&[b"unable to read directory"], errno, now);
                self.plan.postpone(self.regular);
                return;
            }
        };
        let changes = self.plan.take_in(scan, found, now);
        for id in changes.forgotten {
            self.drop_pipe(id, now);
        }
        for id in changes.logged {
            self.ensure_pipe(id, now);
        }
        let mut missing = false;
        for post in self.plan.due(now) {
            if missing {
                self.plan.failed(post);
            } else {
                missing = self.start(post, now) == Err(Missing);
            }
        }
    }

    fn drop_pipe(&mut self, id: Identity, now: Duration) {
        let Some(pipe) = self.pipes.remove(&id) else { return };
        let unread = pipe.unread();
        if unread > 0 {
            let count = decimal(unread);
            let text: [&[u8]; 3] = [
                b"a removed service's log pipe had ",
                count.as_bytes(),
                b" bytes that nobody read",
            ];
            self.complaints.warn(&text, now);
        }
    }

    /// Whether the service's pipe is there now.
    fn ensure_pipe(&mut self, id: Identity, now: Duration) -> bool {
        if self.pipes.contains_key(&id) {
            return true;
        }
        let Some(name) = self.plan.name(id) else { return false };
        match LogPipe::open(name, &mut self.complaints, now) {
            Ok(pipe) => {
                self.pipes.insert(id, pipe);
                true
            }
            Err(errno) => {
                let parts: [&[u8]; 2] = [b"unable to create pipe for ", name.to_bytes()];
                self.complaints.warn_errno(&parts, errno, now);
                false
            }
        }
    }

    fn start(&mut self, post: Post, now: Duration) -> Result<(), Missing> {
        let Some(name) = self.plan.name(post.id).cloned() else { return Ok(()) };
        let directory = match post.role {
            Role::Service => name.clone(),
            Role::Logger => below(&name, b"log"),
        };
        if launch::is_busy(&directory) {
            self.plan.busy(post);
            if let Some(watch) = &self.watch {
                watch.lock_of(&directory);
            }
            return Ok(());
        }
        if self.plan.has_logger(post.id) && !self.ensure_pipe(post.id, now) {
            self.plan.failed(post);
            return Ok(());
        }
        let end = self.pipes.get(&post.id).map(|pipe| match post.role {
            Role::Service => pipe.writer(),
            Role::Logger => pipe.reader(),
        });
        let result = self.launcher.start(&name, post.role, end);
        self.note(post, &directory, result, now)
    }

    fn note(
        &mut self,
        post: Post,
        directory: &CString,
        result: Result<Pid, SpawnError>,
        now: Duration,
    ) -> Result<(), Missing> {
        let error = match result {
            Ok(pid) => {
                self.plan.started(post, pid.as_raw_nonzero().get(), now);
                return Ok(());
            }
            Err(error) => error,
        };
        self.plan.failed(post);
        let (what, errno): (&[u8], Errno) = match error {
            SpawnError::Clone(errno) => (b"unable to fork for ", errno),
            SpawnError::Directory(errno) => (b"unable to switch to ", errno),
            SpawnError::Descriptor(errno) => (b"unable to set up descriptors for ", errno),
            SpawnError::Exec(errno) => (b"unable to start supervise ", errno),
        };
        if error != SpawnError::Exec(Errno::NOENT) {
            self.complaints.warn_errno(&[what, directory.to_bytes()], errno, now);
            return Ok(());
        }
        let path = self.launcher.path().unwrap_or(sys::exec::DEFAULT_PATH);
        let parts: [&[u8]; 5] = [
            what,
            directory.to_bytes(),
            b": ",
            reason(errno).as_bytes(),
            b": no program supervise in PATH ",
        ];
        self.complaints.warn(&[&parts.concat(), path], now);
        Err(Missing)
    }
}

/// There is no supervise to be started: what is true of one service is true of all, and need not be said of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Missing;
