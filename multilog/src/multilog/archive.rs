//! Compressing a finished file: at any moment, killed or not, it is there as it was, or compressed and whole, or both.

use super::compression::Format;
use super::disk::COMPRESSED;
use crate::crc32::crc32;
use crate::expansion::{self, Feed, Trouble};
use crate::{gzip, zstandard};
use alloc::ffi::CString;
use core::ffi::CStr;
use sys::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, Stat, Timespec, Timestamps};
use sys::{Errno, OwnedFd};

/// Why a file stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Something can't be done now.
    System(Errno),
    /// Another process is compressing files of this log: one that was killed, and isn't gone yet.
    Rival,
    /// What was compressed, and is expanded again, isn't what it was.
    Mismatch,
}

impl From<Errno> for Obstacle {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// 0744: a file that is complete.
const COMPLETE: Mode = PRIVATE.union(Mode::XUSR).union(Mode::RGRP).union(Mode::ROTH);

/// Puts a compressed file in the place of `name`, with its times. One that is gone meanwhile is no trouble; and what
/// is no file, or has another name, is left alone.
pub(super) fn archive(directory: &OwnedFd, name: &CStr, format: Format) -> Result<(), Obstacle> {
    let reading = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let source = match sys::fs::openat(directory, name, reading, Mode::empty()) {
        Err(Errno::NOENT | Errno::LOOP) => return Ok(()),
        other => other?,
    };
    let stat = sys::fs::fstat(&source)?;
    // A second name may be `previous`: then it isn't finished yet.
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile || stat.st_nlink != 1 {
        return Ok(());
    }
    let archive = take_place(directory, OFlags::CREATE)?;
    if let Err(obstacle) = fill(&archive, &source, &stat, format) {
        // The log may need the room.
        remove(directory, COMPRESSED)?;
        return Err(obstacle);
    }
    let compressed = |format: Format| CString::new([name.to_bytes(), format.ending()].concat());
    let target = compressed(format).map_err(|_| Errno::INVAL)?;
    sys::fs::renameat(directory, COMPRESSED, directory, &target)?;
    // Of an earlier time, in another format: once the original is gone, nobody would know that it is the same.
    for other in Format::ALL.into_iter().filter(|other| *other != format) {
        remove(directory, &compressed(other).map_err(|_| Errno::INVAL)?)?;
    }
    // After a power failure, too, it must be there before the other is not. Where directories can't be written to disk,
    // that is as good as it gets.
    match sys::fs::fsync(directory) {
        Err(Errno::INVAL) => {}
        other => other?,
    }
    if remove(directory, name)? == Removed::WasGone {
        // Meanwhile there was too much, and it was the oldest.
        remove(directory, &target)?;
    }
    Ok(())
}

/// Compresses `source`, and makes sure of it: all is there again when it is expanded, and on disk.
fn fill(archive: &OwnedFd, source: &OwnedFd, stat: &Stat, format: Format) -> Result<(), Obstacle> {
    sys::fs::ftruncate(archive, 0)?;
    let original = compress(source, archive, format)?;
    if expand(archive)? != original {
        return Err(Obstacle::Mismatch);
    }
    // Tools that go by a file's age find it as old as it is. No harm if they don't.
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_lossless,
        reason = "widths differ between processors"
    )]
    let moment = |seconds, nanoseconds| Timespec { tv_sec: seconds as i64, tv_nsec: nanoseconds };
    let times = Timestamps {
        last_access: moment(stat.st_atime, stat.st_atime_nsec as _),
        last_modification: moment(stat.st_mtime, stat.st_mtime_nsec as _),
    };
    let _ = sys::fs::futimens(archive, &times);
    sys::fs::fchmod(archive, COMPLETE)?;
    Ok(sys::fs::fsync(archive)?)
}

#[derive(PartialEq, Eq)]
enum Removed {
    Now,
    WasGone,
}

fn remove(directory: &OwnedFd, name: &CStr) -> Result<Removed, Errno> {
    match sys::fs::unlinkat(directory, name, AtFlags::empty()) {
        Ok(()) => Ok(Removed::Now),
        Err(Errno::NOENT) => Ok(Removed::WasGone),
        Err(errno) => Err(errno),
    }
}

/// Removes what one that was killed has left, if there is anything.
pub(super) fn discard_leftover(directory: &OwnedFd) -> Result<(), Obstacle> {
    match take_place(directory, OFlags::empty()) {
        Ok(_leftover) => Ok(remove(directory, COMPRESSED).map(drop)?),
        Err(Obstacle::System(Errno::NOENT)) => Ok(()),
        Err(obstacle) => Err(obstacle),
    }
}

/// Opens the file that isn't compressed as a whole yet, and makes sure that nobody else writes to it.
fn take_place(directory: &OwnedFd, flags: OFlags) -> Result<OwnedFd, Obstacle> {
    let writing = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let archive = sys::fs::openat(directory, COMPRESSED, writing | flags, PRIVATE)?;
    match sys::fs::flock(&archive, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Err(Obstacle::Rival),
        other => other?,
    }
    // A rival may have finished with it in between: then it has its final name.
    let (ours, there) = (
        sys::fs::fstat(&archive)?,
        sys::fs::statat(directory, COMPRESSED, AtFlags::SYMLINK_NOFOLLOW),
    );
    match there {
        Ok(there) if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino) => Ok(archive),
        Ok(_) | Err(Errno::NOENT) => Err(Obstacle::Rival),
        Err(errno) => Err(errno.into()),
    }
}

/// What a file holds: how much, and a sum over it.
type Content = (u64, u32);

fn compress(source: &OwnedFd, archive: &OwnedFd, format: Format) -> Result<Content, Errno> {
    let mut content = (0, 0);
    let read = |buffer: &mut [u8]| {
        let count = sys::read(source, buffer)?;
        content = (content.0 + count as u64, crc32(content.1, &buffer[..count]));
        Ok(count)
    };
    let write = |bytes: &[u8]| sys::write_all(archive, bytes);
    match format {
        Format::Gzip => gzip::compress(read, write)?,
        Format::Zstandard => zstandard::compress(read, write)?,
    }
    Ok(content)
}

fn expand(archive: &OwnedFd) -> Result<Content, Obstacle> {
    let mut content = (0, 0);
    let see = |bytes: &[u8]| {
        content = (content.0 + bytes.len() as u64, crc32(content.1, bytes));
    };
    match expansion::expand(Feed::of_file(archive), see) {
        Ok(()) => Ok(content),
        Err(Trouble::Damaged | Trouble::Foreign(_)) => Err(Obstacle::Mismatch),
        Err(Trouble::Window) => Err(Errno::NOMEM.into()),
        Err(Trouble::Errno(errno)) => Err(errno.into()),
    }
}
