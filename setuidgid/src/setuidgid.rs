//! setuidgid: runs a program under an account's uid and gid.

use crate::child::Child;
use crate::known::{known, unanswered};
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use sys::account::groups;
use sys::process::{Gid, Uid};
use sys::thread::{set_thread_gid, set_thread_groups, set_thread_uid};
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
    let all_groups = args.get(1) == Some(c"-s");
    let args = args.tail(usize::from(all_groups));
    let usage = || NAME.usage("account child");
    let account = args.get(1).ok_or_else(usage)?;
    let child = Child::after(args, 2).ok_or_else(usage)?;

    let account = known(NAME, account)?;
    let groups = if all_groups {
        groups(&account.name, account.gid).map_err(|trouble| unanswered(NAME, trouble))?
    } else {
        Vec::from([account.gid])
    };
    let groups: Vec<Gid> = groups.into_iter().map(Gid::from_raw).collect();
    // The uid last: without root's, the groups can't be changed any more.
    set_thread_groups(&groups)
        .and_then(|()| set_thread_gid(Gid::from_raw(account.gid)))
        .map_err(|errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to setgid"], errno))?;
    set_thread_uid(Uid::from_raw(account.uid))
        .map_err(|errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to setuid"], errno))?;
    Err(child.exec(NAME, env, &env.vector()))
}
