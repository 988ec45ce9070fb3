//! Becoming the program that the rest of the arguments name.

use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::exec::Program;
use sys::{Args, Env, Vector};

/// The program to run, and its arguments.
pub(crate) struct Child {
    name: &'static CStr,
    args: Args,
}

impl Child {
    /// What stands after the first `skipped` arguments, if anything does.
    pub(crate) fn after(args: Args, skipped: usize) -> Option<Self> {
        let args = args.tail(skipped);
        args.get(0).map(|name| Self { name, args })
    }

    /// Becomes the program. It is looked for in the `PATH` that we were started with, whatever the
    /// new environment says, as the originals do. Comes back only with a failure.
    pub(crate) fn exec(&self, program: Name, inherited: Env, env: &Vector<'_>) -> Failure {
        let errno = Program::find(self.name, inherited.get(b"PATH")).exec(&self.args.vector(), env);
        let parts: [&[u8]; 2] = [b"unable to run ", self.name.to_bytes()];
        program.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
    }
}
