//! The scan directory: who may use it, and what is in it.

use crate::ignored::Why;
use crate::plan::{Identity, Listed};
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use sys::fs::{AtFlags, FileType, Mode, OFlags, RawDir, Stat};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// The scan directory, which is our working directory too.
pub struct ScanDirectory {
    fd: OwnedFd,
}

/// What a scan sees.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Directories.
    pub found: Vec<Listed>,
    /// Entries that are none, or can't be looked at: a link whose target is yet to come is found by a later scan.
    pub ignored: Vec<(CString, Why)>,
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

    /// The directory that an earlier svscan has handed over, lock and all.
    #[must_use]
    pub fn inherited(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// Locks it against a second svscan, for as long as this lives. The directory itself carries the lock, so that
    /// nothing has to be written into it.
    ///
    /// # Errors
    /// [`LockError::Taken`] if another process holds the lock, and goes on doing so for [`sys::LEFT_OVER`].
    pub fn lock(&self) -> Result<(), LockError> {
        sys::lock(&self.fd, sys::LEFT_OVER).map_err(|errno| match errno {
            Errno::WOULDBLOCK => LockError::Taken,
            errno => LockError::Unsupported(errno),
        })
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

    /// What is in it, links followed. `log` is looked for only in directories that aren't known.
    ///
    /// # Errors
    /// As [`Self::names`].
    pub fn list(&self, known: impl Fn(Identity) -> bool) -> Result<Listing, Errno> {
        let mut listing = Listing::default();
        for name in self.names()? {
            match self.look(&name, &known) {
                Ok(entry) => listing.found.push(entry),
                // It was removed since it was listed; only a link can be there and have nothing behind it.
                Err(Why::Unseen(Errno::NOENT)) if !self.is_there(&name) => {}
                Err(why) => listing.ignored.push((name, why)),
            }
        }
        Ok(listing)
    }

    /// Looks at one entry.
    ///
    /// # Errors
    /// Why it is to be ignored.
    fn look(&self, name: &CStr, known: impl Fn(Identity) -> bool) -> Result<Listed, Why> {
        let id = self.identity(name).map_err(Why::Unseen)?.ok_or(Why::NoDirectory)?;
        let log = !known(id) && self.has_log(name).map_err(Why::LogUnseen)?;
        Ok(Listed { name: name.into(), id, log })
    }

    /// Which directory an entry is, or leads to; `None` if it is something else.
    ///
    /// # Errors
    /// As stat(2).
    pub fn identity(&self, name: &CStr) -> Result<Option<Identity>, Errno> {
        let stat = self.stat(name)?;
        let id = Identity { device: stat.st_dev, inode: stat.st_ino };
        Ok(is_directory(&stat).then_some(id))
    }

    /// Whether an entry has a directory `log`.
    ///
    /// # Errors
    /// As stat(2), but that there is nothing.
    pub fn has_log(&self, name: &CStr) -> Result<bool, Errno> {
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

impl AsFd for ScanDirectory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
