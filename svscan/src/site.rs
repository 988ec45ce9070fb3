//! The directory of a service or of a logger, from svscan's side: where its supervise's files are, whether one works
//! there, and how it is told something. Paths are relative to the scan directory, which is our working directory.

use crate::directory::below;
use crate::plan::Identity;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use supervise::client;
use supervise::detail::Details;
use supervise::place::{File, Place};
use supervise::status::Statuses;
use sys::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, openat};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// An open directory.
pub struct Site {
    fd: OwnedFd,
    place: Place,
}

impl Site {
    /// Opens the directory at `path`. `base` is `$SUPERVISEDIR`.
    ///
    /// # Errors
    /// As open(2) of a directory; and if its absolute path is needed, and can't be had.
    pub fn open(path: &CStr, base: Option<&[u8]>) -> Result<Self, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = sys::fs::open(path, flags, Mode::empty())?;
        let real = match base {
            Some(base) if base.starts_with(b"/") => real_path(&fd)?,
            Some(_) | None => CString::default(),
        };
        Ok(Self { fd, place: Place::new(base, real.to_bytes()) })
    }

    /// Opens the directory that a supervise works in, whatever has become of its name.
    ///
    /// # Errors
    /// As [`Self::open`]; there may be no /proc.
    pub fn of_process(pid: i32, base: Option<&[u8]>) -> Result<Self, Errno> {
        let pid = common::decimal(u64::from(pid.unsigned_abs()));
        let path = [b"/proc/", pid.as_bytes(), b"/cwd"].concat();
        Self::open(&CString::new(path).unwrap_or_default(), base)
    }

    /// Which directory it is.
    ///
    /// # Errors
    /// As fstat(2).
    pub fn identity(&self) -> Result<Identity, Errno> {
        let stat = sys::fs::fstat(&self.fd)?;
        Ok(Identity { device: stat.st_dev, inode: stat.st_ino })
    }

    /// Whether a supervise is up here: its `ok` FIFO has a reader.
    #[must_use]
    pub fn is_up(&self) -> bool {
        client::reach(self.fd.as_fd(), &self.place).is_ok()
    }

    /// Whether the supervise here can be told anything: its `control` FIFO, and `ok`, are in their places.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_up() && client::control(self.fd.as_fd(), &self.place).is_ok()
    }

    /// Whether somebody (a supervise of an earlier svscan, say) works here: holds the lock, or, where that was removed,
    /// reads `ok`.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.is_locked() || self.is_up()
    }

    /// Whether a process that a killed supervise looked after still runs here.
    #[must_use]
    pub fn is_left(&self) -> bool {
        client::left_behind(self.fd.as_fd(), &self.place)
    }

    /// Probed with a descriptor for reading only, which wakes nobody who waits for the lock to be closed by a writer.
    fn is_locked(&self) -> bool {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let lock = self.place.path(File::Lock);
        let Ok(lock) = openat(&self.fd, lock, flags, Mode::empty()) else { return false };
        let held = sys::fs::flock(&lock, FlockOperation::NonBlockingLockShared);
        held == Err(Errno::WOULDBLOCK)
    }

    /// Sends letters to the supervise here: all of them or none.
    ///
    /// # Errors
    /// `ENXIO`: none is here now. `EAGAIN`: it doesn't read. As open(2) and write(2).
    pub fn send(&self, letters: &[u8]) -> Result<(), Errno> {
        let control = client::control(self.fd.as_fd(), &self.place)?;
        if !FileType::from_raw_mode(sys::fs::fstat(&control)?.st_mode).is_fifo() {
            return Err(Errno::NXIO);
        }
        loop {
            match sys::io::write(&control, letters) {
                // So few bytes go into a pipe whole or not at all.
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }

    /// Whether nothing that was sent to the supervise here is still to be read. (Whoever has read a letter obeys it before he
    /// looks who has ended: the original does, too.)
    #[must_use]
    pub fn has_heard(&self) -> bool {
        client::control(self.fd.as_fd(), &self.place)
            .map_or(true, |control| sys::io::ioctl_fionread(&control).unwrap_or(0) == 0)
    }

    /// What the service's status says.
    #[must_use]
    pub fn statuses(&self) -> Option<Statuses> {
        client::status(self.fd.as_fd(), &self.place).ok()
    }

    /// What is told of it beyond that.
    #[must_use]
    pub fn details(&self) -> Details {
        client::details(self.fd.as_fd(), &self.place)
    }

    /// The path of one of supervise's files. `at` is the path that the directory was opened under.
    #[must_use]
    pub fn path(&self, at: &CStr, file: File) -> CString {
        beside(at, self.place.path(file))
    }

    /// The path of the directory of supervise's files, likewise.
    #[must_use]
    pub fn directory(&self, at: &CStr) -> CString {
        beside(at, self.place.directory())
    }

    /// Opens the directory of supervise's files, made as supervise itself would: mode 0700, and if it is a link to
    /// nowhere (the service directory is read-only), where the link points.
    ///
    /// # Errors
    /// As mkdir(2) and open(2).
    pub fn make(&self) -> Result<OwnedFd, Errno> {
        let directory = self.place.directory();
        self.make_directory(&directory)?;
        match self.open_directory(&directory) {
            Err(Errno::NOENT) => {}
            result => return result,
        }
        let target = sys::fs::readlinkat(&self.fd, directory.as_c_str(), Vec::new())?;
        self.make_directory(&target)?;
        self.open_directory(&directory)
    }

    fn make_directory(&self, path: &CStr) -> Result<(), Errno> {
        match sys::fs::mkdirat(&self.fd, path, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            // A read-only file system says so even of a directory that is there.
            Err(Errno::ROFS) => {
                let there = sys::fs::statat(&self.fd, path, AtFlags::SYMLINK_NOFOLLOW);
                there.map(drop).map_err(|_| Errno::ROFS)
            }
            Err(errno) => Err(errno),
        }
    }

    fn open_directory(&self, path: &CStr) -> Result<OwnedFd, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat(&self.fd, path, flags, Mode::empty())
    }
}

impl AsFd for Site {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// `path` as seen from the scan directory, if it is relative to the directory `at`.
fn beside(at: &CStr, path: CString) -> CString {
    if path.to_bytes().starts_with(b"/") { path } else { below(at, path.to_bytes()) }
}

fn real_path(fd: &OwnedFd) -> Result<CString, Errno> {
    use sys::fd::AsRawFd;
    let number = common::decimal(u64::from(fd.as_raw_fd().unsigned_abs()));
    let link = CString::new([b"/proc/self/fd/", number.as_bytes()].concat()).unwrap_or_default();
    sys::fs::readlinkat(CWD, link.as_c_str(), Vec::new())
}
