//! gzip. Source: RFC 1952.

use super::Trouble;
use super::feed::Feed;
use crate::crc32::crc32;
use alloc::boxed::Box;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};

/// What a member begins with.
pub(super) const MAGIC: [u8; 3] = [0x1F, 0x8B, 8];

/// The header's fixed part.
const HEADER: usize = 10;

/// The header's flags: parts that follow.
const CHECKED: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;

/// A file of one or more members. 64 kB, however large it is.
pub(crate) struct Gzip<'a> {
    feed: Feed<'a>,
    state: Box<InflateState>,
    stage: Stage,
    sum: u32,
    /// Of the member, modulo 2^32.
    size: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before a member, of which there has to be one at least.
    First,
    Further,
    Within,
    End,
}

impl<'a> Gzip<'a> {
    pub(super) fn new(feed: Feed<'a>) -> Self {
        let state = InflateState::new_boxed(DataFormat::Raw);
        Self { feed, state, stage: Stage::First, sum: 0, size: 0 }
    }

    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Trouble> {
        loop {
            match self.stage {
                Stage::First | Stage::Further => self.begin()?,
                Stage::Within => {
                    let count = self.inflate(into)?;
                    if count > 0 {
                        return Ok(count);
                    }
                }
                Stage::End => return Ok(0),
            }
        }
    }

    /// A member's header.
    fn begin(&mut self) -> Result<(), Trouble> {
        let header = self.feed.peek(HEADER)?;
        if self.stage == Stage::Further && !header.starts_with(&MAGIC) {
            // Tapes, and who copies in blocks, leave zeros behind.
            let only_zeros = header.iter().all(|byte| *byte == 0);
            self.stage = Stage::End;
            return if only_zeros { Ok(()) } else { Err(Trouble::Damaged) };
        }
        let flags = *header.get(3).filter(|_| header.len() >= HEADER).ok_or(Trouble::Damaged)?;
        self.feed.take(HEADER);
        if flags & EXTRA != 0 {
            let [low, high, ..] = *self.feed.peek(2)? else { return Err(Trouble::Damaged) };
            self.skip(2 + usize::from(u16::from_le_bytes([low, high])))?;
        }
        for text in [NAME, COMMENT] {
            if flags & text != 0 {
                self.skip_text()?;
            }
        }
        if flags & CHECKED != 0 {
            self.skip(2)?;
        }
        self.state.reset(DataFormat::Raw);
        (self.sum, self.size, self.stage) = (0, 0, Stage::Within);
        Ok(())
    }

    /// What ends with a NUL.
    fn skip_text(&mut self) -> Result<(), Trouble> {
        loop {
            let [byte, ..] = *self.feed.peek(1)? else { return Err(Trouble::Damaged) };
            self.feed.take(1);
            if byte == 0 {
                return Ok(());
            }
        }
    }

    fn skip(&mut self, count: usize) -> Result<(), Trouble> {
        if self.feed.skip(count)? { Ok(()) } else { Err(Trouble::Damaged) }
    }

    /// Some bytes of a member; none when it has just ended, or wants more input.
    fn inflate(&mut self, into: &mut [u8]) -> Result<usize, Trouble> {
        let input = self.feed.peek(1)?;
        let at_end = input.is_empty();
        let result = inflate(&mut self.state, input, into, MZFlush::None);
        self.feed.take(result.bytes_consumed);
        let count = result.bytes_written;
        self.sum = crc32(self.sum, &into[..count]);
        self.size = self.size.wrapping_add(count as u32);
        match result.status {
            Ok(MZStatus::StreamEnd) => self.end()?,
            Ok(_) if count > 0 || result.bytes_consumed > 0 => {}
            _ if count > 0 => {}
            Ok(_) if !at_end => {}
            Ok(_) | Err(_) => return Err(Trouble::Damaged),
        }
        Ok(count)
    }

    /// A member's trailer.
    fn end(&mut self) -> Result<(), Trouble> {
        let trailer: [u8; 8] = self.feed.peek(8)?.first_chunk().copied().ok_or(Trouble::Damaged)?;
        self.feed.take(8);
        let expected = [self.sum.to_le_bytes(), self.size.to_le_bytes()].concat();
        self.stage = Stage::Further;
        if trailer[..] == expected[..] { Ok(()) } else { Err(Trouble::Damaged) }
    }
}
