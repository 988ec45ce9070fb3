//! The file `qmail-pop3d.sizes` in a Maildir ([`crate::size_file`] is its form): opened with suspicion,
//! written beside its name in `tmp/` and renamed. What goes wrong with it costs time, and nothing else.

use crate::maildir::Maildir;
use crate::maildrop::{Maildrop, Place};
use crate::names::FileName;
use crate::size_file::{Reader, Source, Title, Writer};
use alloc::vec::Vec;
use common::decimal;
use core::ffi::CStr;
use sys::fs::{
    AtFlags, FileType, Mode, OFlags, SeekFrom, fchmod, fstat, openat, renameat, seek, unlinkat,
};
use sys::process::{geteuid, getpid};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// The file's name. It doesn't begin with a dot, as a folder's does.
pub const FILE: &CStr = c"qmail-pop3d.sizes";

/// More than this isn't read: no session can have so many messages in its memory.
const LARGEST: u64 = 256 * 1024 * 1024;

/// The file as an earlier session left it.
pub struct Memory(OwnedFd);

impl Memory {
    /// Opens the file in `maildir`, if it is ours alone: a regular one, of this account, in which nobody
    /// else can write.
    #[must_use]
    pub fn open(maildir: BorrowedFd<'_>) -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = openat(maildir, FILE, flags | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let stat = fstat(&file).ok()?;
        let ours = FileType::from_raw_mode(stat.st_mode).is_file()
            && stat.st_uid == geteuid().as_raw()
            && !Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH)
            && u64::try_from(stat.st_size).is_ok_and(|size| size <= LARGEST);
        ours.then_some(Self(file))
    }

    /// Reads it from its beginning.
    #[must_use]
    pub fn read(&self) -> Option<Reader<impl Source>> {
        seek(&self.0, SeekFrom::Start(0)).ok()?;
        Reader::new(|space: &mut [u8]| sys::read(&self.0, space)).ok()
    }
}

/// Writes the file anew, with the messages that `kept` says are still there.
///
/// # Errors
/// It couldn't be written, and is as it was before.
pub fn write(
    maildir: &Maildir,
    title: &Title,
    maildrop: &Maildrop,
    kept: impl Iterator<Item = usize>,
) -> Result<(), Errno> {
    let tmp = openat(maildir.root(), c"tmp", OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
    let name = temporary_name();
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = openat(&tmp, &name[..], flags, Mode::RUSR | Mode::WUSR)?;
    let written = fill(&file, title, maildrop, kept)
        .and_then(|()| renameat(&tmp, &name[..], maildir.root(), FILE));
    if written.is_err() {
        let _ = unlinkat(&tmp, &name[..], AtFlags::empty());
    }
    written
}

/// Removes the file: there is nothing to remember.
pub fn remove(maildir: &Maildir) {
    let _ = unlinkat(maildir.root(), FILE, AtFlags::empty());
}

fn fill(
    file: &OwnedFd,
    title: &Title,
    maildrop: &Maildrop,
    kept: impl Iterator<Item = usize>,
) -> Result<(), Errno> {
    // Whatever the umask is.
    fchmod(file, Mode::RUSR | Mode::WUSR)?;
    let write = |bytes: &[u8]| sys::write_all(file.as_fd(), bytes);
    let mut writer = Writer::new(write, title, maildrop.forms())?;
    let mut name = FileName::default();
    for message in kept {
        let encoded = maildrop.encoded_name(message);
        let length = maildrop.forms().decode(encoded, &mut name).map_or(0, |(_, length)| length);
        writer.add(maildrop.facts(message), &encoded[..length])?;
    }
    writer.finish()
}

/// Unlike that of any other session, also on another host, as far as that can be; and like a
/// delivery's, so that it is removed after 36 hours if we are killed now.
fn temporary_name() -> Vec<u8> {
    let now = sys::clock::realtime();
    let mut name = decimal(now.as_secs()).as_bytes().to_vec();
    name.extend_from_slice(b".M");
    name.extend_from_slice(decimal(now.subsec_nanos().into()).as_bytes());
    name.push(b'P');
    let pid = getpid().as_raw_nonzero().get().unsigned_abs();
    name.extend_from_slice(decimal(pid.into()).as_bytes());
    name.extend_from_slice(b".qmail-pop3d.sizes");
    name
}

/// What a session knows of its messages' directories, for the file.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listing {
    /// What the file would say of them: stamps are zero where the messages that were found may not be
    /// all there are, for example because one was too young to be shown.
    pub title: Title,
    /// How many messages the file had that was found; `None`: there was none.
    pub remembered: Option<u32>,
    /// A directory had to be read though it is as it was for a while: next time, it needn't be.
    pub read: bool,
}

impl Listing {
    /// Whether the file should be written anew, when `kept` messages remain, to find out the sizes of
    /// some took `effort` (one for each, and for each 64 KiB), and messages were moved or removed.
    #[must_use]
    pub fn is_worth_writing(&self, kept: usize, effort: u64, changed: bool) -> bool {
        let kept = kept as u64;
        // A few messages are soon counted anew, and a large file isn't soon written.
        let counted = effort > 0 && effort * 1024 >= kept;
        let listed = self.read && !changed && kept >= 512;
        let shrunk = self.remembered.is_some_and(|count| u64::from(count) > 2 * kept + 512);
        kept > 0 && (counted || listed || shrunk)
    }

    /// Whether the file should be removed.
    #[must_use]
    pub fn is_worth_removing(&self, kept: usize) -> bool {
        kept == 0 && self.remembered.is_some_and(|count| count > 0)
    }

    /// The title that the file gets when `kept` messages remain.
    #[must_use]
    pub fn title(&self, kept: usize, changed: bool) -> Title {
        let mut title = Title { messages: u32::try_from(kept).unwrap_or(u32::MAX), ..self.title };
        if changed {
            for place in [Place::New, Place::Cur] {
                title.set_stamp(place, Default::default());
            }
        }
        title
    }
}
