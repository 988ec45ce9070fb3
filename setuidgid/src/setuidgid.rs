//! setuidgid: runs a program under an account's uid and gid.

use crate::child::Child;
use crate::ids::{self, Groups};
use crate::known::known;
use common::{Exit, Failure, Name};
use sys::{Args, Env};

const NAME: Name = Name("setuidgid");

/// `setuidgid [-s] ACCOUNT PROGRAM ARGUMENTS`: takes the account's ids and becomes the program. The
/// supplementary groups are the primary group alone; with `-s` (from daemontools-encore), all that
/// the account is a member of.
///
/// # Errors
/// Wrong usage: 100. An unknown account, ids that may not be taken, a program that can't be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    // No getopt: to the original, any first argument is an account's name, and none is called `-s`.
    let groups = if args.get(1) == Some(c"-s") { Groups::All } else { Groups::Primary };
    let args = args.tail(usize::from(groups == Groups::All));
    let usage = || NAME.usage("account child");
    let account = args.get(1).ok_or_else(usage)?;
    let child = Child::after(args, 2).ok_or_else(usage)?;

    ids::take(NAME, &known(NAME, account)?, groups)?;
    Err(child.exec(NAME, env, &env.vector()))
}
