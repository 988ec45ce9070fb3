//! envuidgid: runs a program with an account's ids in its environment.

use crate::child::Child;
use crate::known::known;
use common::env::Environment;
use common::{Exit, Failure, Name, decimal};
use sys::{Args, Env};

const NAME: Name = Name("envuidgid");

/// `envuidgid ACCOUNT PROGRAM ARGUMENTS`: sets `$GID` and `$UID` to the account's and becomes the
/// program.
///
/// # Errors
/// Wrong usage: 100. An unknown account, a program that can't be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let usage = || NAME.usage("account child");
    let account = args.get(1).ok_or_else(usage)?;
    let child = Child::after(args, 2).ok_or_else(usage)?;

    let account = known(NAME, account)?;
    let mut changed = Environment::new(env);
    changed.set(b"GID", decimal(account.gid.into()).as_bytes());
    changed.set(b"UID", decimal(account.uid.into()).as_bytes());
    Err(child.exec(NAME, env, &changed.vector()))
}
