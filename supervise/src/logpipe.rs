//! The pipe between a service and the `log` that its supervise runs: `supervise/logpipe`, a FIFO.
//!
//! It has a name so that it outlives supervise: killed with -9, that leaves the service and the log on
//! either end of it, and the next supervise finds the very same pipe. With an unnamed one, a service
//! or a log that is started again would be on another pipe than its counterpart.

use crate::directory::make_fifo;
use core::ffi::CStr;
use sys::fs::{self, FileType, Mode, OFlags, Stat};
use sys::pipe::PipeFlags;
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// Both ends of the pipe.
pub struct LogPipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl LogPipe {
    /// The pipe of this name; and why it is one without, if there can't be such a FIFO.
    ///
    /// # Errors
    /// Not even a pipe without a name can be made: as pipe(2).
    pub fn open(path: &CStr) -> Result<(Self, Option<Errno>), Errno> {
        match named(path) {
            Ok(pipe) => Ok((pipe, None)),
            Err(refused) => {
                let (reader, writer) = sys::pipe::pipe_with(PipeFlags::CLOEXEC)?;
                Ok((Self { reader, writer }, Some(refused)))
            }
        }
    }

    /// The one that a predecessor in this process had.
    #[must_use]
    pub fn inherited(reader: OwnedFd, writer: OwnedFd) -> Self {
        Self { reader, writer }
    }

    /// The end for the log.
    #[must_use]
    pub fn reader(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// The end for the service.
    #[must_use]
    pub fn writer(&self) -> BorrowedFd<'_> {
        self.writer.as_fd()
    }

    /// Whether all that was written has been read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        sys::io::ioctl_fionread(&self.reader) == Ok(0)
    }
}

fn named(path: &CStr) -> Result<LogPipe, Errno> {
    make_fifo(path)?;
    let end = |mode| {
        let flags = mode | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        fs::open(path, flags, Mode::empty())
    };
    // With both ends open, opening an end can't block. Whatever lies there, only a FIFO of our own
    // will do, and all three must be the same.
    let both = end(OFlags::RDWR | OFlags::NONBLOCK)?;
    let stat = fs::fstat(&both)?;
    if !is_ours(&stat) {
        return Err(Errno::EXIST);
    }
    let (reader, writer) = (end(OFlags::RDONLY)?, end(OFlags::WRONLY)?);
    for fd in [&reader, &writer] {
        let other = fs::fstat(fd)?;
        if (other.st_dev, other.st_ino) != (stat.st_dev, stat.st_ino) {
            return Err(Errno::EXIST);
        }
    }
    Ok(LogPipe { reader, writer })
}

/// A FIFO that only we can open, and that is nothing else under another name.
fn is_ours(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode).is_fifo()
        && stat.st_uid == sys::process::geteuid().as_raw()
        && stat.st_mode & 0o077 == 0
        && stat.st_nlink == 1
}
