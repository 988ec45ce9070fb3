//! `supervise/`, seen from its owner: made, locked, and kept whole for as long as supervise runs.
//!
//! All paths are relative to the working directory, which is the service's, or absolute.

use crate::detail::Details;
use crate::place::{File, Place};
use crate::status::Statuses;
use alloc::ffi::CString;
use common::{Failure, Name};
use core::ffi::CStr;
use core::time::Duration;
use sys::fs::{self, CWD, FileType, Mode, OFlags, Stat};
use sys::{Errno, OwnedFd};

/// What a supervise holds open of its directory.
pub struct Directory {
    /// The service's name, as given: for messages.
    name: &'static [u8],
    paths: Paths,
    lock: Held,
    control: Control,
    ok: Option<Held>,
    detail: Option<Held>,
    /// Whether all this was opened so recently that it must be in its place.
    fresh: bool,
}

struct Paths {
    directory: CString,
    lock: CString,
    control: CString,
    ok: CString,
    status: CString,
    new: CString,
    detail: CString,
}

/// Both ends of the control FIFO: with a writer of our own, it never comes to its end.
struct Control {
    reader: Held,
    writer: OwnedFd,
}

/// An open file that has a name.
struct Held {
    fd: OwnedFd,
    /// Its device and inode.
    id: (u64, u64),
}

/// Descriptors that pass from one program to the next.
pub struct Inheritance {
    /// The lock.
    pub lock: OwnedFd,
    /// Both ends of the control FIFO.
    pub control: (OwnedFd, OwnedFd),
    /// The ok FIFO.
    pub ok: Option<OwnedFd>,
    /// The detail file.
    pub detail: Option<OwnedFd>,
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

/// Why the directory couldn't be made whole again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmended<'a> {
    /// This path, for this reason.
    System(&'a CStr, Errno),
    /// The lock was removed, and now somebody else holds a new one: the directory isn't ours any more.
    Taken(&'a CStr),
}

impl Directory {
    /// Makes `supervise/` where it is missing, locks it, and opens the control FIFO. `name` is what
    /// messages call the service directory.
    ///
    /// # Errors
    /// 111: one of them can't be made, or another supervise (or setlock) holds the lock.
    pub fn claim(program: Name, name: &'static [u8], place: &Place) -> Result<Self, Failure> {
        let paths = Paths::of(place);
        let unable = |verb: &[u8], path: &CStr, errno| {
            program.fatal_errno(111, &parts(verb, name, path), errno)
        };
        make(&paths.directory).map_err(|e| unable(b"unable to create ", &paths.directory, e))?;
        let lock =
            acquire(&paths.lock).map_err(|e| unable(b"unable to acquire ", &paths.lock, e))?;
        let control =
            control(&paths.control).map_err(|e| unable(b"unable to open ", &paths.control, e))?;
        Ok(Self { name, paths, lock, control, ok: None, detail: None, fresh: true })
    }

    /// Goes on with what a predecessor in the same process held open.
    ///
    /// # Errors
    /// Those of fstat(2).
    pub fn inherited(name: &'static [u8], place: &Place, from: Inheritance) -> Result<Self, Errno> {
        let (reader, writer) = from.control;
        Ok(Self {
            name,
            paths: Paths::of(place),
            lock: Held::new(from.lock)?,
            control: Control { reader: Held::new(reader)?, writer },
            ok: from.ok.map(Held::new).transpose()?,
            detail: from.detail.map(Held::new).transpose()?,
            fresh: false,
        })
    }

    /// Makes and opens the ok FIFO: from now on others see that the directory is supervised.
    ///
    /// # Errors
    /// 111, with what was wrong.
    pub fn open_ok(&mut self, program: Name) -> Result<(), Failure> {
        let opened = fifo(&self.paths.ok).map_err(|errno| {
            program.fatal_errno(111, &parts(b"unable to open ", self.name, &self.paths.ok), errno)
        })?;
        self.ok = Some(opened);
        Ok(())
    }

    /// Opens the detail file.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn open_detail(&mut self) -> Result<(), Errno> {
        self.detail = Some(detail(&self.paths.detail)?);
        Ok(())
    }

    /// The end of the control FIFO that letters come out of.
    #[must_use]
    pub fn control(&self) -> &OwnedFd {
        &self.control.reader.fd
    }

    /// The other end of it.
    #[must_use]
    pub fn control_writer(&self) -> &OwnedFd {
        &self.control.writer
    }

    /// The lock.
    #[must_use]
    pub fn lock(&self) -> &OwnedFd {
        &self.lock.fd
    }

    /// The ok FIFO.
    #[must_use]
    pub fn ok(&self) -> Option<&OwnedFd> {
        self.ok.as_ref().map(|held| &held.fd)
    }

    /// The detail file.
    #[must_use]
    pub fn detail(&self) -> Option<&OwnedFd> {
        self.detail.as_ref().map(|held| &held.fd)
    }

    /// Replaces the detail, and then the status, whose change is what others wait for. Neither is
    /// synced to disk: after a crash of the host nobody is up, and the next supervise writes new ones
    /// before it lets itself be seen.
    ///
    /// # Errors
    /// The step that failed; the old status stands. That there is no detail is no error.
    pub fn publish(&self, statuses: &Statuses, details: &Details) -> Result<(), PublishError> {
        if let Some(file) = &self.detail {
            let (bytes, length) = details.encode();
            let _ = sys::io::pwrite(&file.fd, &bytes[..length], 0);
        }
        let (bytes, length) = statuses.encode();
        let bytes = &bytes[..length];
        match self.replace(bytes) {
            // Where nothing can be made or renamed, as encore allows, the file itself is written to.
            Err(PublishError::Open(Errno::ACCESS | Errno::ROFS | Errno::PERM))
            | Err(PublishError::Rename(Errno::ACCESS | Errno::ROFS | Errno::PERM)) => {
                self.overwrite(bytes)
            }
            result => result,
        }
    }

    fn replace(&self, bytes: &[u8]) -> Result<(), PublishError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        let new = self.paths.new.as_c_str();
        let file = fs::open(new, flags | OFlags::NONBLOCK, READABLE).map_err(PublishError::Open)?;
        sys::write_all(&file, bytes).map_err(PublishError::Write)?;
        drop(file);
        fs::rename(new, self.paths.status.as_c_str()).map_err(PublishError::Rename)
    }

    /// One write, so that a reader sees the old status or the new one.
    fn overwrite(&self, bytes: &[u8]) -> Result<(), PublishError> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let status = self.paths.status.as_c_str();
        let file = fs::open(status, flags, Mode::empty()).map_err(PublishError::Open)?;
        sys::write_all(&file, bytes).map_err(PublishError::Write)?;
        fs::ftruncate(&file, bytes.len() as u64).map_err(PublishError::Write)
    }

    /// All is begun: from now on, what is there may be removed under us.
    pub fn settle(&mut self) {
        self.fresh = false;
    }

    /// Makes anew what was removed or replaced under us: the directory, the lock, the FIFOs, the
    /// detail.
    ///
    /// # Errors
    /// What couldn't be made anew, and why. The rest stays as it is.
    pub fn mend(&mut self) -> Result<(), Unmended<'_>> {
        if self.fresh {
            return Ok(());
        }
        let paths = &self.paths;
        if !self.lock.is_at(&paths.lock) {
            let unmended = |path, errno| Unmended::System(path, errno);
            make(&paths.directory).map_err(|errno| unmended(&paths.directory, errno))?;
            self.lock = acquire(&paths.lock).map_err(|errno| match errno {
                Errno::WOULDBLOCK => Unmended::Taken(&paths.lock),
                errno => unmended(&paths.lock, errno),
            })?;
        }
        if !self.control.reader.is_at(&paths.control) {
            let new = control(&paths.control).map_err(|e| Unmended::System(&paths.control, e))?;
            let old = core::mem::replace(&mut self.control, new);
            self.control.take_over_from(&old);
        }
        if self.ok.as_ref().is_some_and(|held| !held.is_at(&paths.ok)) {
            self.ok = Some(fifo(&paths.ok).map_err(|e| Unmended::System(&paths.ok, e))?);
        }
        if self.detail.as_ref().is_some_and(|held| !held.is_at(&paths.detail)) {
            let opened = detail(&paths.detail);
            self.detail = Some(opened.map_err(|e| Unmended::System(&paths.detail, e))?);
        }
        Ok(())
    }

    /// Warns that the status couldn't be written.
    pub fn warn(&self, program: Name, error: PublishError) {
        let new = |verb| parts(verb, self.name, &self.paths.new);
        match error {
            PublishError::Open(errno) => program.warn_errno(&new(b"unable to open "), errno),
            PublishError::Write(errno) => program.warn_errno(&new(b"unable to write "), errno),
            PublishError::Rename(errno) => {
                let [verb, name, slash, path] = new(b"unable to rename ");
                program.warn_errno(&[verb, name, slash, path, b" to status"], errno);
            }
        }
    }
}

impl Paths {
    fn of(place: &Place) -> Self {
        Self {
            directory: place.directory(),
            lock: place.path(File::Lock),
            control: place.path(File::Control),
            ok: place.path(File::Ok),
            status: place.path(File::Status),
            new: place.path(File::NewStatus),
            detail: place.path(File::Detail),
        }
    }
}

impl Control {
    /// Letters that lie in another FIFO, which nobody will read any more, come through this one.
    fn take_over_from(&self, old: &Self) {
        let mut letters = [0; 64];
        while let Ok(count @ 1..) = sys::read(&old.reader.fd, &mut letters) {
            // A FIFO that was made just now has room for all that another one held.
            let _ = sys::write_all(&self.writer, &letters[..count]);
        }
    }
}

impl Held {
    fn new(fd: OwnedFd) -> Result<Self, Errno> {
        let id = id(&fs::fstat(&fd)?);
        Ok(Self { fd, id })
    }

    /// Whether `path` still leads to it.
    fn is_at(&self, path: &CStr) -> bool {
        match fs::stat(path) {
            Ok(stat) => id(&stat) == self.id,
            // That it can't be looked at just now doesn't mean that it has gone.
            Err(errno) => errno != Errno::NOENT && errno != Errno::NOTDIR,
        }
    }
}

/// How a message names a file of the service called `name`.
pub(crate) fn parts<'a>(verb: &'a [u8], name: &'a [u8], path: &'a CStr) -> [&'a [u8]; 4] {
    let path = path.to_bytes();
    if path.starts_with(b"/") { [verb, b"", b"", path] } else { [verb, name, b"/", path] }
}

/// Makes the directory, or the target of a dangling link of that name (as Debian's does): the
/// service directory may be on a read-only file system.
fn make(directory: &CStr) -> Result<(), Errno> {
    match fs::mkdir(directory, Mode::RWXU) {
        Err(Errno::EXIST) if fs::stat(directory).is_err_and(|errno| errno == Errno::NOENT) => {
            let target = fs::readlinkat(CWD, directory, [])?;
            fs::mkdir(target.as_c_str(), Mode::RWXU)
        }
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        // A read-only file system says so even of a directory that is there.
        Err(Errno::ROFS) if fs::stat(directory).is_ok() => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn acquire(path: &CStr) -> Result<Held, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NONBLOCK;
    let lock = fs::open(path, flags | OFlags::CLOEXEC, OWNER)?;
    sys::lock(&lock, Duration::ZERO)?;
    Held::new(lock)
}

fn control(path: &CStr) -> Result<Control, Errno> {
    let reader = fifo(path)?;
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(Control { reader, writer: fs::open(path, flags, Mode::empty())? })
}

fn detail(path: &CStr) -> Result<Held, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NONBLOCK;
    fs::open(path, flags, READABLE).and_then(Held::new)
}

/// Makes a FIFO where there is none, and opens it for reading. Something else of that name gives
/// way, a directory excepted: supervise/ is ours, and a plain file there would never block.
fn fifo(path: &CStr) -> Result<Held, Errno> {
    make_fifo(path)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = fs::open(path, flags, Mode::empty())?;
    let stat = fs::fstat(&opened)?;
    if FileType::from_raw_mode(stat.st_mode).is_fifo() {
        return Ok(Held { fd: opened, id: id(&stat) });
    }
    fs::unlink(path)?;
    make_fifo(path)?;
    fs::open(path, flags, Mode::empty()).and_then(Held::new)
}

pub(crate) fn make_fifo(path: &CStr) -> Result<(), Errno> {
    match fs::mknodat(CWD, path, FileType::Fifo, OWNER, 0) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        // Likewise: see `make`.
        Err(Errno::ROFS) if fs::stat(path).is_ok() => Ok(()),
        Err(errno) => Err(errno),
    }
}

fn id(stat: &Stat) -> (u64, u64) {
    (stat.st_dev, stat.st_ino)
}

/// Whether a descriptor is a FIFO's or a pipe's.
pub(crate) fn is_fifo(fd: impl sys::AsFd) -> bool {
    fs::fstat(fd).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_fifo())
}

/// Whether `path` still leads to what we hold open.
pub(crate) fn is_at(held: &OwnedFd, path: &CStr) -> bool {
    match (fs::fstat(held), fs::stat(path)) {
        (Ok(held), Ok(there)) => id(&held) == id(&there),
        _ => false,
    }
}

pub(crate) const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);
const READABLE: Mode = OWNER.union(Mode::RGRP).union(Mode::ROTH);
