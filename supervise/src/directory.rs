//! `supervise/`, seen from its owner: made, locked, and kept whole for as long as supervise runs.
//!
//! All paths are relative to the working directory, which is the service's.

use crate::status::Statuses;
use common::{Failure, Name};
use core::ffi::CStr;
use sys::fs::{self, CWD, FlockOperation, Mode, OFlags};
use sys::{Errno, OwnedFd};

/// The FIFO that tells others that the directory is supervised: it has a reader.
pub const OK: &CStr = c"supervise/ok";
/// The file whose flock(2) keeps out a second supervise.
pub const LOCK: &CStr = c"supervise/lock";
const CONTROL: &CStr = c"supervise/control";
const STATUS: &CStr = c"supervise/status";
const SELF: &CStr = c"supervise";
const NEW: &CStr = c"supervise/status.new";

/// What a supervise holds open of its directory.
pub struct Directory {
    /// The service's name, as given: for messages.
    name: &'static [u8],
    lock: OwnedFd,
    control: Control,
    ok: Option<OwnedFd>,
}

/// Both ends of the control FIFO: with a writer of our own, it never comes to its end.
struct Control {
    reader: OwnedFd,
    _writer: OwnedFd,
}

/// Which step of writing the status failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishError {
    /// `status.new` couldn't be made.
    Open(Errno),
    /// It couldn't be filled.
    Write(Errno),
    /// It couldn't take the name `status`.
    Rename(Errno),
}

impl Directory {
    /// Makes `supervise/` where it is missing, locks it, and opens the control FIFO. `name` is what
    /// messages call the service directory.
    ///
    /// # Errors
    /// 111: one of them can't be made, or another supervise (or setlock) holds the lock.
    pub fn claim(program: Name, name: &'static [u8]) -> Result<Self, Failure> {
        make().map_err(|errno| {
            program.fatal_errno(111, &[b"unable to create ", name, b"/supervise"], errno)
        })?;
        let lock = acquire().map_err(|errno| {
            program.fatal_errno(111, &[b"unable to acquire ", name, b"/supervise/lock"], errno)
        })?;
        let control = control().map_err(|errno| {
            program.fatal_errno(111, &[b"unable to open ", name, b"/supervise/control"], errno)
        })?;
        Ok(Self { name, lock, control, ok: None })
    }

    /// Makes and opens the ok FIFO: from now on others see that the directory is supervised.
    ///
    /// # Errors
    /// 111, with what was wrong.
    pub fn open_ok(&mut self, program: Name) -> Result<(), Failure> {
        let opened = fifo(OK).map_err(|errno| {
            program.fatal_errno(111, &[b"unable to open ", self.name, b"/supervise/ok"], errno)
        })?;
        self.ok = Some(opened);
        Ok(())
    }

    /// The end of the control FIFO that letters come out of.
    #[must_use]
    pub fn control(&self) -> &OwnedFd {
        &self.control.reader
    }

    /// Replaces the status. Not synced to disk: after a crash of the host nobody is up, and the
    /// next supervise writes a new one before it lets itself be seen.
    ///
    /// # Errors
    /// The step that failed; the old status stands.
    pub fn publish(&self, statuses: &Statuses) -> Result<(), PublishError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
        let file = fs::open(NEW, flags | OFlags::NONBLOCK, mode).map_err(PublishError::Open)?;
        let (bytes, length) = statuses.encode();
        sys::write_all(&file, &bytes[..length]).map_err(PublishError::Write)?;
        drop(file);
        fs::rename(NEW, STATUS).map_err(PublishError::Rename)
    }

    /// Makes anew what was removed or replaced under us: the directory, the lock, the FIFOs.
    ///
    /// # Errors
    /// The path that couldn't be made anew, and why. The rest stays as it is.
    pub fn mend(&mut self) -> Result<(), (&'static CStr, Errno)> {
        if !is_at(&self.lock, LOCK) {
            make().map_err(|errno| (SELF, errno))?;
            self.lock = acquire().map_err(|errno| (LOCK, errno))?;
        }
        if !is_at(&self.control.reader, CONTROL) {
            self.control = control().map_err(|errno| (CONTROL, errno))?;
        }
        if self.ok.as_ref().is_some_and(|held| !is_at(held, OK)) {
            self.ok = Some(fifo(OK).map_err(|errno| (OK, errno))?);
        }
        Ok(())
    }
}

impl PublishError {
    /// Warns of it; `name` is the service directory's.
    pub fn warn(self, program: Name, name: &[u8]) {
        let new: &[u8] = b"/supervise/status.new";
        match self {
            Self::Open(errno) => program.warn_errno(&[b"unable to open ", name, new], errno),
            Self::Write(errno) => program.warn_errno(&[b"unable to write ", name, new], errno),
            Self::Rename(errno) => {
                program.warn_errno(&[b"unable to rename ", name, new, b" to status"], errno);
            }
        }
    }
}

/// Makes the directory, or the target of a dangling link of that name (as Debian's does): the
/// service directory may be on a read-only file system.
fn make() -> Result<(), Errno> {
    match fs::mkdir(SELF, Mode::RWXU) {
        Err(Errno::EXIST) if fs::stat(SELF).is_err_and(|errno| errno == Errno::NOENT) => {
            let target = fs::readlinkat(CWD, SELF, [])?;
            fs::mkdir(target.as_c_str(), Mode::RWXU)
        }
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn acquire() -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NONBLOCK;
    let lock = fs::open(LOCK, flags | OFlags::CLOEXEC, OWNER)?;
    fs::flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
    Ok(lock)
}

fn control() -> Result<Control, Errno> {
    let reader = fifo(CONTROL)?;
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(Control { reader, _writer: fs::open(CONTROL, flags, Mode::empty())? })
}

/// Makes a FIFO where there is none, and opens it for reading. Something else of that name gives
/// way, a directory excepted: supervise/ is ours, and a plain file there would never block.
fn fifo(path: &CStr) -> Result<OwnedFd, Errno> {
    make_fifo(path)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = fs::open(path, flags, Mode::empty())?;
    if is_fifo(&opened) {
        return Ok(opened);
    }
    fs::unlink(path)?;
    make_fifo(path)?;
    fs::open(path, flags, Mode::empty())
}

fn make_fifo(path: &CStr) -> Result<(), Errno> {
    match fs::mknodat(CWD, path, fs::FileType::Fifo, OWNER, 0) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Whether a descriptor is a FIFO's or a pipe's.
pub(crate) fn is_fifo(fd: impl sys::AsFd) -> bool {
    fs::fstat(fd).is_ok_and(|stat| fs::FileType::from_raw_mode(stat.st_mode).is_fifo())
}

/// Whether `path` still leads to what we hold open.
pub(crate) fn is_at(held: &OwnedFd, path: &CStr) -> bool {
    match (fs::fstat(held), fs::stat(path)) {
        (Ok(held), Ok(there)) => (held.st_dev, held.st_ino) == (there.st_dev, there.st_ino),
        _ => false,
    }
}

pub(crate) const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);
