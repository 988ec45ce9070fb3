//! Writing messages into the spool, as far as it may grow.

use super::Spool;
use super::cursor::Place;
use super::directory::Segment;
use super::segment::{self, HEAD, RECORD};
use alloc::{collections::VecDeque, vec::Vec};
use sys::Errno;

/// A segment ends after so many bytes at the most, or after the eighth part of what the spool may have.
const SEGMENT: u64 = 1 << 20;

impl Spool {
    /// Writes as many messages as there is room for; the first `sent` of them were sent, and may not have arrived
    /// (there is nothing before them then). How many were written is in [`Self::appended`], after an error, too.
    ///
    /// # Errors
    /// It can't be written.
    pub(in super::super) fn append(
        &mut self,
        messages: &VecDeque<Vec<u8>>,
        sent: usize,
    ) -> Result<(), Errno> {
        self.appended = 0;
        let mut messages = messages.iter().peekable();
        let mut batch = Vec::new();
        let mut ends = Vec::new();
        while messages.peek().is_some() {
            self.begin_segment()?;
            let (Some(file), Some(last)) = (&self.writing, self.segments.back()) else {
                return Err(Errno::BADF);
            };
            let (number, size, most) = (last.number, last.size, (self.limit / 8).min(SEGMENT));
            batch.clear();
            ends.clear();
            while let Some(message) = messages.peek() {
                let end = size + (batch.len() + RECORD + message.len()) as u64;
                let total = self.bytes + (end - size);
                if end > most && !(batch.is_empty() && size == HEAD) || total > self.limit {
                    break;
                }
                segment::put(message, &mut batch);
                ends.push(Place { number, offset: end });
                messages.next();
            }
            if ends.is_empty() {
                let needed = messages.peek().map_or(0, |message| RECORD + message.len());
                if self.bytes + needed as u64 <= self.limit {
                    // Only this segment is full.
                    self.writing = None;
                } else if self.drop_oldest && self.segments.len() > 1 {
                    self.drop_front();
                } else {
                    return Ok(());
                }
                continue;
            }
            sys::write_all_at(file, &batch, size)?;
            for end in &ends {
                if self.appended < sent {
                    self.in_flight.push_back(*end);
                    self.next.move_to(*end);
                }
                self.appended += 1;
            }
            if let Some(last) = self.segments.back_mut() {
                last.size += batch.len() as u64;
            }
            self.bytes += batch.len() as u64;
        }
        Ok(())
    }

    /// How many messages the last [`Self::append`] has written.
    pub(in super::super) fn appended(&self) -> usize {
        self.appended
    }

    /// How many messages were dropped to make room, since this was last asked.
    pub(in super::super) fn dropped(&mut self) -> u64 {
        core::mem::take(&mut self.dropped)
    }

    fn begin_segment(&mut self) -> Result<(), Errno> {
        if self.writing.is_some() {
            return Ok(());
        }
        let number = self.number;
        // Whether it can be made or not: a file that can't be written, perhaps can't be removed, either.
        self.number += 1;
        self.writing = Some(self.directory.create(number)?);
        if self.segments.is_empty() {
            self.first = HEAD;
            self.next.move_to(Place::first_of(number));
        }
        self.segments.push_back(Segment { number, size: HEAD });
        self.bytes += HEAD;
        Ok(())
    }

    /// Gives up the oldest segment, and counts what of it wasn't sent.
    fn drop_front(&mut self) {
        let Some(front) = self.segments.front() else { return };
        let number = front.number;
        while self.next.place().number == number && matches!(self.advance(), Ok(true)) {
            if self.next.place().number == number {
                self.next.pass();
                self.dropped += 1;
            }
        }
        self.in_flight.retain(|place| place.number != number);
        if self.segments.front().is_some_and(|front| front.number == number) {
            self.remove_front();
        }
    }
}
