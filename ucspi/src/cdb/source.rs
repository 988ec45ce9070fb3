//! Where a database is read from.

use core::cell::Cell;
use sys::fd::BorrowedFd;
use sys::fs::fstat;
use sys::{AsFd, Errno};

/// Bytes that can be read at any place.
pub trait Source {
    /// How many there are.
    fn length(&self) -> u64;

    /// Fills `buffer` with what stands at `offset`.
    ///
    /// # Errors
    /// What pread(2) says; `EPROTO` where there are no such bytes.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Errno>;
}

/// An open file. It isn't mapped: a mapped file that another truncates ends the process.
pub struct File<'a> {
    fd: BorrowedFd<'a>,
    length: u64,
    near: Cell<Near>,
}

/// What was read last, with what stood behind it: a look-up's reads are short and close together.
#[derive(Clone, Copy)]
struct Near {
    offset: u64,
    length: usize,
    bytes: [u8; NEAR],
}

const NEAR: usize = 512;

impl<'a> File<'a> {
    /// The file behind this descriptor, whose position doesn't matter and isn't changed.
    ///
    /// # Errors
    /// What fstat(2) says.
    pub fn new(fd: &'a impl AsFd) -> Result<Self, Errno> {
        let fd = fd.as_fd();
        let length = u64::try_from(fstat(fd)?.st_size).unwrap_or(0);
        let near = Cell::new(Near { offset: 0, length: 0, bytes: [0; NEAR] });
        Ok(Self { fd, length, near })
    }
}

impl Source for File<'_> {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Errno> {
        if buffer.len() > NEAR {
            let filled = sys::read_whole_at(self.fd, buffer, offset)?;
            return if filled == buffer.len() { Ok(()) } else { Err(Errno::PROTO) };
        }
        let mut near = self.near.get();
        if near.at(offset, buffer.len()).is_none() {
            // As far as the file goes, so that its end isn't asked for each time.
            let rest = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(NEAR);
            near.length = sys::read_whole_at(self.fd, &mut near.bytes[..rest.min(NEAR)], offset)?;
            near.offset = offset;
            self.near.set(near);
        }
        buffer.copy_from_slice(near.at(offset, buffer.len()).ok_or(Errno::PROTO)?);
        Ok(())
    }
}

impl Near {
    fn at(&self, offset: u64, length: usize) -> Option<&[u8]> {
        let start = usize::try_from(offset.checked_sub(self.offset)?).ok()?;
        self.bytes[..self.length].get(start..start.checked_add(length)?)
    }
}

impl Source for &[u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Errno> {
        let start = usize::try_from(offset).map_err(|_| Errno::PROTO)?;
        let end = start.checked_add(buffer.len()).ok_or(Errno::PROTO)?;
        buffer.copy_from_slice(self.get(start..end).ok_or(Errno::PROTO)?);
        Ok(())
    }
}
