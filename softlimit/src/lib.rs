//! softlimit: runs a program under new soft resource limits.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod limit;
mod request;

use common::{Exit, Failure, Name};
use limit::Limit;
use request::Request;
use sys::exec::Program;
use sys::{Args, Env};

pub(crate) const NAME: Name = Name("softlimit");

/// `softlimit OPTIONS PROGRAM ARGUMENTS`: sets the soft limits and becomes the program.
///
/// # Errors
/// Wrong usage, or a malformed limit in the environment: 100. A limit that can't be set, a program
/// that can't be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let Request { limits, name, child } = request::read(args, env)?;
    // Before the limits: from then on there may be no memory to be had.
    let program = Program::find(name, env.get(b"PATH"));
    limits.iter().try_for_each(Limit::apply)?;
    let errno = program.exec(&child.vector(), &env.vector());
    Err(NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to run ", name.to_bytes()], errno))
}
