//! How svc and its like reach whoever supervises a service directory, given a descriptor of it.
//!
//! Nothing here ever waits: FIFOs are opened and written without blocking.

use crate::detail::{self, Details};
use crate::place::{File, Place};
use crate::record::{self, Past};
use crate::service::Process;
use crate::status::{self, Statuses};
use sys::fs::{Mode, OFlags, openat};
use sys::{BorrowedFd, Errno, OwnedFd};

/// Whether the directory is supervised, by opening `supervise/ok` for writing.
///
/// # Errors
/// `ENXIO`: nobody supervises it now. `ENOENT`: nobody ever did. Anything else: it can't be told.
pub fn reach(at: BorrowedFd<'_>, place: &Place) -> Result<(), Errno> {
    openat(at, place.path(File::Ok), WRITE, Mode::empty()).map(drop)
}

/// Opens `supervise/control` for writing letters to.
///
/// # Errors
/// `ENXIO`: nobody supervises the directory now. Otherwise as open(2).
pub fn control(at: BorrowedFd<'_>, place: &Place) -> Result<OwnedFd, Errno> {
    openat(at, place.path(File::Control), WRITE, Mode::empty())
}

/// Reads `supervise/status`.
///
/// # Errors
/// Which step failed, and why.
pub fn status(at: BorrowedFd<'_>, place: &Place) -> Result<Statuses, StatusError> {
    let file =
        openat(at, place.path(File::Status), READ, Mode::empty()).map_err(StatusError::Open)?;
    // Of a regular file, one read(2) gives all that there is.
    let mut bytes = [0; status::LARGEST];
    let length = sys::read(&file, &mut bytes).map_err(StatusError::Read)?;
    Statuses::decode(&bytes[..length]).ok_or(StatusError::Truncated)
}

/// Reads `supervise/detail`; nothing where there is none that is whole.
#[must_use]
pub fn details(at: BorrowedFd<'_>, place: &Place) -> Details {
    // It is rewritten in place: a reader may see half of the old one and half of the new one.
    for _ in 0..3 {
        let Ok(file) = openat(at, place.path(File::Detail), READ, Mode::empty()) else { break };
        let mut bytes = [0; detail::LARGEST];
        let Ok(length) = sys::read(&file, &mut bytes) else { break };
        let details = Details::decode(&bytes[..length]);
        if details.service.is_some() {
            return details;
        }
    }
    Details::default()
}

/// Whether a process that a killed supervise has left behind still runs: the service's, or that of the `log` beside it.
#[must_use]
pub fn left_behind(at: BorrowedFd<'_>, place: &Place) -> bool {
    [File::Process, File::LogProcess].into_iter().any(|file| {
        let Ok(file) = openat(at, place.path(file), READ, Mode::empty()) else { return false };
        let Past::Killed(Some(entry)) = record::read(&file) else { return false };
        Process::left_behind(&entry).is_some()
    })
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
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);
