//! The file of users, locked, and replaced as a whole: whoever reads it, at any moment and after any crash, finds the old
//! one or the new one.

use super::options::File;
use super::{NAME, edit::Text};
use crate::users::line::named;
use common::{Exit, Failure};
use core::ffi::CStr;
use std::ffi::CString;
use sys::fs::{
    FileType, FlockOperation, Gid, Mode, OFlags, SeekFrom, Stat, Uid, fchmod, fchown, flock, fstat,
    fsync, open, rename, seek, stat, unlink,
};
use sys::{Errno, OwnedFd};
use ucspi::cdb::{HEADER, Unwritten, Writer};
use zeroize::Zeroizing;

/// The longest file that is read, in bytes.
const MAX: u64 = 64 << 20;

/// The file, ours alone until this is dropped.
pub(super) struct Store {
    path: CString,
    /// The table that is made of it, if one is.
    table: Option<CString>,
    file: OwnedFd,
    status: Stat,
}

impl Store {
    /// Opens and locks the file; makes an empty one where there is none, if `create`.
    ///
    /// The lock is on the file itself, so that none is left lying about. As it is replaced under those who wait for the
    /// lock, they look again.
    pub(super) fn open(place: &File, create: bool) -> Result<Self, Failure> {
        let path = place.text.clone();
        let failed = |errno| unable(b"open", &path, errno);
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOFOLLOW;
        let flags = if create { flags | OFlags::CREATE } else { flags };
        let (file, status) = loop {
            let file = open(&*path, flags, Mode::from_raw_mode(0o600)).map_err(failed)?;
            let status = fstat(&file).map_err(failed)?;
            if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
                return Err(NAME.fatal(
                    Exit::TEMPORARY.0,
                    &[b"unable to open ", path.to_bytes(), b": not a regular file"],
                ));
            }
            lock(&file).map_err(|errno| unable(b"lock", &path, errno))?;
            match stat(&*path) {
                Ok(now) if (now.st_dev, now.st_ino) == (status.st_dev, status.st_ino) => {
                    break (file, status);
                }
                Ok(_) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(failed(errno)),
            }
        };
        let table = beside(&path, b".cdb");
        let table = (place.wants_table || stat(&*table).is_ok()).then_some(table);
        Ok(Self { path, table, file, status })
    }

    /// The whole text.
    pub(super) fn text(&self) -> Result<Text, Failure> {
        let failed = |errno| unable(b"read", &self.path, errno);
        let length = u64::try_from(self.status.st_size).unwrap_or(0);
        if length > MAX {
            return Err(failed(Errno::FBIG));
        }
        // Nobody else writes while we have the lock; whoever does so by hand should see no half of it.
        let mut text = Zeroizing::new(vec![0; length as usize]);
        let mut filled = 0;
        while filled < text.len() {
            match sys::read(&self.file, &mut text[filled..]).map_err(failed)? {
                0 => break,
                count => filled += count,
            }
        }
        text.truncate(filled);
        Ok(text)
    }

    /// Puts `text` in the place of the file, and a table of it in the place of the table.
    pub(super) fn replace(&self, text: &[u8]) -> Result<(), Failure> {
        let new = Temporary::create(&self.path, &self.status)?;
        new.write(text)?;
        let table = self.table.as_ref().map(|table| self.make_table(table, text)).transpose()?;
        new.replace(&self.path)?;
        if let (Some(new), Some(path)) = (table, &self.table) {
            new.replace(path)?;
        }
        self.sync_directory()
    }

    fn make_table(&self, path: &CStr, text: &[u8]) -> Result<Temporary, Failure> {
        let new = Temporary::create(path, &self.status)?;
        let unwritten = |reason| match reason {
            Unwritten::Write(errno) => unable(b"write to", &new.name, errno),
            Unwritten::TooBig => unable(b"write to", &new.name, Errno::FBIG),
            Unwritten::Memory => unable(b"write to", &new.name, Errno::NOMEM),
        };
        let at = |offset| {
            seek(&new.file, SeekFrom::Start(offset))
                .map_err(|errno| unable(b"write to", &new.name, errno))
        };
        at(HEADER as u64)?;
        let mut writer = Writer::new(|bytes: &[u8]| sys::write_all(&new.file, bytes));
        for (name, rest) in text.split(|byte| *byte == b'\n').filter_map(named) {
            writer.add(name, rest).map_err(unwritten)?;
        }
        let header = writer.finish().map_err(unwritten)?;
        at(0)?;
        new.write(&header)?;
        Ok(new)
    }

    /// A rename is on disk when the directory is.
    fn sync_directory(&self) -> Result<(), Failure> {
        let path = self.path.to_bytes();
        let directory = match path.iter().rposition(|byte| *byte == b'/') {
            Some(0) => &b"/"[..],
            Some(slash) => &path[..slash],
            None => b".",
        };
        let directory = CString::new(directory).unwrap_or_default();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let synced = open(&*directory, flags, Mode::empty()).and_then(fsync);
        synced.map_err(|errno| unable(b"write to", &directory, errno))
    }
}

/// A file that is written before it gets its name; removed if it doesn't.
struct Temporary {
    name: CString,
    file: OwnedFd,
    is_done: core::cell::Cell<bool>,
}

impl Temporary {
    /// `PATH.new`, with the owner, group and mode of the old file, but never readable by everybody. One that a crash has
    /// left is removed: we have the lock.
    fn create(path: &CStr, like: &Stat) -> Result<Self, Failure> {
        let name = beside(path, b".new");
        let failed = |errno| unable(b"create", &name, errno);
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || open(&*name, flags, Mode::from_raw_mode(0o600));
        let file = match create() {
            Err(Errno::EXIST) => {
                unlink(&*name).map_err(failed)?;
                create()
            }
            created => created,
        }
        .map_err(failed)?;
        let new = Self { name, file, is_done: false.into() };
        let failed = |errno| unable(b"create", &new.name, errno);
        let now = fstat(&new.file).map_err(failed)?;
        if (now.st_uid, now.st_gid) != (like.st_uid, like.st_gid) {
            let (uid, gid) = (Uid::from_raw(like.st_uid), Gid::from_raw(like.st_gid));
            fchown(&new.file, Some(uid), Some(gid)).map_err(failed)?;
        }
        fchmod(&new.file, Mode::from_raw_mode(like.st_mode & 0o640)).map_err(failed)?;
        Ok(new)
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        sys::write_all(&self.file, bytes)
            .and_then(|()| fsync(&self.file))
            .map_err(|errno| unable(b"write to", &self.name, errno))
    }

    fn replace(self, path: &CStr) -> Result<(), Failure> {
        rename(&*self.name, path).map_err(|errno| unable(b"replace", path, errno))?;
        self.is_done.set(true);
        Ok(())
    }
}

impl Drop for Temporary {
    /// What is said already counts more than a file that stays.
    fn drop(&mut self) {
        if !self.is_done.get() {
            let _ = unlink(&*self.name);
        }
    }
}

fn lock(file: &OwnedFd) -> Result<(), Errno> {
    loop {
        match flock(file, FlockOperation::LockExclusive) {
            Err(Errno::INTR) => {}
            outcome => return outcome,
        }
    }
}

/// The name of a file in the same directory.
fn beside(path: &CStr, suffix: &[u8]) -> CString {
    CString::new([path.to_bytes(), suffix].concat()).unwrap_or_default()
}

fn unable(verb: &[u8], path: &CStr, errno: Errno) -> Failure {
    NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to ", verb, b" ", path.to_bytes()], errno)
}
