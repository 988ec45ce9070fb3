//! A Maildir: its directories, what lies in them, and what nobody will ever finish in `tmp/`.

use crate::maildrop::{Maildrop, Place};
use alloc::vec::Vec;
use core::ffi::CStr;
use sys::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statat, unlinkat};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// How long a delivery may take before its file in `tmp/` is rubbish, in seconds: 36 hours.
const DELIVERY: u64 = 36 * 60 * 60;

/// Entries are read so many bytes at a time.
const ENTRIES: usize = 32 * 1024;

/// An open Maildir.
pub struct Maildir {
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
    /// Opens the Maildir `path` at `now`, in seconds since 1970, removes what is left over in its
    /// `tmp/`, and lists its messages. Hidden are names that begin with a dot, whatever isn't a
    /// regular file, and messages that aren't older than `now`: they may still change, and two of
    /// one second would not have their order for good.
    ///
    /// # Errors
    /// It can't be served.
    pub fn open(path: &CStr, now: u64) -> Result<(Self, Maildrop), Unusable> {
        let path = directory(CWD, path, OFlags::PATH).map_err(Unusable::Maildir)?;
        let open = |place: Place, name| {
            directory(path.as_fd(), name, OFlags::RDONLY)
                .map_err(|errno| Unusable::Place(place, errno))
        };
        let maildir = Self { new: open(Place::New, c"new")?, cur: open(Place::Cur, c"cur")? };
        clean(path.as_fd(), now);
        let mut maildrop = Maildrop::default();
        // Another session may move a message from new/ to cur/ meanwhile. In this order it may be
        // missed once, in the other it would be there twice.
        maildir.list(Place::Cur, now, &mut maildrop)?;
        maildir.list(Place::New, now, &mut maildrop)?;
        maildrop.sort();
        Ok((maildir, maildrop))
    }

    /// The directory itself.
    #[must_use]
    pub fn directory(&self, place: Place) -> BorrowedFd<'_> {
        match place {
            Place::New => self.new.as_fd(),
            Place::Cur => self.cur.as_fd(),
        }
    }

    fn list(&self, place: Place, now: u64, maildrop: &mut Maildrop) -> Result<(), Unusable> {
        let directory = self.directory(place);
        let mut memory = Ok(());
        let read = each_file(directory, |name| {
            // Gone since it was listed: it isn't there.
            let Ok(stat) = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) else { return true };
            let modified = u64::try_from(stat.st_mtime).unwrap_or(0);
            if FileType::from_raw_mode(stat.st_mode).is_file() && modified < now {
                let size = u64::try_from(stat.st_size).unwrap_or(0);
                memory = maildrop.add(place, name, modified, size);
            }
            memory.is_ok()
        });
        read.map_err(|errno| Unusable::Place(place, errno))?;
        memory.map_err(|_| Unusable::Memory)
    }
}

/// Removes from `tmp/` what was last read more than 36 hours before `now`: a delivery never takes
/// so long, so it was given up. What can't be removed stays.
fn clean(maildir: BorrowedFd<'_>, now: u64) {
    let Ok(tmp) = directory(maildir, c"tmp", OFlags::RDONLY) else { return };
    let _ = each_file(tmp.as_fd(), |name| {
        if let Ok(stat) = statat(&tmp, name, AtFlags::SYMLINK_NOFOLLOW)
            && u64::try_from(stat.st_atime).unwrap_or(0).saturating_add(DELIVERY) < now
        {
            let _ = unlinkat(&tmp, name, AtFlags::empty());
        }
        true
    });
}

fn directory(at: BorrowedFd<'_>, path: &CStr, access: OFlags) -> Result<OwnedFd, Errno> {
    openat(at, path, access | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Calls `visit` with each name that may be a file's, until it gives false.
fn each_file(directory: BorrowedFd<'_>, mut visit: impl FnMut(&CStr) -> bool) -> Result<(), Errno> {
    // Not on the stack, every page of which would be touched to see that it is there.
    let mut buffer = Vec::<u8>::with_capacity(ENTRIES);
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let may_be_file = matches!(entry.file_type(), FileType::RegularFile | FileType::Unknown);
        if may_be_file
            && !entry.file_name().to_bytes().starts_with(b".")
            && !visit(entry.file_name())
        {
            break;
        }
    }
    Ok(())
}
