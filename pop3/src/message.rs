//! A message's file, read with suspicion: a mailbox's owner can put anything into it.

use crate::encoding::Size;
use alloc::vec::Vec;
use core::ffi::CStr;
use sys::fs::{FileType, Mode, OFlags, fstat, openat};
use sys::{BorrowedFd, Errno, OwnedFd};

/// Files are read so many bytes at a time, at most.
pub const PIECE: usize = 64 * 1024;

/// An open message: so many bytes as it had when it was opened, no more and no fewer. A file that
/// grows meanwhile is sent as it was.
pub struct Message {
    file: OwnedFd,
    left: u64,
}

impl Message {
    /// Opens the file `name` of `directory`, whatever it is without waiting for it.
    ///
    /// # Errors
    /// It is gone, may not be read, or isn't a regular file (`ELOOP` for a symbolic link, `EINVAL`
    /// for anything else).
    pub fn open(directory: BorrowedFd<'_>, name: &CStr) -> Result<Self, Errno> {
        let file = openat(directory, name, FLAGS, Mode::empty())?;
        let stat = fstat(&file)?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(Errno::INVAL);
        }
        Ok(Self { file, left: u64::try_from(stat.st_size).unwrap_or(0) })
    }

    /// The next piece, in `buffer`, as long as a piece can be; an empty one at the end.
    ///
    /// # Errors
    /// What read(2) says; `EIO` if the file has become shorter.
    pub fn read<'a>(&mut self, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Errno> {
        let piece = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        let space = space(buffer, piece);
        let mut filled = 0;
        while filled < piece {
            match sys::read(&self.file, &mut space[filled..])? {
                0 => return Err(Errno::IO),
                count => filled += count,
            }
        }
        self.left -= piece as u64;
        Ok(space)
    }
}

/// Opens a file to count it, which leaves no trace where it is ours: nobody has read it yet.
///
/// # Errors
/// It is gone or may not be read.
pub fn open_quietly(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    match openat(directory, name, FLAGS | OFlags::NOATIME, Mode::empty()) {
        Err(Errno::PERM) => openat(directory, name, FLAGS, Mode::empty()),
        result => result,
    }
}

/// What a file of `on_disk` bytes has on the wire, in octets.
///
/// # Errors
/// It can't be read.
pub fn count(file: OwnedFd, on_disk: u64, buffer: &mut Vec<u8>) -> Result<u64, Errno> {
    let mut size = Size::default();
    let mut message = Message { file, left: on_disk };
    while let piece @ [_, ..] = message.read(buffer)? {
        size.count(piece);
    }
    Ok(size.total())
}

const FLAGS: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// The first `length` bytes of `buffer`, which only grows as far as it must: most messages are
/// small, and memory that is never touched costs nothing.
fn space(buffer: &mut Vec<u8>, length: usize) -> &mut [u8] {
    if buffer.len() < length {
        if buffer.capacity() == 0 {
            buffer.reserve_exact(PIECE);
        }
        buffer.resize(length, 0);
    }
    &mut buffer[..length]
}
