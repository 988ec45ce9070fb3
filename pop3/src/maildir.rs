//! A Maildir: its directories, what lies in them, and what nobody will ever finish in `tmp/`.

use crate::maildrop::{Facts, Place, Size, UNCHECKED};
use crate::message;
use crate::size_file::{Stamp, mix};
use alloc::vec::Vec;
use core::ffi::CStr;
use sys::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RawDir, Stat, fstat, openat, statat, unlinkat,
};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// How long a delivery may take before its file in `tmp/` is rubbish, in seconds: 36 hours.
const DELIVERY: u64 = 36 * 60 * 60;

/// Entries are read so many bytes at a time.
const ENTRIES: usize = 32 * 1024;

/// What was changed so many seconds ago may be changed again and look the same: a file system counts
/// time in steps. The coarsest that mail is kept on are of a second.
const STEP: u64 = 2;

/// An open Maildir.
pub struct Maildir {
    root: OwnedFd,
    new: OwnedFd,
    cur: OwnedFd,
}

/// What keeps a Maildir from being served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// It can't be opened.
    Maildir(Errno),
    /// One of its directories can't be opened or read.
    Place(Place, Errno),
    /// It has more messages than there is memory for.
    Memory,
}

impl Maildir {
    /// Opens the Maildir `path`.
    ///
    /// # Errors
    /// It can't be served.
    pub fn open(path: &CStr) -> Result<Self, Unusable> {
        let root = directory(CWD, path, OFlags::PATH).map_err(Unusable::Maildir)?;
        let open = |place: Place, name| {
            directory(root.as_fd(), name, OFlags::RDONLY)
                .map_err(|errno| Unusable::Place(place, errno))
        };
        Ok(Self { new: open(Place::New, c"new")?, cur: open(Place::Cur, c"cur")?, root })
    }

    /// One of its directories.
    #[must_use]
    pub fn directory(&self, place: Place) -> BorrowedFd<'_> {
        match place {
            Place::New => self.new.as_fd(),
            Place::Cur => self.cur.as_fd(),
        }
    }

    /// The directory that these are in; only to open and rename what is in it.
    #[must_use]
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// What one of its directories is like, and whether it would look different after another change:
    /// it would if this one was `STEP` seconds before `now`.
    #[must_use]
    pub fn stamp(&self, place: Place, now: u64) -> (Stamp, bool) {
        let Ok(stat) = fstat(self.directory(place)) else { return (Stamp::default(), false) };
        let (modified, changed) = (seconds(stat.st_mtime), seconds(stat.st_ctime));
        let stamp = Stamp {
            inode: stat.st_ino,
            modified: (modified, stat.st_mtime_nsec as u32),
            changed: (changed, stat.st_ctime_nsec as u32),
        };
        (stamp, modified.max(changed).saturating_add(STEP) < now)
    }

    /// Removes from `tmp/` what was last read more than 36 hours before `now`: a delivery never takes
    /// so long, so it was given up. What can't be removed stays.
    pub fn clean(&self, now: u64) {
        let Ok(tmp) = directory(self.root(), c"tmp", OFlags::RDONLY) else { return };
        let _ = each_file(tmp.as_fd(), |name, _| {
            if let Ok(stat) = statat(&tmp, name, AtFlags::SYMLINK_NOFOLLOW)
                && seconds(stat.st_atime).saturating_add(DELIVERY) < now
            {
                let _ = unlinkat(&tmp, name, AtFlags::empty());
            }
            true
        });
    }

    /// Calls `visit` with the name of each file in a place, and whether it is certainly a regular one,
    /// until it gives false.
    ///
    /// # Errors
    /// The directory can't be read.
    pub fn each(
        &self,
        place: Place,
        visit: impl FnMut(&CStr, bool) -> bool,
    ) -> Result<(), Unusable> {
        // Read once more, it begins anew.
        sys::fs::seek(self.directory(place), sys::fs::SeekFrom::Start(0))
            .map_err(|errno| Unusable::Place(place, errno))?;
        each_file(self.directory(place), visit).map_err(|errno| Unusable::Place(place, errno))
    }

    /// What there is to know of a file at `now`, without opening it. A message is a regular file that
    /// is older than `now`: a younger one may still change, and two of one second would not have their
    /// order for good.
    #[must_use]
    pub fn look(&self, place: Place, name: &CStr, now: u64) -> Found {
        statat(self.directory(place), name, AtFlags::SYMLINK_NOFOLLOW)
            .map_or(Found::Gone, |stat| found(&stat, now))
    }

    /// The same, and its size as sent, for which it is read.
    #[must_use]
    pub fn look_into(&self, place: Place, name: &CStr, now: u64, buffer: &mut Vec<u8>) -> Found {
        self.count(place, name, now, buffer)
            // What can't be read may be a message nevertheless.
            .unwrap_or_else(|_| self.look(place, name, now))
    }

    /// What there is to know of a file, and its size as sent if it is a message.
    ///
    /// # Errors
    /// It can't be opened or read.
    pub fn count(
        &self,
        place: Place,
        name: &CStr,
        now: u64,
        buffer: &mut Vec<u8>,
    ) -> Result<Found, Errno> {
        let file = message::open_quietly(self.directory(place), name)?;
        let found = found(&fstat(&file)?, now);
        let Found::Message(facts @ Facts { size: Size::OnDisk(octets), .. }) = found else {
            return Ok(found);
        };
        let octets = message::count(file, octets, buffer)?;
        Ok(Found::Message(Facts { size: Size::AsSent(octets), ..facts }))
    }
}

/// What became of a look at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A message.
    Message(Facts),
    /// One that isn't old enough.
    TooYoung,
    /// Something else.
    Other,
    /// Nothing any more.
    Gone,
}

/// What a file is at `now`.
#[must_use]
pub fn found(stat: &Stat, now: u64) -> Found {
    let modified = seconds(stat.st_mtime);
    if !FileType::from_raw_mode(stat.st_mode).is_file() {
        return Found::Other;
    }
    if modified >= now {
        return Found::TooYoung;
    }
    let settled = modified.saturating_add(STEP) < now;
    Found::Message(Facts {
        modified: u32::try_from(modified).unwrap_or(u32::MAX),
        size: Size::OnDisk(u64::try_from(stat.st_size).unwrap_or(0)),
        check: if settled { check(stat) } else { UNCHECKED },
    })
}

/// A digest of what isn't the same for two contents of a file: inode, size, time of the last
/// modification to the nanosecond. Seconds are compared by themselves.
#[must_use]
pub fn check(stat: &Stat) -> u32 {
    let words = [stat.st_ino, stat.st_size as u64, u64::from(stat.st_mtime_nsec as u32)];
    let digest = words.into_iter().fold(0, mix);
    ((digest ^ digest >> 32) as u32).max(UNCHECKED + 1)
}

fn seconds(time: i64) -> u64 {
    u64::try_from(time).unwrap_or(0)
}

fn directory(at: BorrowedFd<'_>, path: &CStr, access: OFlags) -> Result<OwnedFd, Errno> {
    openat(at, path, access | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Calls `visit` with each name that may be a file's, and whether it certainly is one's, until it gives
/// false.
fn each_file(
    directory: BorrowedFd<'_>,
    mut visit: impl FnMut(&CStr, bool) -> bool,
) -> Result<(), Errno> {
    // Not on the stack, every page of which would be touched to see that it is there.
    let mut buffer = Vec::<u8>::with_capacity(ENTRIES);
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let is_file = match entry.file_type() {
            FileType::RegularFile => true,
            FileType::Unknown => false,
            FileType::Directory
            | FileType::Symlink
            | FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice => continue,
        };
        if !entry.file_name().to_bytes().starts_with(b".") && !visit(entry.file_name(), is_file) {
            break;
        }
    }
    Ok(())
}
