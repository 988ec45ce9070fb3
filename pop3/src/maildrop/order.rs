//! Messages in order: by the second of their last modification; within one, by their names.
//!
//! Some thousand messages at a time are sorted by themselves, then these runs are merged, into the memory that
//! they were in: so it takes little more, however many messages there are. A mailbox that was copied may have all its messages in
//! a few seconds, and to compare two names they have to be decoded. So within a second it goes by
//! eight bytes of each name at a time, which are decoded once, and looks further only where these are the same.

use super::{Entry, Maildrop, PIECE, by_name};
use crate::names::FileName;
use alloc::collections::TryReserveError;
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Ordering;

/// How many bytes of a name fit into a key.
const STEP: usize = 8;

/// So many messages are sorted by themselves: whole pieces.
const RUN: usize = 16 * PIECE;

pub(super) fn sort(maildrop: &mut Maildrop) {
    let count = maildrop.len();
    let runs = (0..count).step_by(RUN);
    let sorted = runs.map(|start| sort_run(maildrop, start, count.min(start + RUN)));
    if sorted.collect::<Result<(), _>>().is_err() || merge(maildrop).is_err() {
        // Without memory for more, slowly.
        heap(maildrop);
    }
}

fn sort_run(maildrop: &mut Maildrop, start: usize, end: usize) -> Result<(), TryReserveError> {
    let mut keys: Vec<u64> = Vec::new();
    keys.try_reserve_exact(end - start)?;
    let modified = |message: usize| u64::from(maildrop.entry(message).modified);
    keys.extend((start..end).map(|message| modified(message) << 32 | message as u64));
    keys.sort_unstable();
    for second in keys.chunk_by_mut(|one, two| one >> 32 == two >> 32) {
        by_names(maildrop, second, 0);
    }
    arrange(maildrop, start, &mut keys);
    Ok(())
}

/// Sorts messages of one second, whose names are the same up to `start`.
fn by_names(maildrop: &Maildrop, messages: &mut [u64], start: usize) {
    if messages.len() < 2 {
        return;
    }
    let mut parts: Vec<(u64, u32)> = Vec::new();
    if messages.len() == 2 || start > 255 || parts.try_reserve_exact(messages.len()).is_err() {
        let name = |key: u64| {
            let mut name = FileName::default();
            maildrop.name(key as u32 as usize, &mut name);
            name
        };
        messages.sort_unstable_by(|one, two| by_name(name(*one).as_bytes(), name(*two).as_bytes()));
        return;
    }
    let mut name = FileName::default();
    parts.extend(messages.iter().map(|key| {
        maildrop.name(*key as u32 as usize, &mut name);
        (part(name.unique(), start), *key as u32)
    }));
    parts.sort_unstable();
    let second = messages[0] >> 32 << 32;
    for (message, (_, number)) in messages.iter_mut().zip(&parts) {
        *message = second | u64::from(*number);
    }
    let mut rest = messages;
    for same in parts.chunk_by(|one, two| one.0 == two.0) {
        let (here, after) = rest.split_at_mut(same.len());
        rest = after;
        // Names that have ended are the same, but for flags.
        let ended = same[0].0 & 0xFF == 0;
        by_names(maildrop, here, if ended { usize::MAX } else { start + STEP });
    }
}

/// A part of a name, so that parts compare as their bytes do; zeros after its end, which no name has.
fn part(name: &[u8], start: usize) -> u64 {
    let rest = name.get(start..).unwrap_or_default();
    let mut bytes = [0; STEP];
    let length = rest.len().min(STEP);
    bytes[..length].copy_from_slice(&rest[..length]);
    u64::from_be_bytes(bytes)
}

/// Puts each message, from `start` on, where `keys` has its number: one circle of them after the other.
fn arrange(maildrop: &mut Maildrop, start: usize, keys: &mut [u64]) {
    for begin in start..start + keys.len() {
        let first = *maildrop.entry(begin);
        let mut place = begin;
        loop {
            let from = keys[place - start] as u32 as usize;
            keys[place - start] = place as u64;
            if from == begin {
                break;
            }
            *maildrop.entry_mut(place) = *maildrop.entry(from);
            place = from;
        }
        *maildrop.entry_mut(place) = first;
    }
}

/// Sorted messages, from which those that come first are taken.
struct Run {
    /// Pieces, in reverse order.
    pieces: Vec<Vec<Entry>>,
    /// How many of the last piece are taken.
    taken: usize,
    /// The message that comes next, and its name.
    first: Entry,
    name: FileName,
}

impl Run {
    fn compare(&self, other: &Self) -> Ordering {
        let seconds = self.first.modified.cmp(&other.first.modified);
        seconds.then_with(|| by_name(self.name.as_bytes(), other.name.as_bytes()))
    }

    /// Goes on to the next message, and gives a piece that isn't used any more. False: that was all.
    fn advance(&mut self, maildrop: &Maildrop, spare: &mut Vec<Vec<Entry>>) -> bool {
        self.taken += 1;
        if self.pieces.last().is_some_and(|piece| piece.len() == self.taken) {
            self.taken = 0;
            spare.extend(self.pieces.pop().map(|mut piece| {
                piece.clear();
                piece
            }));
        }
        let Some(piece) = self.pieces.last() else { return false };
        self.first = piece[self.taken];
        maildrop.names.get(self.first.name, &mut self.name);
        true
    }
}

/// Merges the runs that were sorted each by itself.
fn merge(maildrop: &mut Maildrop) -> Result<(), TryReserveError> {
    let count = maildrop.len();
    let pieces = maildrop.entries.len();
    let (mut runs, mut order, mut merged, mut spare) = (vec![], vec![], vec![], vec![]);
    let number = pieces.div_ceil(RUN / PIECE);
    runs.try_reserve_exact(number)?;
    order.try_reserve_exact(number)?;
    merged.try_reserve_exact(pieces)?;
    spare.try_reserve_exact(pieces + number + 1)?;
    // Each run keeps a piece that isn't taken whole; for all other messages there is memory that
    // they were taken from.
    for _ in 0..=number {
        let mut piece = Vec::new();
        piece.try_reserve_exact(PIECE)?;
        spare.push(piece);
    }
    for nth in 0..number {
        let mut run = Vec::new();
        run.try_reserve_exact(RUN / PIECE)?;
        runs.push(Run {
            pieces: run,
            taken: 0,
            first: *maildrop.entry(nth * RUN),
            name: FileName::default(),
        });
    }
    for (nth, piece) in core::mem::take(&mut maildrop.entries).into_iter().enumerate() {
        runs[nth / (RUN / PIECE)].pieces.push(piece);
    }
    for (nth, run) in runs.iter_mut().enumerate() {
        run.pieces.reverse();
        maildrop.names.get(run.first.name, &mut run.name);
        order.push(nth);
    }
    order.sort_unstable_by(|one, two| runs[*one].compare(&runs[*two]));
    for _ in 0..count {
        if merged.last().is_none_or(|piece: &Vec<Entry>| piece.len() == PIECE) {
            merged.push(spare.pop().unwrap_or_default());
        }
        let first = &mut runs[order[0]];
        if let Some(piece) = merged.last_mut() {
            piece.push(first.first);
        }
        if !first.advance(maildrop, &mut spare) {
            order.remove(0);
            continue;
        }
        // Where it belongs now among the others, which are in order.
        let first = &runs[order[0]];
        let behind = order[1..].partition_point(|run| runs[*run].compare(first).is_lt());
        order[..=behind].rotate_left(1);
    }
    maildrop.entries = merged;
    Ok(())
}

/// Sorts without any memory: a heap of the entries themselves.
fn heap(maildrop: &mut Maildrop) {
    let count = maildrop.len();
    for root in (0..count / 2).rev() {
        sink(maildrop, root, count);
    }
    for end in (1..count).rev() {
        swap(maildrop, 0, end);
        sink(maildrop, 0, end);
    }
}

fn sink(maildrop: &mut Maildrop, mut root: usize, end: usize) {
    loop {
        let mut child = 2 * root + 1;
        if child >= end {
            return;
        }
        if child + 1 < end && is_less(maildrop, child, child + 1) {
            child += 1;
        }
        if !is_less(maildrop, root, child) {
            return;
        }
        swap(maildrop, root, child);
        root = child;
    }
}

fn swap(maildrop: &mut Maildrop, one: usize, two: usize) {
    let entry: Entry = *maildrop.entry(one);
    *maildrop.entry_mut(one) = *maildrop.entry(two);
    *maildrop.entry_mut(two) = entry;
}

fn is_less(maildrop: &Maildrop, one: usize, two: usize) -> bool {
    let seconds = maildrop.entry(one).modified.cmp(&maildrop.entry(two).modified);
    let names = || {
        let (mut first, mut second) = (FileName::default(), FileName::default());
        maildrop.name(one, &mut first);
        maildrop.name(two, &mut second);
        by_name(first.as_bytes(), second.as_bytes())
    };
    seconds.then_with(names).is_lt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::maildrop::{Facts, Place, Size};
    use proptest::prelude::*;
    use std::string::{String, ToString};

    fn maildrop(messages: &[(u32, String)]) -> Maildrop {
        let mut maildrop = Maildrop::default();
        for (modified, name) in messages {
            let facts = Facts { modified: *modified, size: Size::OnDisk(1), check: 1 };
            maildrop.add(Place::Cur, name.as_bytes(), facts).unwrap();
        }
        maildrop
    }

    fn order(maildrop: &Maildrop) -> Vec<(u32, String)> {
        let mut name = FileName::default();
        (0..maildrop.len())
            .map(|message| {
                maildrop.name(message, &mut name);
                let text = String::from_utf8(name.as_bytes().to_vec()).unwrap();
                (maildrop.facts(message).modified, text)
            })
            .collect()
    }

    #[test]
    fn oldest_first_then_by_name_without_flags() {
        let messages =
            [(7, "b"), (3, "z:2,S"), (7, "a1:2,"), (7, "a"), (7, "a:2,S"), (u32::MAX, "c")]
                .map(|(modified, name)| (modified, name.to_string()));
        let mut sorted = maildrop(&messages);
        sorted.sort();
        let names: Vec<_> = order(&sorted).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["z:2,S", "a", "a:2,S", "a1:2,", "b", "c"]);
    }

    #[test]
    fn many_pieces() {
        // Each number once, far from its neighbours, in few seconds.
        let count = 5 * RUN + 77;
        let messages: Vec<_> = (0..count)
            .map(|n| n * 7919 % count)
            .map(|n| ((n / 6000) as u32, std::format!("{:06}.x", n % 6000)))
            .collect();
        let mut expected = messages.clone();
        expected.sort();
        let mut sorted = maildrop(&messages);
        sorted.sort();
        assert!(order(&sorted) == expected);
        assert_eq!(sorted.len(), count);
    }

    proptest! {
        #[test]
        fn as_a_plain_sort_has_it(
            messages in prop::collection::vec((0_u32..4, "[ab]{0,12}[01]{1,10}[ab]{0,3}(:2,S?)?"), 0..80),
        ) {
            let mut expected = messages.clone();
            expected.sort_by_key(|(modified, name)| {
                (*modified, name.split(':').next().unwrap().to_string(), name.clone())
            });
            let mut sorted = maildrop(&messages);
            sorted.sort();
            prop_assert_eq!(&order(&sorted), &expected);
            let mut in_place = maildrop(&messages);
            heap(&mut in_place);
            prop_assert_eq!(&order(&in_place), &expected);
            // What comes in order isn't sorted.
            let again = maildrop(&expected);
            let mut distinct = vec![];
            distinct.extend(expected.windows(2).map(|two| two[0] != two[1]));
            prop_assert_eq!(again.disorder, distinct.contains(&false));
        }
    }
}
