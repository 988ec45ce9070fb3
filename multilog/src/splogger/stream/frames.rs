//! What was given to a connection and may not have arrived: the pure part.

use alloc::collections::VecDeque;

/// Positions in the stream, in bytes.
#[derive(Default)]
pub(super) struct Frames {
    /// Where each frame ends that may not have arrived, in order.
    ends: VecDeque<u64>,
    added: u64,
    written: u64,
    confirmed: u64,
}

impl Frames {
    /// A frame of this length comes next.
    pub(super) fn add(&mut self, length: usize) {
        self.added += length as u64;
        self.ends.push_back(self.added);
    }

    /// So many bytes more were written.
    pub(super) fn written(&mut self, count: usize) {
        self.written += count as u64;
    }

    /// All that was written but the last `left` bytes has arrived. Gives whether that is more than was known.
    pub(super) fn confirm(&mut self, left: u64) -> bool {
        let before = self.ends.len();
        self.confirmed = self.confirmed.max(self.written.saturating_sub(left));
        while self.ends.front().is_some_and(|end| *end <= self.confirmed) {
            self.ends.pop_front();
        }
        self.ends.len() < before
    }

    /// How many frames may not have arrived.
    pub(super) fn count(&self) -> usize {
        self.ends.len()
    }

    /// How many bytes may not have arrived.
    pub(super) fn bytes(&self) -> u64 {
        self.added - self.confirmed
    }

    /// A new connection begins. Gives how many frames may not have arrived by the one before.
    pub(super) fn clear(&mut self) -> usize {
        let count = self.ends.len();
        *self = Self::default();
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_has_arrived_with_its_last_byte() {
        let mut frames = Frames::default();
        for length in [10, 20, 30] {
            frames.add(length);
        }
        assert!(!frames.confirm(0), "nothing is written");
        frames.written(35);
        for (left, arrived, count) in [
            (26, false, 3),
            (25, true, 2),
            (30, false, 2),
            (6, false, 2),
            (5, true, 1),
            (0, false, 1),
        ] {
            assert_eq!((frames.confirm(left), frames.count()), (arrived, count), "{left}");
        }
        assert_eq!(frames.bytes(), 25);
        // More than was written: the end of the stream counts.
        assert!(!frames.confirm(99));
        assert_eq!(frames.clear(), 1);
        assert_eq!((frames.count(), frames.bytes(), frames.clear()), (0, 0, 0));
    }
}
