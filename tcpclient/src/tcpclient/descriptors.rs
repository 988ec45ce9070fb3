//! Handing the connection over at the descriptors that UCSPI clients have it at.

use super::NAME;
use common::{Exit, Failure};
use sys::fd::{AsRawFd, IntoRawFd};
use sys::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use sys::{Errno, OwnedFd};

/// Where the program reads, and where it writes.
const PLACES: [(i32, &[u8]); 2] =
    [(6, b"unable to set up descriptor 6"), (7, b"unable to set up descriptor 7")];

/// Puts the connection there. What was there before is closed; the socket itself is never there.
pub(super) fn hand_over(socket: &OwnedFd) -> Result<(), Failure> {
    PLACES.iter().try_for_each(|(number, what)| {
        put(socket, *number).map_err(|errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[what], errno))
    })
}

fn put(socket: &OwnedFd, number: i32) -> Result<(), Errno> {
    // Ours are close-on-exec, and none of them is left here.
    drop(sys::adopt(number));
    let copy = fcntl_dupfd_cloexec(socket, number)?;
    if copy.as_raw_fd() != number {
        return Err(Errno::BUSY);
    }
    fcntl_setfd(&copy, FdFlags::empty())?;
    // From here on it is the program's.
    let _ = copy.into_raw_fd();
    Ok(())
}
