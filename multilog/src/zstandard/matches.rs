//! What was there before: the search for it, by what the next 8 bytes and the next 5 were last seen at.

use super::sequences::{Recent, Sequence};
use super::{BLOCK, WINDOW};
use alloc::{vec, vec::Vec};

/// So much is kept beyond the window before it is moved.
const ROOM: usize = 2 * BLOCK;

/// How many positions are remembered, as powers of two.
const LONG: u32 = 16;
const SHORT: u32 = 15;

/// What was read, as far as it is in reach, and where in it things were.
pub(super) struct History {
    bytes: Vec<u8>,
    /// How much was there before the first of `bytes`, in 32 bits.
    gone: u32,
    long: Vec<u32>,
    short: Vec<u32>,
}

impl History {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::with_capacity(WINDOW + ROOM),
            gone: 0,
            long: vec![0; 1 << LONG],
            short: vec![0; 1 << SHORT],
        }
    }

    /// Adds a block by what `fill` makes of a buffer: how much of it is filled. Gives where the block begins.
    pub(super) fn add<E>(
        &mut self,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        if self.bytes.len() + BLOCK > self.bytes.capacity() {
            let gone = self.bytes.len() - WINDOW;
            self.bytes.drain(..gone);
            self.gone = self.gone.wrapping_add(gone as u32);
        }
        let begin = self.bytes.len();
        self.bytes.resize(begin + BLOCK, 0);
        let count = fill(&mut self.bytes[begin..])?;
        self.bytes.truncate(begin + count);
        Ok(begin)
    }

    /// The bytes from there on.
    pub(super) fn since(&self, begin: usize) -> &[u8] {
        &self.bytes[begin..]
    }

    /// What the bytes from `begin` on are made of: sequences, and all literals, also those behind the last sequence.
    pub(super) fn search(
        &mut self,
        begin: usize,
        recent: &mut Recent,
        sequences: &mut Vec<Sequence>,
        literals: &mut Vec<u8>,
    ) {
        let end = self.bytes.len();
        // Literals from here on.
        let mut from = begin;
        let mut at = begin.max(1);
        while at + 9 <= end {
            let Some(mut found) = self.find(at, recent) else {
                // The longer there is nothing, the less is looked at.
                at += 1 + ((at - from) >> 7);
                continue;
            };
            while found.at > from
                && found.at > found.distance
                && self.bytes[found.at - 1] == self.bytes[found.at - 1 - found.distance]
            {
                found.at -= 1;
                found.length += 1;
            }
            literals.extend_from_slice(&self.bytes[from..found.at]);
            let count = (found.at - from) as u32;
            let offset = recent.take(found.distance as u32, count);
            sequences.push(Sequence { literals: count, length: found.length as u32, offset });
            from = found.at + found.length;
            // Of what is passed over, a few are remembered.
            for position in [at + 1, at + 2, from.saturating_sub(2), from.saturating_sub(1)] {
                if position + 8 <= end {
                    self.remember(position);
                }
            }
            at = from;
        }
        literals.extend_from_slice(&self.bytes[from..end]);
    }

    /// The best of what is found here, or one byte later.
    fn find(&mut self, at: usize, recent: &Recent) -> Option<Found> {
        let here = self.find_at(at, recent)?;
        if here.length >= 32 || at + 10 > self.bytes.len() {
            return Some(here);
        }
        let later = self.find_at(at + 1, recent);
        Some(later.filter(|later| later.worth() > here.worth() + 4).unwrap_or(here))
    }

    fn find_at(&mut self, at: usize, recent: &Recent) -> Option<Found> {
        let [long, short] = self.remember(at);
        let again = recent.0[0] as usize;
        let again = self.matching(at, again, 4).map(|length| Found {
            at,
            length,
            distance: again,
            again: true,
        });
        let fresh = |distance: u32, least: usize| {
            let distance = distance as usize;
            let length = self.matching(at, distance, least)?;
            Some(Found { at, length, distance, again: false })
        };
        let long = fresh(long, 8);
        let short = if long.is_none() { fresh(short, 5) } else { None };
        [again, long, short].into_iter().flatten().max_by_key(Found::worth)
    }

    /// How far the bytes here are those `distance` before; `None` if that isn't in reach, or less than `least`.
    fn matching(&self, at: usize, distance: usize, least: usize) -> Option<usize> {
        if distance == 0 || distance > at.min(WINDOW) {
            return None;
        }
        let (before, here) = (&self.bytes[at - distance..], &self.bytes[at..]);
        let mut length = 0;
        for (before, here) in before.chunks_exact(8).zip(here.chunks_exact(8)) {
            let differ = eight(before) ^ eight(here);
            if differ != 0 {
                length += (differ.trailing_zeros() / 8) as usize;
                return (length >= least).then_some(length);
            }
            length += 8;
        }
        length += before[length..]
            .iter()
            .zip(&here[length..])
            .take_while(|(before, here)| before == here)
            .count();
        (length >= least).then_some(length)
    }

    /// Takes note of the position. Gives the distances to where the same 8 bytes, or 5, may have been before.
    fn remember(&mut self, at: usize) -> [u32; 2] {
        let next = eight(&self.bytes[at..at + 8]);
        let long = next.wrapping_mul(0x9e37_79b1_85eb_ca87) >> (64 - LONG);
        let short = (next << 24).wrapping_mul(0x9e37_79b1_85eb_ca87) >> (64 - SHORT);
        let now = self.gone.wrapping_add(at as u32);
        let then = |table: &mut [u32], place: u64| {
            now.wrapping_sub(core::mem::replace(&mut table[place as usize], now))
        };
        [then(&mut self.long, long), then(&mut self.short, short)]
    }
}

#[derive(Clone, Copy)]
struct Found {
    at: usize,
    length: usize,
    distance: usize,
    again: bool,
}

impl Found {
    /// What it saves, in quarters of a byte.
    fn worth(&self) -> usize {
        let cost = if self.again { 4 } else { 8 + self.distance.ilog2() as usize / 2 };
        (4 * self.length + 32).saturating_sub(cost)
    }
}

fn eight(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
