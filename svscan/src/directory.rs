//! The scan directory: who may use it, and what is in it.

use crate::complaint::Complaints;
use crate::plan::{Identity, Listed};
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::time::Duration;
use sys::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RawDir, Stat};
use sys::{Errno, OwnedFd};

/// The scan directory, which is our working directory too.
pub struct ScanDirectory {
    fd: OwnedFd,
}

/// Why the scan directory is not ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockError {
    /// Another svscan works there.
    Taken,
    /// The file system has no locks.
    Unsupported(Errno),
}

impl ScanDirectory {
    /// Opens a directory.
    ///
    /// # Errors
    /// As open(2) of a directory.
    pub fn open(path: &CStr) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { fd: sys::fs::open(path, flags, Mode::empty())? })
    }

    /// Locks it against a second svscan, for as long as this lives. The directory itself carries the lock, so that
    /// nothing has to be written into it.
    ///
    /// # Errors
    /// [`LockError::Taken`] if another process holds the lock.
    pub fn lock(&self) -> Result<(), LockError> {
        loop {
            match sys::fs::flock(&self.fd, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) => return Err(LockError::Taken),
                Err(errno) => return Err(LockError::Unsupported(errno)),
            }
        }
    }

    /// The names in it, but for those that begin with a dot, in byte order.
    ///
    /// # Errors
    /// As open(2) and getdents(2). A listing that broke off is no listing.
    pub fn names(&self) -> Result<Vec<CString>, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = sys::fs::openat(&self.fd, c".", flags, Mode::empty())?;
        let mut names = Vec::new();
        let mut buffer = Vec::with_capacity(8192);
        let mut entries = RawDir::new(fd, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            let entry = entry?;
            if !entry.file_name().to_bytes().starts_with(b".") {
                names.push(entry.file_name().into());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The directories in it, links followed. `log` is looked for only in those that aren't known. An entry that can't
    /// be looked at is left out, and complained of: a link whose target is yet to come is found by a later scan.
    ///
    /// # Errors
    /// As [`Self::names`].
    pub fn list(
        &self,
        known: impl Fn(Identity) -> bool,
        complaints: &mut Complaints,
        now: Duration,
    ) -> Result<Vec<Listed>, Errno> {
        let mut found = Vec::new();
        for name in self.names()? {
            let directory = match self.stat(&name) {
                Ok(stat) => stat,
                // It was removed since it was listed; only a link can be there and have nothing behind it.
                Err(Errno::NOENT) if !self.is_there(&name) => continue,
                Err(errno) => {
                    complaints.warn_errno(&[b"unable to stat ", name.to_bytes()], errno, now);
                    continue;
                }
            };
            if !is_directory(&directory) {
                continue;
            }
            let id = Identity { device: directory.st_dev, inode: directory.st_ino };
            let log = if known(id) { Ok(false) } else { self.has_log(&name) };
            match log {
                Ok(log) => found.push(Listed { name, id, log }),
                Err(errno) => {
                    let parts: [&[u8]; 3] = [b"unable to stat ", name.to_bytes(), b"/log"];
                    complaints.warn_errno(&parts, errno, now);
                }
            }
        }
        Ok(found)
    }

    fn has_log(&self, name: &CStr) -> Result<bool, Errno> {
        match self.stat(&below(name, b"log")) {
            Ok(stat) => Ok(is_directory(&stat)),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(errno),
        }
    }

    fn stat(&self, path: &CStr) -> Result<Stat, Errno> {
        sys::fs::statat(&self.fd, path, AtFlags::empty())
    }

    fn is_there(&self, name: &CStr) -> bool {
        sys::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }
}

/// `NAME/FILE`.
#[must_use]
pub fn below(name: &CStr, file: &[u8]) -> CString {
    let path = [name.to_bytes(), b"/", file].concat();
    CString::new(path).unwrap_or_default()
}

fn is_directory(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}
