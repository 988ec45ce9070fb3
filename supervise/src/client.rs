//! How svc and its like reach whoever supervises a service directory, given a descriptor of it.
//!
//! Nothing here ever waits: FIFOs are opened and written without blocking.

use crate::status::{self, Status};
use crate::{command, directory};
use sys::fs::{Mode, OFlags, openat};
use sys::{BorrowedFd, Errno, OwnedFd};

/// Whether the directory is supervised, by opening `supervise/ok` for writing.
///
/// # Errors
/// `ENXIO`: nobody supervises it now. `ENOENT`: nobody ever did. Anything else: it can't be told.
pub fn reach(at: BorrowedFd<'_>) -> Result<(), Errno> {
    openat(at, directory::OK, WRITE, Mode::empty()).map(drop)
}

/// Opens `supervise/control` for writing letters to.
///
/// # Errors
/// `ENXIO`: nobody supervises the directory now. Otherwise as open(2).
pub fn control(at: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    openat(at, command::PATH, WRITE, Mode::empty())
}

/// Reads `supervise/status`.
///
/// # Errors
/// Which step failed, and why.
pub fn status(at: BorrowedFd<'_>) -> Result<Status, StatusError> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(at, status::PATH, flags, Mode::empty()).map_err(StatusError::Open)?;
    let mut bytes = [0; status::SIZE];
    let mut length = 0;
    while length < bytes.len() {
        match sys::read(&file, &mut bytes[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(errno) => return Err(StatusError::Read(errno)),
        }
    }
    Status::decode(&bytes[..length]).ok_or(StatusError::Truncated)
}

/// Why a status couldn't be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusError {
    /// The file couldn't be opened.
    Open(Errno),
    /// It couldn't be read: it is a directory, say.
    Read(Errno),
    /// It has fewer than 18 bytes.
    Truncated,
}

const WRITE: OFlags = OFlags::WRONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
