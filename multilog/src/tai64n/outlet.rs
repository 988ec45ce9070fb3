//! What goes out: gathered, and written in pieces of bounded size.

use alloc::vec::Vec;
use sys::io::{IoSlice, writev};
use sys::{BorrowedFd, Errno};

/// What is gathered at most.
pub(crate) const SIZE: usize = 128 * 1024;

/// So many bytes in one piece are not copied: they are written from where they are.
const LARGE: usize = 8 * 1024;

/// Gathers output for `write`, which writes all of two slices, the first of which has at most [`SIZE`] bytes.
pub(crate) struct Outlet<W> {
    held: Vec<u8>,
    write: W,
}

impl<E, W: FnMut(&[u8], &[u8]) -> Result<(), E>> Outlet<W> {
    /// An outlet that holds nothing yet.
    pub(crate) fn new(write: W) -> Self {
        Self { held: Vec::with_capacity(SIZE), write }
    }

    /// Adds `bytes`, and writes what was held if there is no room for them.
    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), E> {
        if bytes.len() > SIZE - self.held.len() || bytes.len() >= LARGE {
            return self.put_large(bytes);
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    #[cold]
    fn put_large(&mut self, bytes: &[u8]) -> Result<(), E> {
        if bytes.len() >= LARGE {
            let written = (self.write)(&self.held, bytes);
            self.held.clear();
            return written;
        }
        self.flush()?;
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes what is held, in one call.
    pub(crate) fn flush(&mut self) -> Result<(), E> {
        if self.held.is_empty() {
            return Ok(());
        }
        let written = (self.write)(&self.held, b"");
        self.held.clear();
        written
    }
}

/// Writes to standard output. If it is closed, that matters only when there is something to write.
pub(crate) fn to_stdout() -> impl FnMut(&[u8], &[u8]) -> Result<(), Errno> {
    let stdout = sys::borrow(1);
    move |first, second| {
        let stdout = stdout.ok_or(Errno::BADF)?;
        let written = if second.is_empty() { 0 } else { write_both(stdout, first, second)? };
        let (first, second) = left(written, first, second);
        sys::write_all(stdout, first)?;
        sys::write_all(stdout, second)
    }
}

/// What is left of both, after so many bytes.
fn left<'a>(written: usize, first: &'a [u8], second: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let of_second = written.saturating_sub(first.len()).min(second.len());
    (&first[written.min(first.len())..], &second[of_second..])
}

/// Writes once, as much as that may be.
fn write_both(fd: BorrowedFd<'_>, first: &[u8], second: &[u8]) -> Result<usize, Errno> {
    match writev(fd, &[IoSlice::new(first), IoSlice::new(second)]) {
        Err(Errno::INTR | Errno::AGAIN) => Ok(0),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;

    #[test]
    fn all_is_written_in_order_and_what_is_large_is_not_copied() {
        let mut writes = Vec::new();
        let mut outlet = Outlet::new(|first: &[u8], second: &[u8]| {
            writes.push((first.to_vec(), second.to_vec()));
            Ok::<(), Infallible>(())
        });
        let large = [b'x'; LARGE];
        for piece in [&b"a"[..], b"", &large, &large, b"b", &large[1..], b"c"] {
            let Ok(()) = outlet.put(piece);
        }
        let Ok(()) = outlet.flush();
        let Ok(()) = outlet.flush();
        let small = [b"b", &large[1..], b"c"].concat();
        let expected: [(&[u8], &[u8]); 3] = [(b"a", &large), (b"", &large), (&small, b"")];
        let writes: Vec<(&[u8], &[u8])> = writes.iter().map(|(a, b)| (&a[..], &b[..])).collect();
        assert_eq!(writes, expected);
    }

    #[test]
    fn whatever_was_written_the_rest_is_left() {
        for written in 0..=5 {
            let (first, second) = left(written, b"ab", b"cde");
            assert_eq!([first, second].concat(), b"abcde"[written..]);
        }
    }

    #[test]
    fn it_never_holds_more_than_its_size() {
        let mut most = 0;
        let mut outlet = Outlet::new(|first: &[u8], _: &[u8]| {
            most = most.max(first.len());
            Ok::<(), Infallible>(())
        });
        for length in (0..LARGE).cycle().take(3 * LARGE) {
            let Ok(()) = outlet.put(&[b'x'; LARGE][..length]);
        }
        assert!(most <= SIZE && most > SIZE - LARGE, "{most}");
    }
}
