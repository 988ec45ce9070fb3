//! A compressed file's own bytes.

use super::read_at;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use ruzstd::io::{self, ErrorKind};
use sys::{Errno, OwnedFd};

/// Read at once.
const SIZE: usize = 16 * 1024;

/// A file that is read from its beginning to its end.
pub(crate) struct Feed {
    file: Rc<OwnedFd>,
    at: u64,
    buffer: Vec<u8>,
    /// What of the buffer wasn't taken yet.
    start: usize,
    end: usize,
    /// Why it can't be read, for whoever has only heard that it can't.
    pub(crate) failed: Option<Errno>,
}

impl Feed {
    pub(crate) fn new(file: Rc<OwnedFd>) -> Self {
        Self { file, at: 0, buffer: vec![0; SIZE], start: 0, end: 0, failed: None }
    }

    /// The bytes that come next: all of so many, at least, unless the file ends before.
    ///
    /// # Errors
    /// As pread(2).
    pub(crate) fn peek(&mut self, count: usize) -> Result<&[u8], Errno> {
        while self.end - self.start < count {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            let read = read_at(&self.file, &mut self.buffer[self.end..], self.at);
            match read.inspect_err(|errno| self.failed = Some(*errno))? {
                0 => break,
                read => {
                    self.at += read as u64;
                    self.end += read;
                }
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Takes as many of the bytes that were seen.
    pub(crate) fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Passes over so many bytes. Gives whether there were as many.
    ///
    /// # Errors
    /// As pread(2).
    pub(crate) fn skip(&mut self, mut count: usize) -> Result<bool, Errno> {
        while count > 0 {
            let there = self.peek(1)?.len().min(count);
            if there == 0 {
                return Ok(false);
            }
            self.take(there);
            count -= there;
        }
        Ok(true)
    }
}

impl io::Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, io::Error> {
        let there = self.peek(1).map_err(|_| io::Error::from(ErrorKind::Other))?;
        let count = there.len().min(into.len());
        into[..count].copy_from_slice(&there[..count]);
        self.take(count);
        Ok(count)
    }
}
