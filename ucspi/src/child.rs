//! Becoming the program that the arguments name.

use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::exec::Program;
use sys::{Args, Env};

/// Becomes the program `file`, looked for in `PATH`, with these arguments, the name that it is told
/// among them. Comes back only with a failure: exit code 111.
pub(crate) fn exec(program: Name, file: &CStr, args: Args, env: Env) -> Failure {
    let errno = Program::find(file, env.get(b"PATH")).exec(&args.vector(), &env.vector());
    let parts: [&[u8]; 2] = [b"unable to run ", file.to_bytes()];
    program.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
}
