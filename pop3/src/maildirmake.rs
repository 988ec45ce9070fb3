//! maildirmake: makes a Maildir.
//!
//! `maildirmake maildir`: the directory, and `tmp`, `new` and `cur` in it, all 0700 whatever the
//! umask. Exit codes: 0, 100 for wrong usage, 111 if it can't be made.

use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use sys::fs::{AtFlags, CWD, Mode, chmodat, mkdirat};
use sys::{Args, Env};

const NAME: Name = Name("maildirmake");

/// The program.
///
/// # Errors
/// Wrong usage; a directory that can't be made, or exists.
pub fn run(args: Args, _env: Env) -> Result<Exit, Failure> {
    let (Some(maildir), None) = (args.get(1), args.get(2)) else {
        return Err(NAME.usage("maildir"));
    };
    for part in [&b""[..], b"/tmp", b"/new", b"/cur"] {
        let directory = [maildir.to_bytes(), part].concat();
        make(&directory)?;
    }
    Ok(Exit::OK)
}

fn make(directory: &Vec<u8>) -> Result<(), Failure> {
    let mode = Mode::RWXU;
    let failed = |verb: &[u8], errno| {
        NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to ", verb, b" ", directory], errno)
    };
    mkdirat(CWD, directory.as_slice(), mode).map_err(|errno| failed(b"create", errno))?;
    // A umask may have taken away what the owner needs.
    chmodat(CWD, directory.as_slice(), mode, AtFlags::empty())
        .map_err(|errno| failed(b"change mode of", errno))
}
