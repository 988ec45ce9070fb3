//! Starting another program as a child, at the cost of a vfork: no page table is copied.
//!
//! The child shares this process's memory until it runs the program, and this process stands
//! still until then. So the child may only make system calls: nothing allocates, nothing unwinds.

mod starter;

pub use starter::{Starter, Starting};

use crate::args::Vector;
use crate::exec::Program;
use crate::raw::{self, Action};
use crate::signal::{self, SignalSet};
use core::ffi::CStr;
use core::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;
use rustix::process::Pid;

/// At most so many descriptors can be handed over.
pub const MAX_DESCRIPTORS: usize = 8;

/// What to start, and what it is handed. Everything that isn't named here, the child has from us.
pub struct Spawn<'a> {
    /// The program.
    pub program: &'a Program,
    /// Its arguments, the name first.
    pub args: &'a Vector<'a>,
    /// Its environment.
    pub env: &'a Vector<'a>,
    /// Descriptors, each with its number in the child; at most [`MAX_DESCRIPTORS`]. All
    /// others that are close-on-exec (ours always are) don't reach the program.
    pub descriptors: &'a [(BorrowedFd<'a>, i32)],
    /// Numbers to close in the child, after the descriptors were handed over.
    pub close: &'a [i32],
    /// The directory to run it in.
    pub directory: Option<&'a CStr>,
    /// The mask of blocked signals that it starts with.
    pub mask: SignalSet,
    /// Signals that do what they do by default, though we ignore them. (Those that we catch do
    /// so in any case.)
    pub defaults: SignalSet,
    /// Its process group.
    pub process_group: ProcessGroup,
    /// Where the child leaves its process id before it runs the program: 4 bytes, little-endian.
    pub announce: Option<BorrowedFd<'a>>,
}

/// The process group that a child runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProcessGroup {
    /// Ours.
    #[default]
    Inherited,
    /// One of its own.
    New,
    /// One of its own, in a session of its own.
    NewSession,
}

/// Which step of a start failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpawnError {
    /// No process could be made: `EAGAIN` or `ENOMEM`.
    Clone(Errno),
    /// The directory couldn't be entered.
    Directory(Errno),
    /// A descriptor couldn't be handed over, or there were too many.
    Descriptor(Errno),
    /// The program couldn't be run.
    Exec(Errno),
}

impl SpawnError {
    /// The system's reason, whatever the step.
    #[must_use]
    pub fn errno(self) -> Errno {
        match self {
            Self::Clone(errno)
            | Self::Directory(errno)
            | Self::Descriptor(errno)
            | Self::Exec(errno) => errno,
        }
    }
}

impl<'a> Spawn<'a> {
    /// A start that hands over nothing but these: no descriptors, no signal blocked.
    #[must_use]
    pub fn new(program: &'a Program, args: &'a Vector<'a>, env: &'a Vector<'a>) -> Self {
        Self {
            program,
            args,
            env,
            descriptors: &[],
            close: &[],
            directory: None,
            mask: SignalSet::EMPTY,
            defaults: SignalSet::EMPTY,
            process_group: ProcessGroup::Inherited,
            announce: None,
        }
    }

    /// Starts the program. When this returns, the child runs it, or is gone and reaped.
    ///
    /// # Errors
    /// The step that failed, with the system's reason.
    pub fn start(&self) -> Result<Pid, SpawnError> {
        if self.descriptors.len() > MAX_DESCRIPTORS {
            return Err(SpawnError::Descriptor(Errno::MFILE));
        }
        // Until its mask is set, no handler of ours may run in a child that shares our memory.
        let mask = signal::set_mask(SignalSet::ALL);
        let birth = Birth { spawn: self, step: AtomicU8::new(0), error: AtomicI32::new(0) };
        let result = raw::vfork(child, (&raw const birth).cast());
        signal::set_mask(mask);
        let pid = result.map_err(SpawnError::Clone)?;
        match failure(&birth.step, &birth.error) {
            None => Ok(pid),
            Some(error) => {
                reap(pid);
                Err(error)
            }
        }
    }

    /// What the child does, up to its exec. Comes back only with a failure.
    fn prepare_and_exec(&self, step: &AtomicU8) -> Errno {
        match self.process_group {
            ProcessGroup::Inherited => {}
            // Neither can fail in a process that was just made, and is nobody's leader.
            ProcessGroup::New => _ = rustix::process::setpgid(None, None),
            ProcessGroup::NewSession => _ = rustix::process::setsid(),
        }
        if let Some(record) = self.announce {
            let pid = rustix::process::getpid().as_raw_nonzero().get();
            // A record that can't be written doesn't keep the program from running.
            let _ = rustix::io::write(record, &pid.to_le_bytes());
        }
        step.store(DESCRIPTOR, Ordering::Relaxed);
        if let Err(errno) = self.hand_over() {
            return errno;
        }
        step.store(DIRECTORY, Ordering::Relaxed);
        if let Some(directory) = self.directory
            && let Err(errno) = rustix::process::chdir(directory)
        {
            return errno;
        }
        step.store(EXEC, Ordering::Relaxed);
        // Those that we catch too: the handler of a signal that comes before the exec would run in
        // shared memory.
        for number in self.defaults.union(signal::watched()).numbers() {
            raw::sigaction(number, Action::Default);
        }
        raw::sigprocmask(raw::How::Set, Some(self.mask.bits()));
        self.program.exec(self.args, self.env)
    }

    /// Gives each descriptor its number. Those that stand where another must go step aside first.
    fn hand_over(&self) -> Result<(), Errno> {
        let mut sources = [-1; MAX_DESCRIPTORS];
        for (source, (fd, _)) in sources.iter_mut().zip(self.descriptors) {
            *source = fd.as_raw_fd();
        }
        // Above every number that is to be given, and no higher: a low limit may forbid more.
        let aside = self.descriptors.iter().map(|(_, target)| target + 1).max().unwrap_or(0);
        for (index, (_, own)) in self.descriptors.iter().enumerate() {
            let number = sources[index];
            if number != *own && self.descriptors.iter().any(|(_, target)| *target == number) {
                sources[index] = raw::duplicate_above(number, aside)?;
            }
        }
        for (source, (_, target)) in sources.iter().zip(self.descriptors) {
            raw::duplicate_onto(*source, *target)?;
        }
        for number in self.close {
            raw::close(*number);
        }
        Ok(())
    }
}

struct Birth<'a> {
    spawn: &'a Spawn<'a>,
    step: AtomicU8,
    error: AtomicI32,
}

const DIRECTORY: u8 = 1;
const DESCRIPTOR: u8 = 2;
const EXEC: u8 = 3;

extern "C" fn child(birth: *const u8) -> ! {
    // SAFETY: `start` passes its own live `Birth`, and stands still until this process has run
    // its program or is gone; the shared fields are atomics.
    let birth = unsafe { &*birth.cast::<Birth<'_>>() };
    let errno = birth.spawn.prepare_and_exec(&birth.step);
    birth.error.store(errno.raw_os_error(), Ordering::Relaxed);
    raw::exit(111)
}

/// What a child that is gone, or runs its program, has left.
fn failure(step: &AtomicU8, error: &AtomicI32) -> Option<SpawnError> {
    let error = error.load(Ordering::Relaxed);
    let errno = (error != 0).then(|| Errno::from_raw_os_error(error))?;
    Some(match step.load(Ordering::Relaxed) {
        DIRECTORY => SpawnError::Directory(errno),
        DESCRIPTOR => SpawnError::Descriptor(errno),
        _ => SpawnError::Exec(errno),
    })
}

fn reap(pid: Pid) {
    use rustix::process::{WaitOptions, waitpid};
    while matches!(waitpid(Some(pid), WaitOptions::empty()), Err(Errno::INTR)) {}
}
