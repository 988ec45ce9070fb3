//! A log's directory, as a reader sees it.

use super::names::{self, Finished};
use alloc::ffi::CString;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::ffi::CStr;
use sys::fs::{self, AtFlags, FileType, Mode, OFlags, RawDir};
use sys::io::retry_on_intr;
use sys::{Errno, OwnedFd};

/// What is being written.
pub(crate) const CURRENT: &CStr = c"current";

/// A file that is full, until it has its name; and what the processor makes of it.
pub(crate) const PREVIOUS: &CStr = c"previous";
pub(crate) const PROCESSED: &CStr = c"processed";

/// A FIFO in a file's place must not keep us for ever.
const READING: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// A directory that holds a log.
pub(crate) struct Directory {
    pub(crate) path: CString,
    fd: OwnedFd,
}

/// Which file a file is, for as long as it is held open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

/// What fstat(2) tells of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) identity: Identity,
    pub(crate) size: u64,
    /// Whether it has no name any more.
    pub(crate) is_gone: bool,
}

impl Directory {
    /// # Errors
    /// As open(2).
    pub(crate) fn open(path: CString) -> Result<Self, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = retry_on_intr(|| fs::open(&path, flags, Mode::empty()))?;
        Ok(Self { path, fd })
    }

    /// Whether there is a log in it: a `current`, or a finished file.
    pub(crate) fn holds_a_log(&self) -> bool {
        let current = fs::statat(&self.fd, CURRENT, AtFlags::empty());
        current.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
            || self.finished().is_ok_and(|files| !files.is_empty())
    }

    /// The finished files, in order.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(crate) fn finished(&self) -> Result<Vec<Finished>, Errno> {
        let mut files = Vec::new();
        self.list(|name| files.extend(Finished::named(name)))?;
        Ok(names::in_order(files))
    }

    /// The names in it, in order.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(crate) fn names(&self) -> Result<Vec<CString>, Errno> {
        let mut names = Vec::new();
        self.list(|name| {
            if !name.to_bytes().starts_with(b".") {
                names.push(name.into());
            }
        })?;
        names.sort_unstable();
        Ok(names)
    }

    fn list(&self, mut each: impl FnMut(&CStr)) -> Result<(), Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let listed = retry_on_intr(|| fs::openat(&self.fd, c".", flags, Mode::empty()))?;
        let mut buffer = Vec::with_capacity(8192);
        let mut entries = RawDir::new(listed, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            each(entry?.file_name());
        }
        Ok(())
    }

    /// Opens a file in it.
    ///
    /// # Errors
    /// As openat(2); `EINVAL` for what is no plain file.
    pub(crate) fn file(&self, name: &CStr) -> Result<Rc<OwnedFd>, Errno> {
        let fd = retry_on_intr(|| fs::openat(&self.fd, name, READING, Mode::empty()))?;
        let stat = fs::fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Errno::INVAL);
        }
        Ok(Rc::new(fd))
    }

    /// What the file of this name is now; `None` if there is none.
    pub(crate) fn look(&self, name: &CStr) -> Option<Identity> {
        fs::statat(&self.fd, name, AtFlags::empty()).ok().map(|stat| identity(&stat))
    }

    /// After the directory was removed and made anew: goes over to the new one. Gives whether it did.
    pub(crate) fn renew(&mut self) -> bool {
        if !fs::fstat(&self.fd).is_ok_and(|stat| stat.st_nlink == 0) {
            return false;
        }
        let opened = Self::open(self.path.clone());
        opened.map(|new| *self = new).is_ok()
    }

    /// The path of a file in it, for messages.
    pub(crate) fn path_of(&self, name: &CStr) -> Vec<u8> {
        [self.path.to_bytes(), b"/", name.to_bytes()].concat()
    }
}

/// What can be told of an open file.
pub(crate) fn about(file: &OwnedFd) -> Option<About> {
    let stat = fs::fstat(file).ok()?;
    Some(About {
        identity: identity(&stat),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        is_gone: stat.st_nlink == 0,
    })
}

// Their widths differ between processors.
#[allow(clippy::unnecessary_cast, clippy::cast_lossless)]
fn identity(stat: &fs::Stat) -> Identity {
    Identity { device: stat.st_dev as u64, inode: stat.st_ino as u64 }
}
