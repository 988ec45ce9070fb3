//! Bytes that were read at once and wait to be used up: few calls where many bytes come, little memory
//! where there are few.

use std::ops::Range;

/// What is read at once, as long as little comes.
pub(super) const SMALL: usize = 4 * 1024;

/// What is read at once, at most: eight records.
pub(super) const LARGE: usize = 128 * 1024;

/// By how much a buffer grows that was filled.
const GROWTH: usize = 4;

/// A buffer that is large only while reads fill it.
pub(super) struct Intake {
    buffer: Vec<u8>,
    /// What is left in it.
    left: Range<usize>,
    /// The size for the next read.
    next: usize,
}

impl Intake {
    /// One that begins with these.
    pub(super) fn holding(bytes: &[u8]) -> Self {
        Self { buffer: bytes.to_vec(), left: 0..bytes.len(), next: SMALL }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Whether so many bytes come that the next read is a large one.
    pub(super) fn is_large(&self) -> bool {
        self.next == LARGE
    }

    /// What is left.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.left.clone()]
    }

    /// The first `count` of them are used up.
    pub(super) fn consume(&mut self, count: usize) {
        self.left.start = (self.left.start + count).min(self.left.end);
    }

    /// Forgets what is left, and gives the memory back.
    pub(super) fn clear(&mut self) {
        *self = Self::holding(b"");
    }

    /// Reads once, when nothing is left. Gives what `read` gives, a number of bytes.
    pub(super) fn fill<E>(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        if self.buffer.len() != self.next {
            // The old one is given back before: there are never two.
            self.buffer = Vec::new();
            self.buffer = vec![0; self.next];
        }
        self.left = 0..0;
        let count = read(&mut self.buffer)?.min(self.buffer.len());
        self.left = 0..count;
        if count == self.buffer.len() {
            self.next = (count * GROWTH).min(LARGE);
        } else if count <= SMALL {
            self.next = SMALL;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(intake: &mut Intake, count: usize) -> usize {
        let mut size = 0;
        let read = |buffer: &mut [u8]| {
            size = buffer.len();
            buffer[..count.min(size)].fill(7);
            Ok::<_, ()>(count.min(size))
        };
        let filled = intake.fill(read).unwrap();
        assert_eq!(intake.bytes(), vec![7; filled]);
        size
    }

    #[test]
    fn it_grows_when_a_read_fills_it_and_shrinks_when_little_comes() {
        let mut intake = Intake::holding(b"");
        for (count, size) in [
            (SMALL - 1, SMALL),
            (SMALL, SMALL),
            (LARGE, 4 * SMALL),
            (LARGE, 16 * SMALL),
            (50_000, LARGE),
            (LARGE, LARGE),
            (SMALL + 1, LARGE),
            (SMALL, LARGE),
            (1, SMALL),
            (0, SMALL),
        ] {
            assert_eq!(fill(&mut intake, count), size, "{count}");
        }
        assert!(intake.is_empty());
    }

    #[test]
    fn what_is_used_up_is_gone() {
        let mut intake = Intake::holding(b"abcde");
        intake.consume(2);
        assert_eq!(intake.bytes(), b"cde");
        intake.consume(7);
        assert!(intake.is_empty());
        assert_eq!(fill(&mut intake, SMALL), SMALL);
        intake.clear();
        assert!(intake.is_empty());
        assert_eq!(fill(&mut intake, 3), SMALL);
    }

    #[test]
    fn a_read_that_fails_leaves_nothing() {
        let mut intake = Intake::holding(b"a");
        assert_eq!(intake.fill(|_| Err(5)), Err(5));
        assert!(intake.is_empty());
    }
}
