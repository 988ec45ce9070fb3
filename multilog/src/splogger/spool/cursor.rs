//! Where in the spool we are: the record that is sent next.

use super::directory::Directory;
use super::segment::{self, Found, HEAD};
use alloc::vec::Vec;
use sys::{Errno, OwnedFd};

/// Read at once, or one record if that is larger.
const READ: usize = 16 * 1024;

/// A segment by its number, and how far in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) number: u64,
    pub(super) offset: u64,
}

impl Place {
    /// Where a segment's first record stands.
    pub(super) const fn first_of(number: u64) -> Self {
        Self { number, offset: HEAD }
    }
}

/// A place, and what is there.
pub(super) struct Cursor {
    place: Place,
    /// The segment that was read last, and its number.
    file: Option<(u64, OwnedFd)>,
    /// What was read, from before the place on.
    buffer: Vec<u8>,
    /// How much of the buffer lies before the place.
    used: usize,
    /// The length of the record that [`Cursor::found`] found.
    record: usize,
}

impl Cursor {
    pub(super) fn at(place: Place) -> Self {
        Self { place, file: None, buffer: Vec::new(), used: 0, record: 0 }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn move_to(&mut self, place: Place) {
        self.place = place;
        self.buffer.clear();
        self.used = 0;
        self.record = 0;
    }

    /// What stands here, as far as it was read.
    pub(super) fn found(&mut self) -> Found {
        let found = segment::record(&self.buffer[self.used..]);
        if let Found::Record(length) = found {
            self.record = length;
        }
        found
    }

    /// Reads on, so that at least `needed` bytes from here on are there, in a segment of `size` bytes.
    pub(super) fn fill(
        &mut self,
        directory: &Directory,
        needed: usize,
        size: u64,
    ) -> Result<(), Errno> {
        let Place { number, offset } = self.place;
        let file = match &mut self.file {
            Some((open, file)) if *open == number => file,
            file => &mut file.insert((number, directory.read(number)?)).1,
        };
        let left = usize::try_from(size - offset).unwrap_or(usize::MAX);
        self.buffer.clear();
        self.used = 0;
        self.buffer.resize(needed.max(READ).min(left), 0);
        let count = sys::read_whole_at(file, &mut self.buffer, offset)?;
        self.buffer.truncate(count);
        // Somebody has cut it.
        if count < needed { Err(Errno::IO) } else { Ok(()) }
    }

    /// The message that [`Self::found`] found.
    pub(super) fn message(&self) -> &[u8] {
        let end = self.used + self.record;
        self.buffer.get(self.used + segment::RECORD..end).unwrap_or_default()
    }

    /// Goes on to behind the record that [`Self::found`] found, and gives that place.
    pub(super) fn pass(&mut self) -> Place {
        self.used += self.record;
        self.place.offset += self.record as u64;
        self.record = 0;
        self.place
    }

    /// A segment is removed: its blocks are to be free.
    pub(super) fn release(&mut self, number: u64) {
        self.file.take_if(|(open, _)| *open == number);
    }
}
