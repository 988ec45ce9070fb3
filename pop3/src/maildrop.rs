//! The messages of a session, in their order, 16 bytes each and their names: 100,000 of them stay
//! far below the walk-through's limit of memory.

use alloc::collections::TryReserveError;
use alloc::vec::Vec;
use core::ffi::CStr;

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

/// What the maildrop remembers of a message's size, in octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// What the file has; as sent, there may be more.
    OnDisk(u64),
    /// What is sent of it, the size that RFC 1939 speaks of.
    AsSent(u64),
}

/// The messages.
#[derive(Default)]
pub struct Maildrop {
    entries: Vec<Entry>,
    names: Names,
}

struct Entry {
    /// Octets; the uppermost bit says that they are as sent.
    size: u64,
    /// Seconds since 1970. Nothing that is shown lies in the future, so this lasts until 2106.
    modified: u32,
    name: u32,
}

const AS_SENT: u64 = 1 << 63;

impl Maildrop {
    /// Adds a message that was last modified at so many seconds since 1970.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn add(
        &mut self,
        place: Place,
        name: &CStr,
        modified: u64,
        size: u64,
    ) -> Result<(), TryReserveError> {
        self.entries.try_reserve(1)?;
        let name = self.names.add(place, name)?;
        let modified = u32::try_from(modified).unwrap_or(u32::MAX);
        self.entries.push(Entry { size: size & !AS_SENT, modified, name });
        Ok(())
    }

    /// Puts the messages in their order: the oldest first; of the same second, by name.
    pub fn sort(&mut self) {
        let names = &self.names;
        self.entries.sort_unstable_by(|one, two| {
            let by_name = || names.of(one.name).1.cmp(names.of(two.name).1);
            one.modified.cmp(&two.modified).then_with(by_name)
        });
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where a message is.
    #[must_use]
    pub fn place(&self, message: usize) -> Place {
        self.names.of(self.entries[message].name).0
    }

    /// A message's file name.
    #[must_use]
    pub fn name(&self, message: usize) -> &CStr {
        self.names.of(self.entries[message].name).1
    }

    /// A message's size.
    #[must_use]
    pub fn size(&self, message: usize) -> Size {
        let size = self.entries[message].size;
        if size & AS_SENT == 0 { Size::OnDisk(size) } else { Size::AsSent(size & !AS_SENT) }
    }

    /// Remembers what a message has on the wire.
    pub fn set_size_as_sent(&mut self, message: usize, octets: u64) {
        self.entries[message].size = octets | AS_SENT;
    }
}

/// Names, one after the other in pieces of memory that never move: a name costs its bytes and two.
#[derive(Default)]
struct Names {
    pieces: Vec<Vec<u8>>,
}

/// The size of a piece: an offset in one takes 16 bits of a name's number, and with what the
/// allocator keeps beside it, it fills one of the 64 KiB that are had from the kernel at once.
const PIECE: usize = 59 * 1024;

impl Names {
    fn add(&mut self, place: Place, name: &CStr) -> Result<u32, TryReserveError> {
        let name = name.to_bytes_with_nul();
        if self.pieces.last().is_none_or(|piece| piece.len() + 1 + name.len() > PIECE) {
            let mut piece = Vec::new();
            piece.try_reserve_exact(PIECE.max(1 + name.len()))?;
            self.pieces.try_reserve(1)?;
            self.pieces.push(piece);
        }
        let number = self.pieces.len() - 1;
        let piece = &mut self.pieces[number];
        let offset = piece.len();
        piece.push(match place {
            Place::New => b'n',
            Place::Cur => b'c',
        });
        piece.extend_from_slice(name);
        // 65,536 pieces are 4 GiB of names: memory has long run out by then.
        Ok((number << 16 | offset) as u32)
    }

    fn of(&self, number: u32) -> (Place, &CStr) {
        let record = &self.pieces[(number >> 16) as usize][(number & 0xFFFF) as usize..];
        let place = if record[0] == b'n' { Place::New } else { Place::Cur };
        (place, CStr::from_bytes_until_nul(&record[1..]).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::format;

    #[test]
    fn oldest_first_then_by_name() {
        let mut maildrop = Maildrop::default();
        for (place, name, modified) in [
            (Place::New, c"b", 7),
            (Place::Cur, c"z:2,S", 3),
            (Place::Cur, c"a:2,", 7),
            (Place::New, c"a", 7),
            (Place::New, c"c", 1 << 40),
        ] {
            maildrop.add(place, name, modified, 1).unwrap();
        }
        maildrop.sort();
        let order: Vec<_> = (0..maildrop.len()).map(|m| maildrop.name(m)).collect();
        assert_eq!(order, [c"z:2,S", c"a", c"a:2,", c"b", c"c"]);
        assert_eq!(maildrop.place(0), Place::Cur);
        assert_eq!(maildrop.place(1), Place::New);
    }

    #[test]
    fn sizes() {
        let mut maildrop = Maildrop::default();
        maildrop.add(Place::New, c"x", 1, 0).unwrap();
        assert_eq!(maildrop.size(0), Size::OnDisk(0));
        maildrop.set_size_as_sent(0, 1 << 40);
        assert_eq!(maildrop.size(0), Size::AsSent(1 << 40));
    }

    #[test]
    fn names_of_many_lengths_across_many_pieces() {
        let mut maildrop = Maildrop::default();
        let name = |n: usize| CString::new(format!("{n}.{}", "x".repeat(n % 255))).unwrap();
        for n in 0..10_000 {
            maildrop.add(Place::Cur, &name(n), n as u64, 0).unwrap();
        }
        assert!(maildrop.names.pieces.len() > 10);
        for n in 0..10_000 {
            assert_eq!(maildrop.name(n), &*name(n));
        }
    }
}
