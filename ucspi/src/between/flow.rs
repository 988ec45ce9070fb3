//! One direction as a state machine: what has been read is written before more is read.

use alloc::vec::Vec;
use sys::Errno;

/// What happens to bytes on their way.
pub(crate) trait Passage {
    /// So many bytes are read at once, at most.
    const READ: usize;

    /// Adds to `output` what becomes of `input`: twice as much, at most.
    fn pass(&mut self, input: &[u8], output: &mut Vec<u8>);

    /// The input has come to its end.
    fn end(&mut self);
}

/// A direction, but for its descriptors.
pub(super) struct Flow<P> {
    passage: P,
    output: Vec<u8>,
    /// How much of `output` is written.
    written: usize,
    over: bool,
    trouble: Option<Errno>,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn<'a> {
    /// Read, and tell [`Flow::has_read`].
    Read,
    /// Write some of this, and tell [`Flow::has_written`].
    Write(&'a [u8]),
    /// Nothing: both descriptors may be closed.
    Over,
}

impl<P: Passage> Flow<P> {
    pub(super) fn new(passage: P) -> Self {
        Self {
            passage,
            output: Vec::with_capacity(2 * P::READ),
            written: 0,
            over: false,
            trouble: None,
        }
    }

    pub(super) fn turn(&self) -> Turn<'_> {
        match &self.output[self.written..] {
            _ if self.over => Turn::Over,
            [] => Turn::Read,
            rest => Turn::Write(rest),
        }
    }

    /// An error of the input is its end, as with the original.
    pub(super) fn has_read(&mut self, result: Result<&[u8], Errno>) {
        match result {
            Err(Errno::INTR | Errno::AGAIN) => {}
            Ok([]) | Err(_) => {
                self.passage.end();
                self.over = true;
            }
            Ok(input) => {
                self.output.clear();
                self.written = 0;
                self.passage.pass(input, &mut self.output);
            }
        }
    }

    /// Whatever can't be written is lost, and so would be all that follows.
    pub(super) fn has_written(&mut self, result: Result<usize, Errno>) {
        match result {
            Ok(count) => self.written += count,
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => {
                self.trouble = Some(errno);
                self.over = true;
            }
        }
    }

    /// Why it ended, if that wasn't the end of the input.
    pub(super) fn trouble(&self) -> Option<Errno> {
        self.trouble
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a dot behind each read, and counts the ends.
    #[derive(Default)]
    struct Dots(usize);

    impl Passage for Dots {
        const READ: usize = 4;

        fn pass(&mut self, input: &[u8], output: &mut Vec<u8>) {
            output.extend_from_slice(input);
            output.push(b'.');
        }

        fn end(&mut self) {
            self.0 += 1;
        }
    }

    #[test]
    fn what_was_read_is_written_however_short_the_writes() {
        let mut flow = Flow::new(Dots::default());
        assert_eq!(flow.turn(), Turn::Read);
        flow.has_read(Ok(b"abc"));
        assert_eq!(flow.turn(), Turn::Write(b"abc."));
        flow.has_written(Ok(3));
        flow.has_written(Err(Errno::INTR));
        flow.has_written(Err(Errno::AGAIN));
        assert_eq!(flow.turn(), Turn::Write(b"."));
        flow.has_written(Ok(1));
        assert_eq!(flow.turn(), Turn::Read);
        flow.has_read(Ok(b"d"));
        assert_eq!(flow.turn(), Turn::Write(b"d."));
    }

    #[test]
    fn the_end_is_told_once() {
        for end in [Ok(&b""[..]), Err(Errno::CONNRESET), Err(Errno::BADF)] {
            let mut flow = Flow::new(Dots::default());
            flow.has_read(Err(Errno::INTR));
            flow.has_read(Err(Errno::AGAIN));
            assert_eq!((flow.turn(), flow.passage.0), (Turn::Read, 0));
            flow.has_read(end);
            assert_eq!((flow.turn(), flow.passage.0), (Turn::Over, 1));
        }
    }

    #[test]
    fn who_does_not_read_any_more_ends_it_without_a_word() {
        let mut flow = Flow::new(Dots::default());
        flow.has_read(Ok(b"abc"));
        flow.has_written(Err(Errno::PIPE));
        assert_eq!((flow.turn(), flow.passage.0), (Turn::Over, 0));
        assert_eq!(flow.trouble(), Some(Errno::PIPE));
    }
}
