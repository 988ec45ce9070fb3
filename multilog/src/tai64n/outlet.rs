//! What goes out: gathered, and written in pieces of bounded size.

use alloc::vec::Vec;
use sys::Errno;

/// What is written at once, at most.
pub(crate) const SIZE: usize = 64 * 1024;

/// Gathers output for `write`, which is handed up to [`SIZE`] bytes at a time.
pub(crate) struct Outlet<W> {
    held: Vec<u8>,
    write: W,
}

impl<E, W: FnMut(&[u8]) -> Result<(), E>> Outlet<W> {
    /// An outlet that holds nothing yet.
    pub(crate) fn new(write: W) -> Self {
        Self { held: Vec::with_capacity(SIZE), write }
    }

    /// Adds `bytes`, of which there are at most [`SIZE`], and writes what was held if there is no
    /// room for them.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), E> {
        if self.held.len() + bytes.len() > SIZE {
            self.flush()?;
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes what is held, in one call.
    pub(crate) fn flush(&mut self) -> Result<(), E> {
        if self.held.is_empty() {
            return Ok(());
        }
        let written = (self.write)(&self.held);
        self.held.clear();
        written
    }
}

/// Writes to standard output. If it is closed, that matters only when there is something to write.
pub(crate) fn to_stdout() -> impl FnMut(&[u8]) -> Result<(), Errno> {
    let stdout = sys::borrow(1);
    move |bytes| sys::write_all(stdout.ok_or(Errno::BADF)?, bytes)
}
