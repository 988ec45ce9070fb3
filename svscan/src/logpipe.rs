//! The pipe between a service and its logger. It has three holders: svscan, the service's supervise and the logger's
//! supervise (and their children). It must outlive each of them, or a line is lost or a service dies of SIGPIPE.
//!
//! So it has a name, `supervise/logpipe` in the service directory, a FIFO of mode 0600: a new svscan finds the very pipe
//! that is in use. Children get ends of it that are opened for reading or writing only, as those of a pipe are. Where no
//! FIFO can be made, a pipe without a name has to do, as in the original.

use crate::complaint::Complaints;
use crate::site::Site;
use alloc::ffi::CString;
use common::{decimal, reason};
use core::ffi::CStr;
use core::time::Duration;
use supervise::place::File;
use sys::fd::AsRawFd;
use sys::fs::{FileType, Mode, OFlags, Stat};
use sys::pipe::PipeFlags;
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// Both ends of the pipe; the writing one only until nothing is to be written any more.
pub struct LogPipe {
    reader: OwnedFd,
    writer: Option<OwnedFd>,
}

impl LogPipe {
    /// The pipe of the service at `site`, which was opened as `path`.
    ///
    /// # Errors
    /// Only if not even a pipe without a name could be made: as pipe(2).
    pub fn open(
        site: &Site,
        path: &CStr,
        complaints: &mut Complaints,
        now: Duration,
    ) -> Result<Self, Errno> {
        let refused = match named(site) {
            Ok(pipe) => return Ok(pipe),
            Err(refused) => refused,
        };
        let why = match refused {
            Refused::System(errno) => reason(errno),
            Refused::NotOurs => "not a private FIFO of our own",
        };
        let fifo = site.path(path, File::LogPipe);
        complaints.warn(&[b"unable to keep ", fifo.to_bytes(), b": ", why.as_bytes()], now);
        let (reader, writer) = sys::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        Ok(Self { reader, writer: Some(writer) })
    }

    /// The pipe whose ends an earlier svscan has handed over.
    #[must_use]
    pub fn inherited(reader: OwnedFd, writer: OwnedFd) -> Self {
        Self { reader, writer: Some(writer) }
    }

    /// The end for the logger.
    #[must_use]
    pub fn reader(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// The end for the service, unless it was closed.
    #[must_use]
    pub fn writer(&self) -> Option<BorrowedFd<'_>> {
        self.writer.as_ref().map(AsFd::as_fd)
    }

    /// Nothing is to be written any more: when all writers are gone, the logger reads to the end.
    pub fn close_writer(&mut self) {
        self.writer = None;
    }

    /// How many bytes nobody has read yet.
    #[must_use]
    pub fn unread(&self) -> u64 {
        sys::io::ioctl_fionread(&self.reader).unwrap_or(0)
    }

    /// Gives the pipe up. How many bytes are lost with it: those that nobody has read, if nobody else is there to.
    #[must_use]
    pub fn abandon(self) -> u64 {
        let unread = self.unread();
        let Some(writer) = self.writer else { return unread };
        drop(self.reader);
        let number = decimal(u64::from(writer.as_raw_fd().unsigned_abs()));
        let path =
            CString::new([b"/proc/self/fd/", number.as_bytes()].concat()).unwrap_or_default();
        // Only a pipe that still has a reader can be opened for writing.
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let again = sys::fs::open(path.as_c_str(), flags, Mode::empty());
        if again.is_ok() { 0 } else { unread }
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

fn named(site: &Site) -> Result<LogPipe, Refused> {
    let directory = site.make()?;
    let name = File::LogPipe.name();
    match sys::fs::mkfifoat(&directory, name, Mode::RUSR | Mode::WUSR) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    let end = |mode| {
        let flags = mode | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        sys::fs::openat(&directory, name, flags, Mode::empty())
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
    Ok(LogPipe { reader, writer: Some(writer) })
}

/// A FIFO that only we can open, and that is nothing else under another name.
fn is_ours(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Fifo
        && stat.st_uid == sys::process::geteuid().as_raw()
        && stat.st_mode & 0o077 == 0
        && stat.st_nlink == 1
}
