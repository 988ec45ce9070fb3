//! pgrphack: runs a program in a process group of its own.

use crate::child::Child;
use common::{Exit, Failure, Name};
use sys::{Args, Env};

const NAME: Name = Name("pgrphack");

/// `pgrphack PROGRAM ARGUMENTS`: becomes the program, as the leader of a new process group, and of
/// a new session (as with the original, whatever its name says).
///
/// # Errors
/// Wrong usage: 100. A program that can't be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let child = Child::after(args, 1).ok_or_else(|| NAME.usage("child"))?;
    // Refused to the leader of a group only, which needs no group.
    let _ = sys::process::setsid();
    Err(child.exec(NAME, env, &env.vector()))
}
