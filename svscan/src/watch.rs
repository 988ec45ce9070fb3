//! Being told at once that something changed. Where inotify doesn't work, the regular scans have to do.

use crate::directory::below;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use sys::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// What has happened since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Something happened.
    pub any: bool,
    /// Directories that were made in place, and may not be finished yet.
    pub made: Vec<CString>,
}

/// An inotify descriptor that watches the scan directory, and locks that others hold.
pub struct Watch {
    fd: OwnedFd,
}

impl Watch {
    /// Watches the working directory.
    ///
    /// # Errors
    /// As `inotify_init1(2)` and `inotify_add_watch(2)`.
    pub fn new() -> Result<Self, Errno> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let flags = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        inotify::add_watch(&fd, c".", flags)?;
        Ok(Self { fd })
    }

    /// Has it tell, once, when a supervise that isn't ours lets go of its lock. `directory` is where it works.
    ///
    /// Who watches the lock is woken when any writer closes it; who only probes it (we do) opens it for reading.
    pub fn lock_of(&self, directory: &CStr) {
        let flags = WatchFlags::CLOSE_WRITE | WatchFlags::ONESHOT;
        // Without it, the next regular scan finds out.
        let _ = inotify::add_watch(&self.fd, below(directory, b"supervise/lock"), flags);
    }

    /// Reads all that has happened.
    pub fn news(&self) -> News {
        let mut news = News::default();
        let mut buffer = Vec::with_capacity(4096);
        let mut events = Reader::new(&self.fd, buffer.spare_capacity_mut());
        loop {
            match events.next() {
                Ok(event) => {
                    news.any = true;
                    if event.events().contains(ReadFlags::CREATE | ReadFlags::ISDIR) {
                        news.made.extend(event.file_name().map(CString::from));
                    }
                }
                Err(Errno::INTR) => {}
                Err(_) => return news,
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
