//! The messages of a session, in their order: 16 bytes each, and their names ([`crate::names`]).
//! 100,000 of them stay far below the walk-through's limit of memory.

use crate::names::{FileName, Forms, Names, unique};
use alloc::collections::TryReserveError;
use alloc::vec::Vec;
use core::cmp::Ordering;

mod order;

/// Which part of a Maildir a message is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `new/`: no session has said QUIT over it.
    New,
    /// `cur/`.
    Cur,
}

impl Place {
    /// The directory's name.
    #[must_use]
    pub fn name(self) -> &'static [u8] {
        match self {
            Self::New => b"new",
            Self::Cur => b"cur",
        }
    }
}

/// What is known of a message's size, in octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// What the file has; as sent, there may be more.
    OnDisk(u64),
    /// What is sent of it, the size that RFC 1939 speaks of.
    AsSent(u64),
}

/// What is known of a message besides its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Seconds since 1970. Nothing that is shown lies in the future, so this lasts until 2106.
    pub modified: u32,
    /// Its size.
    pub size: Size,
    /// A digest of what stat(2) says of the file ([`crate::maildir::check`]): another one, another
    /// content. [`UNCHECKED`] where that can't be told.
    pub check: u32,
}

/// The check of a file that was modified so late that it may yet be modified without a trace.
pub const UNCHECKED: u32 = 0;

/// The messages.
#[derive(Default)]
pub struct Maildrop {
    /// Each but the last has [`PIECE`] of them: a vector that doubles would want three times its
    /// memory at that moment.
    entries: Vec<Vec<Entry>>,
    names: Names,
    /// Sizes that don't fit, by the numbers of the names.
    large: Vec<(u32, u64)>,
    /// They aren't in their order. As long as they are, the name of the last one.
    disorder: bool,
    last: FileName,
}

#[derive(Clone, Copy)]
struct Entry {
    name: u32,
    modified: u32,
    /// Octets; the uppermost bit says that they are as sent.
    size: u32,
    check: u32,
}

/// So many of them fill a page: what is merged frees its memory as it goes.
const PIECE: usize = 255;
const AS_SENT: u32 = 1 << 31;
const LARGE: u32 = AS_SENT - 1;

impl Maildrop {
    /// No messages yet; their names are likely to have these forms.
    #[must_use]
    pub fn with_forms(forms: Forms) -> Self {
        Self { names: Names::with_forms(forms), ..Self::default() }
    }

    /// The forms of the names.
    #[must_use]
    pub fn forms(&self) -> &Forms {
        self.names.forms()
    }

    /// Adds a message.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn add(&mut self, place: Place, name: &[u8], facts: Facts) -> Result<(), TryReserveError> {
        let number = self.names.add(place, name)?;
        self.push(number, name, facts)
    }

    /// Adds a message whose name, `name`, was encoded with the forms that the maildrop began with.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn add_encoded(
        &mut self,
        encoded: &[u8],
        name: &FileName,
        facts: Facts,
    ) -> Result<(), TryReserveError> {
        let number = self.names.add_encoded(encoded)?;
        self.push(number, name.as_bytes(), facts)
    }

    fn push(&mut self, number: u32, name: &[u8], facts: Facts) -> Result<(), TryReserveError> {
        if self.entries.last().is_none_or(|piece| piece.len() == PIECE) {
            let mut piece = Vec::new();
            piece.try_reserve_exact(PIECE)?;
            self.entries.try_reserve(1)?;
            self.entries.push(piece);
        }
        if !self.disorder {
            let last = self.entries.iter().rev().find_map(|piece| piece.last());
            let order = last.map(|last| {
                let seconds = last.modified.cmp(&facts.modified);
                seconds.then_with(|| by_name(self.last.as_bytes(), name))
            });
            self.disorder = order.is_some_and(Ordering::is_ge);
            self.last.set(name);
        }
        let Facts { modified, check, .. } = facts;
        let size = self.small(number, facts.size)?;
        if let Some(piece) = self.entries.last_mut() {
            piece.push(Entry { name: number, modified, size, check });
        }
        Ok(())
    }

    /// A size as an entry has it.
    fn small(&mut self, number: u32, size: Size) -> Result<u32, TryReserveError> {
        let (octets, flag) = match size {
            Size::OnDisk(octets) => (octets, 0),
            Size::AsSent(octets) => (octets, AS_SENT),
        };
        if octets < u64::from(LARGE) {
            return Ok(octets as u32 | flag);
        }
        match self.large.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(found) => self.large[found].1 = octets,
            Err(place) => {
                self.large.try_reserve(1)?;
                self.large.insert(place, (number, octets));
            }
        }
        Ok(LARGE | flag)
    }

    /// Puts the messages in their order: the oldest first; of the same second, by name, without what
    /// a flag changes.
    pub fn sort(&mut self) {
        if core::mem::take(&mut self.disorder) {
            order::sort(self);
        }
    }

    /// Takes out all messages but those that `keep` names.
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut kept = 0;
        for message in 0..self.len() {
            if keep(message) {
                *self.entry_mut(kept) = *self.entry(message);
                kept += 1;
            }
        }
        self.entries.truncate(kept.div_ceil(PIECE));
        if let Some(piece) = self.entries.last_mut() {
            piece.truncate(kept - kept.saturating_sub(1) / PIECE * PIECE);
        }
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let full = self.entries.len().saturating_sub(1);
        full * PIECE + self.entries.last().map_or(0, Vec::len)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where a message is.
    #[must_use]
    pub fn place(&self, message: usize) -> Place {
        self.names.place(self.entry(message).name)
    }

    /// A message's file name, and where it is.
    pub fn name(&self, message: usize, name: &mut FileName) -> Place {
        self.names.get(self.entry(message).name, name)
    }

    /// A message's file name, encoded, with whatever follows it.
    #[must_use]
    pub fn encoded_name(&self, message: usize) -> &[u8] {
        self.names.encoded(self.entry(message).name)
    }

    /// Another program has moved a message.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn moved(
        &mut self,
        message: usize,
        place: Place,
        name: &[u8],
    ) -> Result<(), TryReserveError> {
        let size = self.facts(message).size;
        let number = self.names.add(place, name)?;
        let size = self.small(number, size)?;
        let entry = self.entry_mut(message);
        entry.name = number;
        entry.size = size;
        Ok(())
    }

    /// What is known of a message.
    #[must_use]
    pub fn facts(&self, message: usize) -> Facts {
        let Entry { name, modified, size, check } = *self.entry(message);
        let octets = match size & LARGE {
            LARGE => self
                .large
                .binary_search_by_key(&name, |(number, _)| *number)
                .map_or(u64::from(LARGE), |found| self.large[found].1),
            octets => u64::from(octets),
        };
        let size = if size & AS_SENT == 0 { Size::OnDisk(octets) } else { Size::AsSent(octets) };
        Facts { modified, size, check }
    }

    /// Remembers what a message has on the wire.
    pub fn set_size_as_sent(&mut self, message: usize, octets: u64) {
        let number = self.entry(message).name;
        // Without memory for it, it is found out anew.
        if let Ok(size) = self.small(number, Size::AsSent(octets)) {
            self.entry_mut(message).size = size;
        }
    }

    /// What was found out of a message can't be relied on in another session.
    pub fn forget(&mut self, message: usize) {
        self.entry_mut(message).check = UNCHECKED;
    }

    fn entry(&self, message: usize) -> &Entry {
        &self.entries[message / PIECE][message % PIECE]
    }

    fn entry_mut(&mut self, message: usize) -> &mut Entry {
        &mut self.entries[message / PIECE][message % PIECE]
    }
}

/// The order of names within a second.
fn by_name(one: &[u8], two: &[u8]) -> Ordering {
    unique(one).cmp(unique(two)).then_with(|| one.cmp(two))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(modified: u32, size: u64) -> Facts {
        Facts { modified, size: Size::OnDisk(size), check: 1 }
    }

    #[test]
    fn sizes() {
        let mut maildrop = Maildrop::default();
        let sizes = [0, 1 << 40, u64::from(LARGE) - 1, u64::from(LARGE), u64::MAX];
        for (nth, size) in (0..).zip(sizes) {
            maildrop.add(Place::New, b"x", facts(9 - nth, size)).unwrap();
        }
        maildrop.sort();
        for (nth, size) in sizes.into_iter().rev().enumerate() {
            assert_eq!(maildrop.facts(nth).size, Size::OnDisk(size));
            maildrop.set_size_as_sent(nth, u64::MAX - size);
            assert_eq!(maildrop.facts(nth).size, Size::AsSent(u64::MAX - size));
        }
    }

    #[test]
    fn what_is_taken_out() {
        for (count, divisor) in
            [(0, 1), (5, 1), (2 * PIECE + 5, 2), (2 * PIECE + 5, PIECE + 2), (9, 99)]
        {
            let mut maildrop = Maildrop::default();
            for nth in 0..count {
                maildrop.add(Place::New, b"x", facts(nth as u32, 1)).unwrap();
            }
            let keep = |message: usize| (message + 1).is_multiple_of(divisor);
            maildrop.retain(keep);
            let left: Vec<_> = (0..maildrop.len())
                .map(|message| maildrop.facts(message).modified as usize)
                .collect();
            assert_eq!(left, (0..count).filter(|message| keep(*message)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_was_moved_keeps_its_place_in_the_order() {
        let mut maildrop = Maildrop::default();
        maildrop.add(Place::New, b"a", facts(1, 1 << 33)).unwrap();
        maildrop.add(Place::New, b"b", facts(2, 2)).unwrap();
        maildrop.moved(0, Place::Cur, b"a:2,S").unwrap();
        let mut name = FileName::default();
        assert_eq!((maildrop.name(0, &mut name), name.as_bytes()), (Place::Cur, &b"a:2,S"[..]));
        assert_eq!(maildrop.facts(0), facts(1, 1 << 33));
        assert_eq!((maildrop.name(1, &mut name), name.as_bytes()), (Place::New, &b"b"[..]));
    }
}
