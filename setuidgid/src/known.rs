//! An account that must exist.

use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::account::{Account, Trouble, by_name};

/// The account called `account`, or the program's last words.
pub(crate) fn known(program: Name, account: &CStr) -> Result<Account, Failure> {
    let account = account.to_bytes();
    by_name(account)
        .map_err(|trouble| unanswered(program, trouble))?
        .ok_or_else(|| program.fatal(Exit::TEMPORARY.0, &[b"unknown account ", account]))
}

/// Nobody could say whether there is such an account.
pub(crate) fn unanswered(program: Name, trouble: Trouble) -> Failure {
    let parts: [&[u8]; 2] = [b"unable to ", trouble.action.as_bytes()];
    program.fatal_errno(Exit::TEMPORARY.0, &parts, trouble.errno)
}
