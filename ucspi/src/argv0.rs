//! argv0: runs a program under another name.

use crate::child;
use common::{Exit, Failure, Name};
use sys::{Args, Env};

const NAME: Name = Name("argv0");

const USAGE: &str = "realname program [ arg ... ]";

/// `argv0 REALNAME NAME ARGUMENTS`: becomes the program REALNAME, which is told that it is called NAME.
/// There are no options: a word that begins with `-` is a name like any other.
///
/// # Errors
/// Wrong usage: 100. A program that can't be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let file = args.get(1).filter(|_| args.len() > 2).ok_or_else(|| NAME.usage(USAGE))?;
    Err(child::exec(NAME, file, args.tail(2), env))
}
