//! A log's directory as it is on disk.

use super::compression::{Format, uncompressed};
use super::compressor::{Compressor, Task};
use super::disk::{COMPRESSED, CURRENT, Disk, Entry, Trouble};
use super::finished::in_order;
use super::journal::Keeping;
use super::patience::Patience;
use super::processor::{self, Surroundings};
use alloc::{ffi::CString, vec::Vec};
use core::ffi::CStr;
use core::time::Duration;
use sys::fs::{AtFlags, Mode, OFlags, RawDir};
use sys::io::retry_on_intr;
use sys::{Errno, OwnedFd};

/// Which step of opening one failed.
#[derive(Debug)]
pub(super) enum NotOpened {
    Directory(Errno),
    /// `EAGAIN`: another process keeps this log.
    Lock(Errno),
}

pub(super) struct Directory {
    path: &'static CStr,
    fd: OwnedFd,
    /// Held for as long as the log is kept.
    lock: OwnedFd,
    /// `None` until [`Disk::open_current`].
    current: Option<OwnedFd>,
    surroundings: Surroundings,
    patience: Patience,
    /// Where a journal is told what becomes of the log.
    keeping: Option<Keeping>,
    compressor: Compressor,
}

const APPENDING: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::APPEND)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC);

/// Of files until it is known what they are to have.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// 0644: a file that is being written.
const OPEN: Mode = PRIVATE.union(Mode::RGRP).union(Mode::ROTH);

/// 0744: a file that is complete.
const COMPLETE: Mode = OPEN.union(Mode::XUSR);

impl Directory {
    /// Makes the directory (0700) if it isn't there, opens it and locks it.
    pub(super) fn open(path: &'static CStr, surroundings: Surroundings) -> Result<Self, NotOpened> {
        let (fd, lock) = open_and_lock(path)?;
        let (patience, compressor) = (Patience::new(surroundings.notice), Compressor::default());
        let (current, keeping) = (None, None);
        Ok(Self { path, fd, lock, current, surroundings, patience, keeping, compressor })
    }

    pub(super) fn path(&self) -> &'static CStr {
        self.path
    }

    pub(super) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// From now on a journal is told, or none.
    pub(super) fn keep(&mut self, keeping: Option<Keeping>) {
        self.keeping = keeping;
    }

    fn open_at(&self, name: &CStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        retry_on_intr(|| sys::fs::openat(&self.fd, name, flags, mode))
    }

    fn was_removed(&self) -> bool {
        sys::fs::fstat(&self.fd).is_ok_and(|stat| stat.st_nlink == 0)
    }

    /// After the whole directory was removed: makes it anew, in its old place.
    fn make_anew(&mut self) -> Result<(), Errno> {
        let (fd, lock) = open_and_lock(self.path).map_err(|why| match why {
            NotOpened::Directory(errno) | NotOpened::Lock(errno) => errno,
        })?;
        if let Some(keeping) = &self.keeping {
            keeping.moved(&fd)?;
        }
        (self.fd, self.lock) = (fd, lock);
        Ok(())
    }

    fn open_for_appending(&mut self) -> Result<(), Errno> {
        let current = self.open_at(CURRENT, APPENDING, PRIVATE)?;
        sys::fs::fchmod(&current, OPEN)?;
        if let Some(keeping) = &self.keeping {
            keeping.opened(&current)?;
        }
        self.current = Some(current);
        Ok(())
    }
}

fn open_and_lock(path: &'static CStr) -> Result<(OwnedFd, OwnedFd), NotOpened> {
    // Whether that failed shows in what follows.
    let _ = sys::fs::mkdir(path, Mode::RWXU);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = retry_on_intr(|| sys::fs::open(path, flags, Mode::empty()))
        .map_err(NotOpened::Directory)?;
    let lock = retry_on_intr(|| sys::fs::openat(&fd, c"lock", APPENDING, PRIVATE));
    let lock = lock.map_err(NotOpened::Lock)?;
    sys::lock(&lock, Duration::ZERO).map_err(NotOpened::Lock)?;
    Ok((fd, lock))
}

/// The names that begin with `@`.
fn list(directory: &OwnedFd) -> Result<Vec<CString>, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let listed = retry_on_intr(|| sys::fs::openat(directory, c".", flags, Mode::empty()))?;
    let mut names = Vec::new();
    let mut buffer = Vec::with_capacity(4096);
    let mut entries = RawDir::new(listed, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if entry.file_name().to_bytes().starts_with(b"@") {
            names.push(entry.file_name().into());
        }
    }
    Ok(names)
}

fn with_task(
    path: &CStr,
    directory: &OwnedFd,
    format: Format,
    code: &'static [u8],
    go: impl FnOnce(Task<'_>),
) {
    let list = || list(directory);
    go(Task { path: path.to_bytes(), directory, list: &list, format, code });
}

impl Disk for Directory {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        let current = self.current.as_ref().ok_or(Errno::BADF)?;
        let count = retry_on_intr(|| sys::io::write(current, bytes))?;
        if let Some(keeping) = &self.keeping {
            keeping.written(count);
        }
        Ok(count)
    }

    fn unwritten<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        self.keeping.as_ref().map_or(bytes, |keeping| keeping.unwritten(bytes))
    }

    fn sync(&mut self) -> Result<(), Errno> {
        let current = self.current.as_ref().ok_or(Errno::BADF)?;
        retry_on_intr(|| sys::fs::fsync(current))
    }

    fn sync_content(&mut self) -> Result<(), Errno> {
        let current = self.current.as_ref().ok_or(Errno::BADF)?;
        retry_on_intr(|| sys::fs::fdatasync(current))
    }

    fn sync_directory(&mut self) -> Result<(), Errno> {
        retry_on_intr(|| sys::fs::fsync(&self.fd))
    }

    fn open_current(&mut self) -> Result<(), Errno> {
        match self.open_for_appending() {
            Err(Errno::NOENT) if self.was_removed() => {
                self.make_anew()?;
                self.open_for_appending()
            }
            other => other,
        }
    }

    fn mark_complete(&mut self, name: &CStr) -> Result<(), Errno> {
        sys::fs::chmodat(&self.fd, name, COMPLETE, AtFlags::empty())
    }

    fn sync_file(&mut self, name: &CStr) -> Result<(), Errno> {
        let file = self.open_at(name, APPENDING, PRIVATE)?;
        retry_on_intr(|| sys::fs::fsync(&file))
    }

    fn empty(&mut self, name: &CStr) -> Result<(), Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NONBLOCK;
        self.open_at(name, flags | OFlags::CLOEXEC, OPEN).map(drop)
    }

    fn look(&self, name: &CStr) -> Result<Option<Entry>, Errno> {
        match sys::fs::statat(&self.fd, name, AtFlags::empty()) {
            Ok(stat) => Ok(Some(Entry {
                is_complete: stat.st_mode & Mode::XUSR.as_raw_mode() != 0,
                // Its width differs between processors.
                #[allow(clippy::unnecessary_cast, clippy::cast_lossless)]
                links: stat.st_nlink as u64,
                size: u64::try_from(stat.st_size).unwrap_or(0),
                number: stat.st_ino,
            })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    fn rename(&mut self, from: &CStr, to: &CStr) -> Result<(), Errno> {
        if let Some(keeping) = self.keeping.as_ref().filter(|_| from == CURRENT) {
            keeping.leaves();
        }
        sys::fs::renameat(&self.fd, from, &self.fd, to)
    }

    fn link(&mut self, from: &CStr, to: &CStr) -> Result<(), Errno> {
        sys::fs::linkat(&self.fd, from, &self.fd, to, AtFlags::empty())
    }

    fn remove(&mut self, name: &CStr) -> Result<(), Errno> {
        sys::fs::unlinkat(&self.fd, name, AtFlags::empty())
    }

    fn finished(&self) -> Result<Vec<CString>, Errno> {
        list(&self.fd)
    }

    fn process(&mut self, command: &CStr) -> Result<(), Trouble> {
        processor::run(command, &self.fd, &self.surroundings)
    }

    fn compress(&mut self, format: Format, code: &'static [u8]) {
        // Whatever can't be found out, the process will find.
        let is_leftover = || !matches!(self.look(COMPRESSED), Ok(None));
        let is_due = |there: Vec<CString>| uncompressed(&in_order(&there), code).next().is_some();
        if self.finished().is_ok_and(is_due) || is_leftover() {
            let Self { path, fd, surroundings, compressor, .. } = self;
            with_task(path, fd, format, code, |task| compressor.start(task, surroundings));
        }
    }

    fn look_after_compressor(&mut self, format: Format, code: &'static [u8]) {
        let Self { path, fd, surroundings, compressor, .. } = self;
        with_task(path, fd, format, code, |task| compressor.reap(task, surroundings));
    }

    fn stop_compressor(&mut self) {
        self.compressor.stop(&self.fd);
    }

    fn now(&self) -> Duration {
        sys::clock::realtime()
    }

    fn pause(&mut self, trouble: &Trouble) {
        let mut object = self.path.to_bytes().to_vec();
        if !trouble.file.is_empty() {
            object.push(b'/');
            object.extend_from_slice(&trouble.file);
        }
        object.extend_from_slice(trouble.how.as_bytes());
        self.patience.pause(trouble.what, &object, trouble.errno);
    }

    fn go_on(&mut self) {
        self.patience.over();
    }
}
