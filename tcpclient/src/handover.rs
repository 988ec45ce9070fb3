//! The descriptors at which UCSPI clients hand on a connection.

use sys::Errno;
use sys::fd::{AsFd, AsRawFd, IntoRawFd};
use sys::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};

/// Where the program reads.
pub const READ: i32 = 6;

/// Where it writes.
pub const WRITE: i32 = 7;

/// Puts a copy of `fd` at this number, for the program. What was there before, and was there when we
/// started, is closed; `fd` itself is never there.
///
/// # Errors
/// What the system says; `EBUSY`: something of ours is there.
pub fn put(fd: impl AsFd, number: i32) -> Result<(), Errno> {
    // Ours are close-on-exec, and none of them is left here.
    drop(sys::adopt(number));
    let copy = fcntl_dupfd_cloexec(fd, number)?;
    if copy.as_raw_fd() != number {
        return Err(Errno::BUSY);
    }
    fcntl_setfd(&copy, FdFlags::empty())?;
    // From here on it is the program's.
    let _ = copy.into_raw_fd();
    Ok(())
}
