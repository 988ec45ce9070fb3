//! Zstandard. Source: RFC 8878.

use super::Trouble;
use super::feed::Feed;
use alloc::vec::Vec;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::io::Read;

/// What a frame begins with.
const FRAME: u32 = 0xFD2F_B528;

/// What frames that hold nothing begin with, but for the last four bits.
const SKIPPABLE: u32 = 0x184D_2A50;

/// A frame that is smaller than any other: what it asks for is never used.
const SMALLEST: [u8; 6] = [0x28, 0xB5, 0x2F, 0xFD, 0, 0];

/// The largest header.
const HEADER: usize = 18;

/// A block's bytes, at most.
const BLOCK: u64 = 128 * 1024;

/// What else a decoder may need: a block as it came, its literals, its sequences, tables.
const BESIDES: u64 = 896 * 1024;

/// Whether a file begins so.
pub(super) fn is_magic(bytes: &[u8]) -> bool {
    magic(bytes).is_some_and(|magic| magic == FRAME || magic & !15 == SKIPPABLE)
}

fn magic(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

/// A file of one or more frames. The last `window` bytes are held, and a block.
pub(crate) struct Zstandard<'a> {
    feed: Feed<'a>,
    decoder: FrameDecoder,
    within: bool,
}

impl<'a> Zstandard<'a> {
    pub(super) fn new(feed: Feed<'a>) -> Self {
        Self { feed, decoder: FrameDecoder::new(), within: false }
    }

    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Trouble> {
        loop {
            if self.within && self.decoder.can_collect() > 0 {
                return self.decoder.read(into).map_err(|_| Trouble::Damaged);
            }
            if !self.within {
                if !self.begin()? {
                    return Ok(0);
                }
            } else if self.decoder.is_finished() {
                self.within = false;
                let sum = self.decoder.get_checksum_from_data();
                if sum.is_some() && sum != self.decoder.get_calculated_checksum() {
                    return Err(Trouble::Damaged);
                }
            } else {
                let block = BlockDecodingStrategy::UptoBlocks(1);
                if self.decoder.decode_blocks(&mut self.feed, block).is_err() {
                    return Err(self.feed.failed.map_or(Trouble::Damaged, Trouble::Errno));
                }
            }
        }
    }

    /// Begins the next frame, or passes over one that holds nothing. Gives whether there is one.
    fn begin(&mut self) -> Result<bool, Trouble> {
        let header = self.feed.peek(HEADER)?;
        if header.is_empty() {
            return Ok(false);
        }
        let magic = magic(header).ok_or(Trouble::Damaged)?;
        if magic & !15 == SKIPPABLE {
            let length = header.get(4..8).and_then(self::magic).ok_or(Trouble::Damaged)?;
            let length = usize::try_from(length).map_err(|_| Trouble::Damaged)?;
            let skipped = self.feed.skip(8)? && self.feed.skip(length)?;
            return if skipped { Ok(true) } else { Err(Trouble::Damaged) };
        }
        let window = window(header).filter(|_| magic == FRAME).ok_or(Trouble::Damaged)?;
        if !fits(window) {
            return Err(Trouble::Window);
        }
        // What was used before gets its memory at once when it is used again; a new one would let it grow, and need
        // half as much again for the while.
        let mut smallest = &SMALLEST[..];
        self.decoder.set_max_window_size(u64::MAX);
        let begun =
            self.decoder.init(&mut smallest).and_then(|()| self.decoder.init(&mut self.feed));
        if begun.is_err() {
            return Err(self.feed.failed.map_or(Trouble::Damaged, Trouble::Errno));
        }
        self.within = true;
        Ok(true)
    }
}

/// How many of the last bytes a frame with this header refers to.
fn window(header: &[u8]) -> Option<u64> {
    let (descriptor, rest) = header.get(4..)?.split_first()?;
    let is_single = descriptor & 1 << 5 != 0;
    if !is_single {
        let window = rest.first()?;
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let size = rest.get(dictionary..)?;
    let number = |length: usize| {
        let bytes = size.get(..length)?;
        Some(bytes.iter().rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte)))
    };
    match descriptor >> 6 {
        0 => number(1),
        1 => number(2).map(|size| size + 256),
        2 => number(4),
        _ => number(8),
    }
}

/// Whether there is memory for such a window. The decoder itself would end the program if there were none.
fn fits(window: u64) -> bool {
    needed(window)
        .and_then(|needed| usize::try_from(needed).ok())
        .is_some_and(|needed| Vec::<u8>::new().try_reserve_exact(needed).is_ok())
}

/// What is held: the window and a block, rounded up as the decoder does; and while it goes over from one buffer to a
/// larger one, both.
fn needed(window: u64) -> Option<u64> {
    let rounded = |size: u64| match size.checked_sub(2 * BLOCK) {
        None | Some(0) => size.checked_next_power_of_two(),
        Some(more) => more.checked_next_power_of_two()?.checked_add(2 * BLOCK),
    };
    let (first, held) = (rounded(window)?, window.checked_add(BLOCK)?);
    let second = if first < held { rounded(held)? } else { 0 };
    first.checked_add(second)?.checked_add(BESIDES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_headers() {
        for (header, expected) in [
            (&[0, 0][..], Some(1024)),
            (&[0, 0x58], Some(2 << 20)),
            (&[0, 0x59], Some((2 << 20) + (256 << 10))),
            (&[0x20, 7], Some(7)),
            (&[0x60, 7, 1], Some(263 + 256)),
            (&[0xA1, 99, 7, 1, 0, 0], Some(263)),
            (&[0xE0, 1, 0, 0, 0, 0, 0, 0, 1], Some((1 << 56) + 1)),
            (&[0xE0, 1, 0, 0, 0, 0, 0, 0], None),
            (&[0], None),
            (&[], None),
        ] {
            let header = [&FRAME.to_le_bytes()[..], header].concat();
            assert_eq!(window(&header), expected, "{header:?}");
        }
    }

    #[test]
    fn what_two_megabytes_need_is_there_in_five() {
        assert_eq!(needed(2 << 20), Some((2 << 20) + (256 << 10) + BESIDES));
        assert!(needed(2 << 20).is_some_and(|needed| needed < 3_400_000));
        assert_eq!(needed(u64::MAX), None);
        assert!(needed(0).is_some() && needed(1 << 41).is_some());
        assert!(!fits(u64::MAX) && fits(1024));
    }
}
