//! Giving up root, once the socket listens.

use crate::options::NAME;
use common::{Exit, Failure};
use nix::unistd::{Gid, Uid, setgid, setgroups, setuid};
use sys::Errno;

/// Changes the groups and then the user, where they are given. As in the original, 0 changes
/// nothing, a group replaces the supplementary ones, and a user without a group leaves
/// all groups alone.
///
/// # Errors
/// What the system says, exit code 111.
pub fn give_up(gid: Option<u32>, uid: Option<u32>) -> Result<(), Failure> {
    if let Some(gid @ 1..) = gid {
        let gid = Gid::from_raw(gid);
        setgroups(&[gid])
            .and_then(|()| setgid(gid))
            .map_err(|error| fatal(b"unable to set gid", error))?;
    }
    if let Some(uid @ 1..) = uid {
        setuid(Uid::from_raw(uid)).map_err(|error| fatal(b"unable to set uid", error))?;
    }
    Ok(())
}

fn fatal(what: &[u8], error: nix::Error) -> Failure {
    NAME.fatal_errno(Exit::TEMPORARY.0, &[what], Errno::from_raw_os_error(error as i32))
}
