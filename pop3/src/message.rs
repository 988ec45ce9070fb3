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
        let file = open(directory, name)?;
        let stat = fstat(&file)?;
        if !FileType::from_raw_mode(stat.st_mode).is_file() {
            return Err(Errno::INVAL);
        }
        Ok(Self { file, left: u64::try_from(stat.st_size).unwrap_or(0) })
    }

    /// The next piece, in `buffer`; an empty one at the end.
    ///
    /// # Errors
    /// What read(2) says; `EIO` if the file has become shorter.
    pub fn read<'a>(&mut self, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], Errno> {
        let piece = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
        if piece == 0 {
            return Ok(&[]);
        }
        let count = sys::read(&self.file, space(buffer, piece))?;
        self.left -= count as u64;
        if count == 0 { Err(Errno::IO) } else { Ok(&buffer[..count]) }
    }
}

/// What a file of `on_disk` bytes has on the wire, in octets.
///
/// # Errors
/// It can't be opened or read.
pub fn size(
    directory: BorrowedFd<'_>,
    name: &CStr,
    on_disk: u64,
    buffer: &mut Vec<u8>,
) -> Result<u64, Errno> {
    let mut size = Size::default();
    if on_disk > 0 {
        let mut message = Message { file: open(directory, name)?, left: on_disk };
        while let piece @ [_, ..] = message.read(buffer)? {
            size.count(piece);
        }
    }
    Ok(size.total())
}

fn open(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    openat(directory, name, flags | OFlags::CLOEXEC, Mode::empty())
}

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
