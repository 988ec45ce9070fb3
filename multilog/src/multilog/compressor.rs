//! The process that compresses finished files, while lines go on being written.

use super::NAME;
use super::archive::{Obstacle, archive, discard_leftover};
use super::compression::{Format, uncompressed};
use super::finished;
use super::processor::Surroundings;
use alloc::{ffi::CString, vec::Vec};
use common::Exit;
use core::time::Duration;
use sys::clock::monotonic;
use sys::fd::AsRawFd;
use sys::fork::{Fork, exit, fork};
use sys::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use sys::{Errno, OwnedFd};

/// At most one process for each log.
#[derive(Default)]
pub(super) struct Compressor {
    child: Option<Pid>,
    /// Whether a file was finished since it was started: it may have been about to end.
    has_more: bool,
    /// What was said last, and when.
    said: Option<(Why, Duration)>,
}

/// How one ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    Done,
    Errno(Errno),
    Mismatch,
    Crashed,
    NotForked(Errno),
}

/// An exit code that no errno is. (That of a panic, 111, is one that no file has.)
const MISMATCH: u8 = 255;

/// The same is said again only so much later.
const SILENCE: Duration = Duration::from_secs(60);

/// Others first.
const NICE: i32 = 10;

/// What is to be compressed, and how.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    /// As it was given.
    pub(super) path: &'a [u8],
    pub(super) directory: &'a OwnedFd,
    /// The names in it.
    pub(super) list: &'a dyn Fn() -> Result<Vec<CString>, Errno>,
    pub(super) format: Format,
    /// That of finished files.
    pub(super) code: &'static [u8],
}

impl Compressor {
    /// Starts a process that compresses all that is finished, unless one does. Never waits.
    pub(super) fn start(&mut self, task: Task<'_>, surroundings: &Surroundings) {
        if self.child.is_some() {
            self.has_more = true;
            return;
        }
        self.has_more = false;
        let multilog = sys::process::getpid();
        match fork() {
            Ok(Fork::Parent(pid)) => self.child = Some(pid),
            Ok(Fork::Child) => exit(match live(multilog, task, surroundings) {
                Ok(()) | Err(Obstacle::Rival) => 0,
                Err(Obstacle::Mismatch) => MISMATCH,
                Err(Obstacle::System(errno)) => u8::try_from(errno.raw_os_error()).unwrap_or(0),
            }),
            Err(errno) => self.say(Why::NotForked(errno), task.path),
        }
    }

    /// Looks whether it has ended. If not all went well, what isn't compressed is tried again when the next file is
    /// finished.
    pub(super) fn reap(&mut self, task: Task<'_>, surroundings: &Surroundings) {
        let Some(child) = self.child else { return };
        let why = match waitpid(Some(child), WaitOptions::NOHANG) {
            Ok(None) | Err(Errno::INTR) => return,
            Ok(Some((_, status))) => match status.exit_status() {
                Some(0) => Why::Done,
                Some(code) if code == i32::from(MISMATCH) => Why::Mismatch,
                Some(code) if code == i32::from(Exit::TEMPORARY.0) => Why::Crashed,
                Some(code) => Why::Errno(Errno::from_raw_os_error(code)),
                None => Why::Crashed,
            },
            // Somebody else has reaped it: how it ended nobody knows.
            Err(_) => Why::Crashed,
        };
        self.child = None;
        if why == Why::Done {
            if self.has_more {
                self.start(task, surroundings);
            }
        } else {
            self.say(why, task.path);
        }
    }

    /// Ends it, and waits for that. What it was at stays as it was.
    pub(super) fn stop(&mut self, directory: &OwnedFd) {
        let Some(child) = self.child.take() else { return };
        let _ = kill_process(child, Signal::KILL);
        while matches!(waitpid(Some(child), WaitOptions::empty()), Err(Errno::INTR)) {}
        // Otherwise the next start does that.
        let _ = discard_leftover(directory);
    }

    /// Says why files aren't compressed, if that isn't known yet.
    fn say(&mut self, why: Why, path: &[u8]) {
        let now = monotonic();
        if self.said.is_some_and(|(said, at)| said == why && now.saturating_sub(at) < SILENCE) {
            return;
        }
        self.said = Some((why, now));
        let files: [&[u8]; 2] = [b"unable to compress files in ", path];
        match why {
            Why::Done => {}
            Why::Errno(errno) => NAME.warn_errno(&files, errno),
            Why::NotForked(errno) => {
                NAME.warn_errno(&[b"unable to fork for compressor in ", path], errno);
            }
            Why::Mismatch => {
                NAME.warn(&[files[0], path, b": expanded again, one isn't what it was"]);
            }
            Why::Crashed => NAME.warn(&[b"compressor crashed in ", path]),
        }
    }
}

/// The life of the process: it goes when multilog goes, has nothing that isn't its business (least of all the pipe that
/// multilog reads, and its lock), and steps back when others want the processor.
fn live(multilog: Pid, task: Task<'_>, surroundings: &Surroundings) -> Result<(), Obstacle> {
    sys::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if sys::process::getppid() != Some(multilog) {
        return Ok(());
    }
    for signal in [Signal::TERM, Signal::ALARM, Signal::CHILD] {
        sys::signal::default(signal);
    }
    sys::signal::set_mask(surroundings.mask);
    sys::stdio::dup2_stdin(task.directory)?;
    sys::stdio::dup2_stdout(task.directory)?;
    // Before Linux 5.9 it keeps the others, for as long as it lives.
    let _ = sys::close_all_but(&[task.directory.as_raw_fd()]);
    let _ = sys::process::nice(NICE);
    discard_leftover(task.directory)?;
    let mut seen = Vec::new();
    let mut outcome = Ok(());
    loop {
        let there = (task.list)()?;
        let files = finished::in_order(&there);
        let next = uncompressed(&files, task.code)
            .find(|name| !seen.iter().any(|seen: &CString| **seen == **name));
        let Some(name) = next else { return outcome };
        match archive(task.directory, name, task.format) {
            Ok(()) => {}
            // It would be the same with the next one, or it is somebody else's turn.
            Err(obstacle @ (Obstacle::System(Errno::NOSPC | Errno::DQUOT) | Obstacle::Rival)) => {
                return Err(obstacle);
            }
            // One that can't be read, say, doesn't keep the others from it.
            Err(obstacle) => outcome = outcome.and(Err(obstacle)),
        }
        seen.push(name.into());
    }
}
