//! Compressed bytes, as they come.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::borrow::Borrow;
use ruzstd::io::{self, ErrorKind};
use sys::{Errno, OwnedFd};

/// Read at once.
const SIZE: usize = 16 * 1024;

/// As read(2): 0 is the end.
type Source<'a> = dyn FnMut(&mut [u8]) -> Result<usize, Errno> + 'a;

/// What is read from its beginning to its end.
pub(crate) struct Feed<'a> {
    source: Box<Source<'a>>,
    buffer: Vec<u8>,
    /// What of the buffer wasn't taken yet.
    start: usize,
    end: usize,
    /// Why it can't be read, for whoever has only heard that it can't.
    pub(super) failed: Option<Errno>,
}

impl<'a> Feed<'a> {
    /// What `source` gives, until that is nothing.
    pub(crate) fn new(source: impl FnMut(&mut [u8]) -> Result<usize, Errno> + 'a) -> Self {
        let source = Box::new(source);
        Self { source, buffer: vec![0; SIZE], start: 0, end: 0, failed: None }
    }

    /// A file's bytes, from the first on, wherever it is read otherwise.
    pub(crate) fn of_file(file: impl Borrow<OwnedFd> + 'a) -> Self {
        let mut at = 0;
        Self::new(move |buffer| {
            let count = sys::read_at(file.borrow(), buffer, at)?;
            at += count as u64;
            Ok(count)
        })
    }

    /// The bytes that come next: all of so many, at least, unless it ends before.
    ///
    /// # Errors
    /// As read(2).
    pub(super) fn peek(&mut self, count: usize) -> Result<&[u8], Errno> {
        while self.end - self.start < count {
            if self.start > 0 {
                self.buffer.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            }
            let read = (self.source)(&mut self.buffer[self.end..]);
            match read.inspect_err(|errno| self.failed = Some(*errno))? {
                0 => break,
                read => self.end += read,
            }
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Takes as many of the bytes that were seen.
    pub(super) fn take(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Passes over so many bytes. Gives whether there were as many.
    ///
    /// # Errors
    /// As read(2).
    pub(super) fn skip(&mut self, mut count: usize) -> Result<bool, Errno> {
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

impl io::Read for Feed<'_> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, io::Error> {
        let there = self.peek(1).map_err(|_| io::Error::from(ErrorKind::Other))?;
        let count = there.len().min(into.len());
        into[..count].copy_from_slice(&there[..count]);
        self.take(count);
        Ok(count)
    }
}
