//! The scripts of a service directory, and what each of them is handed.

use crate::machine::Script;
use core::ffi::CStr;
use sys::exec::Program;
use sys::process::Pid;
use sys::signal::SignalSet;
use sys::spawn::{ProcessGroup, Spawn, SpawnError};
use sys::{BorrowedFd, Env, Vector};

/// Which of the two that a supervise may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The service.
    Service,
    /// Its `log`.
    Log,
}

/// How the scripts are started.
pub struct Scripts {
    env: Vector<'static>,
    mask: SignalSet,
    start: Program,
    run: Program,
    finish: Program,
    stop: Program,
    log: Program,
    notify: Program,
}

/// What a script is handed beyond what we have ourselves.
#[derive(Clone, Copy)]
pub struct Handed<'a> {
    /// Its arguments.
    pub args: &'a [&'a CStr],
    /// Descriptors, and their numbers there.
    pub descriptors: &'a [(BorrowedFd<'a>, i32)],
    /// Whether it gets a session of its own.
    pub session: bool,
    /// Where it leaves its id.
    pub announce: Option<BorrowedFd<'a>>,
}

impl Scripts {
    /// Those of the working directory, with this environment and this mask of blocked signals.
    #[must_use]
    pub fn new(env: Env, mask: SignalSet) -> Self {
        let find = |path| Program::find(path, None);
        Self {
            env: env.vector(),
            mask,
            start: find(path(Role::Service, Script::Start)),
            run: find(path(Role::Service, Script::Run)),
            finish: find(path(Role::Service, Script::Finish)),
            stop: find(path(Role::Service, Script::Stop)),
            log: find(path(Role::Log, Script::Run)),
            notify: find(NOTIFY),
        }
    }

    /// Starts one.
    ///
    /// # Errors
    /// The step that failed.
    pub fn start(&self, role: Role, script: Script, handed: Handed<'_>) -> Result<Pid, SpawnError> {
        let program = match (role, script) {
            (Role::Log, _) => &self.log,
            (Role::Service, Script::Start) => &self.start,
            (Role::Service, Script::Run) => &self.run,
            (Role::Service, Script::Finish) => &self.finish,
            (Role::Service, Script::Stop) => &self.stop,
        };
        self.spawn(program, path(role, script), handed)
    }

    /// Starts `notify`, which nobody waits for.
    ///
    /// # Errors
    /// The step that failed.
    pub fn notify(&self, handed: Handed<'_>) -> Result<Pid, SpawnError> {
        self.spawn(&self.notify, NOTIFY, handed)
    }

    fn spawn(&self, program: &Program, name: &CStr, handed: Handed<'_>) -> Result<Pid, SpawnError> {
        let args = core::iter::once(name).chain(handed.args.iter().copied()).collect();
        let process_group =
            if handed.session { ProcessGroup::NewSession } else { ProcessGroup::Inherited };
        let spawn = Spawn {
            mask: self.mask,
            descriptors: handed.descriptors,
            announce: handed.announce,
            process_group,
            ..Spawn::new(program, &args, &self.env)
        };
        spawn.start()
    }
}

/// A script's name, as `notify` and our messages have it.
#[must_use]
pub fn word(role: Role, script: Script) -> &'static CStr {
    match (role, script) {
        (Role::Log, _) => c"log",
        (Role::Service, Script::Start) => c"start",
        (Role::Service, Script::Run) => c"run",
        (Role::Service, Script::Finish) => c"finish",
        (Role::Service, Script::Stop) => c"stop",
    }
}

fn path(role: Role, script: Script) -> &'static CStr {
    match (role, script) {
        (Role::Log, _) => c"./log",
        (Role::Service, Script::Start) => c"./start",
        (Role::Service, Script::Run) => c"./run",
        (Role::Service, Script::Finish) => c"./finish",
        (Role::Service, Script::Stop) => c"./stop",
    }
}

const NOTIFY: &CStr = c"./notify";
