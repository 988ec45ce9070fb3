//! Starting supervise.

use core::ffi::CStr;
use sys::exec::Program;
use sys::process::{Pid, Resource, Rlimit};
use sys::signal::SignalSet;
use sys::spawn::{Spawn, SpawnError};
use sys::{BorrowedFd, Env, Vector};

/// What each supervise is started with: all that our parent gave us.
pub struct Launcher {
    program: Program,
    env: Vector<'static>,
    path: Option<&'static [u8]>,
    mask: SignalSet,
    limit: Rlimit,
}

impl Launcher {
    /// Looks `supervise` up in PATH. `mask` is the signal mask that our parent gave us, `limit` the limit of open files
    /// that it did, unless that is still the one that we have.
    ///
    /// The soft limit of open files is raised to the hard one: a logged service takes two descriptors, however many
    /// services there are. Children are given back what we had.
    #[must_use]
    pub fn new(env: Env, mask: SignalSet, limit: Option<Option<u64>>) -> Self {
        let path = env.get(b"PATH");
        let program = Program::find(c"supervise", path);
        let mut ours = sys::process::getrlimit(Resource::Nofile);
        ours.current = limit.unwrap_or(ours.current);
        let launcher = Self { program, env: env.vector(), path, mask, limit: ours };
        launcher.raise();
        launcher
    }

    /// The soft limit of open files that children get; `None` for no limit.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        self.limit.current
    }

    /// The PATH that supervise is looked for in, if there is one.
    #[must_use]
    pub fn path(&self) -> Option<&'static [u8]> {
        self.path
    }

    /// Starts `supervise ARGUMENT`, in `directory` unless it is ours, with these descriptors.
    ///
    /// # Errors
    /// What went wrong, from the fork to the exec.
    pub fn start(
        &self,
        argument: &CStr,
        directory: Option<&CStr>,
        descriptors: &[(BorrowedFd<'_>, i32)],
    ) -> Result<Pid, SpawnError> {
        let args: Vector<'_> = [c"supervise", argument].into_iter().collect();
        let spawn = Spawn {
            descriptors,
            directory,
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
