//! Starting supervise.

use crate::directory::below;
use crate::plan::Role;
use core::ffi::CStr;
use sys::exec::Program;
use sys::fs::{CWD, FlockOperation, Mode, OFlags};
use sys::process::{Pid, Resource, Rlimit};
use sys::signal::SignalSet;
use sys::spawn::{Spawn, SpawnError};
use sys::{BorrowedFd, Env, Errno, Vector};

/// What each supervise is started with: all that our parent gave us.
pub struct Launcher {
    program: Program,
    env: Vector<'static>,
    path: Option<&'static [u8]>,
    mask: SignalSet,
    limit: Rlimit,
}

impl Launcher {
    /// Looks `supervise` up in PATH. `mask` is the signal mask that our parent gave us.
    ///
    /// The soft limit of open files is raised to the hard one: a logged service takes two descriptors, however many
    /// services there are. Children are given back what we had.
    #[must_use]
    pub fn new(env: Env, mask: SignalSet) -> Self {
        let path = env.get(b"PATH");
        let program = Program::find(c"supervise", path);
        let limit = sys::process::getrlimit(Resource::Nofile);
        let launcher = Self { program, env: env.vector(), path, mask, limit };
        launcher.raise();
        launcher
    }

    /// The PATH that supervise is looked for in, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&'static [u8]> {
        self.path
    }

    /// Starts `supervise NAME`, or `supervise log` in `NAME`, with its end of the pipe.
    ///
    /// # Errors
    /// What went wrong, from the fork to the exec.
    pub fn start(
        &self,
        name: &CStr,
        role: Role,
        pipe: Option<BorrowedFd<'_>>,
    ) -> Result<Pid, SpawnError> {
        let argument = match role {
            Role::Service => name,
            Role::Logger => c"log",
        };
        let args: Vector<'_> = [c"supervise", argument].into_iter().collect();
        let number = match role {
            Role::Service => 1,
            Role::Logger => 0,
        };
        let descriptor = pipe.map(|end| (end, number));
        let spawn = Spawn {
            descriptors: descriptor.as_slice(),
            directory: match role {
                Role::Service => None,
                Role::Logger => Some(name),
            },
            mask: self.mask,
            ..Spawn::new(&self.program, &args, &self.env)
        };
        self.lower();
        let result = spawn.start();
        self.raise();
        result
    }

    fn raise(&self) {
        let all = Rlimit { current: self.limit.maximum, maximum: self.limit.maximum };
        let _ = sys::process::setrlimit(Resource::Nofile, all);
    }

    fn lower(&self) {
        let limit = Rlimit { current: self.limit.current, maximum: self.limit.maximum };
        let _ = sys::process::setrlimit(Resource::Nofile, limit);
    }
}

/// Whether somebody (a supervise of an earlier svscan, say) holds the lock of the service directory at `path`.
#[must_use]
pub fn is_busy(path: &CStr) -> bool {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(lock) = sys::fs::openat(CWD, below(path, b"supervise/lock"), flags, Mode::empty())
    else {
        return false;
    };
    let held = sys::fs::flock(&lock, FlockOperation::NonBlockingLockShared);
    held == Err(Errno::WOULDBLOCK)
}
