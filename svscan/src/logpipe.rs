//! The pipe between a service and its logger. It has three holders: svscan, the service's supervise and the logger's
//! supervise (and their children). It must outlive each of them, or a line is lost or a service dies of SIGPIPE.
//!
//! So it has a name, `supervise/logpipe` in the service directory, a FIFO of mode 0600: a new svscan finds the very pipe
//! that is in use. Children get ends of it that are opened for reading or writing only, as those of a pipe are. Where no
//! FIFO can be made, a pipe without a name has to do, as in the original.

use crate::complaint::Complaints;
use crate::directory::below;
use alloc::ffi::CString;
use alloc::vec::Vec;
use common::reason;
use core::ffi::CStr;
use core::time::Duration;
use sys::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use sys::pipe::PipeFlags;
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// The FIFO's path in the service directory.
pub const PATH: &[u8] = b"supervise/logpipe";

/// Both ends of the pipe.
pub struct LogPipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl LogPipe {
    /// The pipe of the service of this name, in the working directory.
    ///
    /// # Errors
    /// Only if not even a pipe without a name could be made: as pipe(2).
    pub fn open(service: &CStr, complaints: &mut Complaints, now: Duration) -> Result<Self, Errno> {
        let refused = match named(service) {
            Ok(pipe) => return Ok(pipe),
            Err(refused) => refused,
        };
        let why = match refused {
            Refused::System(errno) => reason(errno),
            Refused::NotOurs => "not a private FIFO of our own",
        };
        let parts: [&[u8]; 6] =
            [b"unable to keep ", service.to_bytes(), b"/", PATH, b": ", why.as_bytes()];
        complaints.warn(&parts, now);
        let (reader, writer) = sys::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        Ok(Self { reader, writer })
    }

    /// The end for the logger.
    #[must_use]
    pub fn reader(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// The end for the service.
    #[must_use]
    pub fn writer(&self) -> BorrowedFd<'_> {
        self.writer.as_fd()
    }

    /// How many bytes nobody has read yet.
    #[must_use]
    pub fn unread(&self) -> u64 {
        sys::io::ioctl_fionread(&self.reader).unwrap_or(0)
    }
}

enum Refused {
    System(Errno),
    NotOurs,
}

impl From<Errno> for Refused {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

fn named(service: &CStr) -> Result<LogPipe, Refused> {
    let directory = supervise_directory(service)?;
    match sys::fs::mkfifoat(&directory, c"logpipe", Mode::RUSR | Mode::WUSR) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    let end = |mode| {
        let flags = mode | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        sys::fs::openat(&directory, c"logpipe", flags, Mode::empty())
    };
    // Whoever may write to the directory can put something else there at any time: so all three must be one FIFO.
    // With both ends open, opening an end can't block.
    let both = end(OFlags::RDWR | OFlags::NONBLOCK)?;
    let stat = sys::fs::fstat(&both)?;
    if !is_ours(&stat) {
        return Err(Refused::NotOurs);
    }
    let (reader, writer) = (end(OFlags::RDONLY)?, end(OFlags::WRONLY)?);
    for fd in [&reader, &writer] {
        let other = sys::fs::fstat(fd)?;
        if (other.st_dev, other.st_ino) != (stat.st_dev, stat.st_ino) {
            return Err(Refused::NotOurs);
        }
    }
    Ok(LogPipe { reader, writer })
}

/// Opens the service's `supervise/`, made as supervise itself would: mode 0700, and if it is a link to nowhere (the
/// service directory is read-only), where the link points.
fn supervise_directory(service: &CStr) -> Result<OwnedFd, Errno> {
    let path = below(service, b"supervise");
    make_directory(&path)?;
    match open_directory(&path) {
        Err(Errno::NOENT) => {}
        result => return result,
    }
    let target = sys::fs::readlinkat(CWD, path.as_c_str(), Vec::new())?;
    let target = if target.to_bytes().starts_with(b"/") {
        CString::from(target.as_c_str())
    } else {
        below(service, target.to_bytes())
    };
    make_directory(&target)?;
    open_directory(&path)
}

fn make_directory(path: &CStr) -> Result<(), Errno> {
    match sys::fs::mkdirat(CWD, path, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        // A read-only file system says so even of a directory that is there.
        Err(Errno::ROFS) if sys::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW).is_ok() => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn open_directory(path: &CStr) -> Result<OwnedFd, Errno> {
    sys::fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// A FIFO that only we can open, and that is nothing else under another name.
fn is_ours(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Fifo
        && stat.st_uid == sys::process::geteuid().as_raw()
        && stat.st_mode & 0o077 == 0
        && stat.st_nlink == 1
}
