//! Bits in the order in which Zstandard has them: the first ones lowest. Streams that are read from their end are closed by a 1.

use alloc::vec::Vec;

/// Appends bits to bytes.
pub(super) struct Bits<'a> {
    out: &'a mut Vec<u8>,
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, held: 0, count: 0 }
    }

    /// Appends the lowest `count` bits of `value`, which has no others; 32 at most.
    pub(super) fn add(&mut self, value: u32, count: u32) {
        self.held |= u64::from(value) << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.held.to_le_bytes()[0]);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// Fills the last byte with zeros.
    pub(super) fn pad(mut self) {
        if self.count > 0 {
            self.add(0, 8 - self.count);
        }
    }

    /// Marks the end for who reads from there.
    pub(super) fn close(mut self) {
        self.add(1, 1);
        self.pad();
    }
}
