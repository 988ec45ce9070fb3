//! envdir: runs a program with variables from a directory of files.

mod directory;
pub(crate) mod variable;

use crate::child::Child;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::{Args, Env};
use variable::Variables;

const NAME: Name = Name("envdir");

/// `envdir [-p PREFIX] DIRECTORY PROGRAM ARGUMENTS`: sets a variable for each file and becomes the
/// program. `-p` (from daemontools-encore) puts a prefix before each variable's name.
///
/// # Errors
/// Wrong usage too (as nowhere else), a directory or file that can't be read, a program that can't
/// be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let (prefix, skipped) = prefix(args).unwrap_or_default();
    let args = args.tail(skipped);
    let usage = || Failure { code: Exit::TEMPORARY.0, ..NAME.usage("dir child") };
    let directory = args.get(1).ok_or_else(usage)?;
    let child = Child::after(args, 2).ok_or_else(usage)?;

    let mut variables = Variables::new(env, prefix);
    directory::each_file(directory, |name, first_line| match first_line {
        Some(line) => variables.set(name, line),
        None => variables.unset(name),
    })?;
    Err(child.exec(NAME, env, &variables.vector()))
}

/// The prefix, and how many arguments it takes: `-p PREFIX` or `-pPREFIX`. No getopt: to the original,
/// any other first argument is a directory's name.
fn prefix(args: Args) -> Option<(&'static CStr, usize)> {
    let option = args.get(1)?.to_bytes_with_nul().strip_prefix(b"-p")?;
    let glued = CStr::from_bytes_with_nul(option).ok()?;
    if glued.is_empty() { args.get(2).map(|prefix| (prefix, 2)) } else { Some((glued, 1)) }
}
