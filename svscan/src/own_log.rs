//! The logger of svscan's own messages (daemontools-encore): a service directory's `log`, started before all else. What
//! svscan says, and what services without a logger say, goes there.

use crate::directory::ScanDirectory;
use crate::plan::Identity;
use alloc::ffi::CString;
use core::ffi::CStr;
use sys::fs::{Mode, OFlags};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// Where svscan's messages went at first, and where they go now.
pub struct OwnLog {
    /// Which directory it is.
    pub id: Identity,
    /// Whether the logger is `log` in that directory, or the directory itself.
    pub is_inside: bool,
    stdout: OwnedFd,
    stderr: OwnedFd,
}

impl OwnLog {
    /// The logger of this name.
    ///
    /// # Errors
    /// It isn't there, or isn't a directory.
    pub fn new(directory: &ScanDirectory, name: &CStr) -> Result<Self, Errno> {
        let id = directory.identity(name)?.ok_or(Errno::NOTDIR)?;
        let is_inside = directory.has_log(name)?;
        Ok(Self { id, is_inside, stdout: copy(1)?, stderr: copy(2)? })
    }

    /// The logger that an earlier svscan has handed over.
    #[must_use]
    pub fn inherited(id: Identity, is_inside: bool, stdout: OwnedFd, stderr: OwnedFd) -> Self {
        Self { id, is_inside, stdout, stderr }
    }

    /// The standard output and standard error that svscan was started with: the logger's own messages go there, since it
    /// mustn't write to the pipe that it reads.
    #[must_use]
    pub fn streams(&self) -> [BorrowedFd<'_>; 2] {
        [self.stdout.as_fd(), self.stderr.as_fd()]
    }

    /// From now on svscan's messages go to the logger.
    ///
    /// # Errors
    /// As dup2(2).
    pub fn begin(&self, writer: BorrowedFd<'_>) -> Result<(), Errno> {
        sys::stdio::dup2_stdout(writer)?;
        sys::stdio::dup2_stderr(writer)
    }

    /// From now on they go where they went at first. (What was closed then is /dev/null now.)
    pub fn end(&self) {
        let _ = sys::stdio::dup2_stdout(&self.stdout);
        let _ = sys::stdio::dup2_stderr(&self.stderr);
    }

    /// The argument for its supervise, and the directory to start it in, if not ours.
    #[must_use]
    pub fn start<'a>(&self, name: &'a CString) -> (&'a CStr, Option<&'a CStr>) {
        if self.is_inside { (c"log", Some(name)) } else { (name, None) }
    }
}

/// A copy of a standard stream, above those.
fn copy(number: i32) -> Result<OwnedFd, Errno> {
    let fd = match sys::borrow(number) {
        Some(fd) => return sys::io::fcntl_dupfd_cloexec(fd, 3),
        None => sys::fs::open(c"/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?,
    };
    sys::io::fcntl_dupfd_cloexec(fd, 3)
}
