//! Input, line by line.

use alloc::vec::Vec;
use sys::Errno;

/// What is read at once.
const PIECE: usize = 64 * 1024;

/// The lines of what `read` reads. A line may be as long as there is memory for.
pub(super) struct Lines<R> {
    read: R,
    buffer: Vec<u8>,
    /// What of the buffer is read, and not yet given.
    start: usize,
    end: usize,
    ended: bool,
}

/// Why there is no next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// What the system says.
    Read(Errno),
    /// No memory for a line.
    Memory,
}

/// Reads standard input. That it is closed is told by the first read.
pub(super) fn stdin() -> impl FnMut(&mut [u8]) -> Result<usize, Errno> {
    let stdin = sys::borrow(0);
    move |buffer| sys::read(stdin.ok_or(Errno::BADF)?, buffer)
}

impl<R: FnMut(&mut [u8]) -> Result<usize, Errno>> Lines<R> {
    pub(super) fn new(read: R) -> Self {
        Self { read, buffer: Vec::new(), start: 0, end: 0, ended: false }
    }

    /// The next line with its newline, which the last one may lack; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, Unread> {
        // No byte is looked at twice, however long the line.
        let mut looked = self.start;
        loop {
            let newline = self.buffer[looked..self.end].iter().position(|byte| *byte == b'\n');
            let line_end = newline.map(|place| looked + place + 1);
            if let Some(end) =
                line_end.or((self.ended && self.start < self.end).then_some(self.end))
            {
                let start = core::mem::replace(&mut self.start, end);
                return Ok(Some(&self.buffer[start..end]));
            }
            if self.ended {
                return Ok(None);
            }
            self.make_room()?;
            looked = self.end;
            let count = (self.read)(&mut self.buffer[self.end..]).map_err(Unread::Read)?;
            self.ended = count == 0;
            self.end += count;
        }
    }

    /// Moves what is left to the front, and has the buffer grow if that is most of it.
    fn make_room(&mut self) -> Result<(), Unread> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() - self.end < PIECE / 2 {
            let more = self.buffer.len().max(PIECE);
            self.buffer.try_reserve_exact(more).map_err(|_| Unread::Memory)?;
            self.buffer.resize(self.buffer.len() + more, 0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The lines of these reads.
    fn lines(reads: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let mut input = Vec::new();
        let mut reads = reads.iter().filter(|read| !read.is_empty());
        let read = |buffer: &mut [u8]| {
            if input.is_empty() {
                input = reads.next().cloned().unwrap_or_default();
            }
            let count = input.len().min(buffer.len());
            buffer[..count].copy_from_slice(&input[..count]);
            input.drain(..count);
            Ok(count)
        };
        let mut lines = Lines::new(read);
        let mut all = Vec::new();
        while let Some(line) = lines.next().expect("no error") {
            all.push(line.to_vec());
        }
        all
    }

    #[test]
    fn a_line_may_be_longer_than_the_buffer_at_first() {
        let long = vec![b'x'; 3 * PIECE];
        let input = [long.clone(), b"y\nz".to_vec()];
        assert_eq!(lines(&input), [[&long[..], b"y\n"].concat(), b"z".to_vec()]);
    }

    #[test]
    fn an_error_is_told() {
        let result = Lines::new(|_: &mut [u8]| Err(Errno::IO)).next().map(drop);
        assert_eq!(result, Err(Unread::Read(Errno::IO)));
    }

    proptest! {
        #[test]
        fn it_doesnt_matter_how_the_input_is_cut(
            reads in prop::collection::vec(
                prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'x')], 0..8), 0..8)
        ) {
            let whole = reads.concat();
            let expected: Vec<Vec<u8>> =
                whole.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            prop_assert_eq!(lines(&reads), expected);
        }
    }
}
