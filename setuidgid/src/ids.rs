//! Taking an account's ids, for good.

use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use sys::account::Account;
use sys::process::{Gid, Uid};
use sys::thread::{set_thread_gid, set_thread_groups, set_thread_uid};

use crate::known::unanswered;

/// The supplementary groups that a program gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Groups {
    /// The primary group alone.
    Primary,
    /// All that the account is a member of.
    All,
}

/// Takes the account's groups, gid and uid. There is no way back.
pub(crate) fn take(program: Name, account: &Account, groups: Groups) -> Result<(), Failure> {
    let groups = match groups {
        Groups::Primary => Vec::from([account.gid]),
        Groups::All => sys::account::groups(&account.name, account.gid)
            .map_err(|trouble| unanswered(program, trouble))?,
    };
    let groups: Vec<Gid> = groups.into_iter().map(Gid::from_raw).collect();
    // The uid last: without root's, the groups can't be changed any more.
    set_thread_groups(&groups)
        .and_then(|()| set_thread_gid(Gid::from_raw(account.gid)))
        .map_err(|errno| program.fatal_errno(Exit::TEMPORARY.0, &[b"unable to setgid"], errno))?;
    set_thread_uid(Uid::from_raw(account.uid))
        .map_err(|errno| program.fatal_errno(Exit::TEMPORARY.0, &[b"unable to setuid"], errno))
}
