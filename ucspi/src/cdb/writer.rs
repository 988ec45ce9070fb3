//! Making a database.

use super::{HEADER, first_slot, hash, pair_bytes, table};
use alloc::vec::Vec;

/// A database in the making. Its bytes from [`HEADER`] on go through `write`, in order and in pieces;
/// those of the header are known at the end.
pub struct Writer<W> {
    write: W,
    held: Vec<u8>,
    /// Where in the file the next byte goes.
    position: u32,
    slots: Vec<Slot>,
}

/// Why a database isn't written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unwritten<E> {
    /// What `write` has said.
    Write(E),
    /// It would have more than the 4 GiB that its numbers can tell.
    TooBig,
    /// No memory for 8 bytes a record.
    Memory,
}

#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    place: u32,
}

/// What is written at once.
const PIECE: usize = 64 * 1024;

impl<E, W: FnMut(&[u8]) -> Result<(), E>> Writer<W> {
    /// One without records.
    pub fn new(write: W) -> Self {
        Self { write, held: Vec::new(), position: HEADER as u32, slots: Vec::new() }
    }

    /// Adds a record. A key that is there already keeps its first value, for whoever asks.
    ///
    /// # Errors
    /// What `write` has said; no room.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), Unwritten<E>> {
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| Unwritten::TooBig);
        self.slots.try_reserve(1).map_err(|_| Unwritten::Memory)?;
        self.slots.push(Slot { hash: hash(key), place: self.position });
        self.put(&pair_bytes(length(key)?, length(value)?))?;
        self.put(key)?;
        self.put(value)
    }

    /// Writes the tables, and gives the header.
    ///
    /// # Errors
    /// What `write` has said; no room.
    pub fn finish(mut self) -> Result<[u8; HEADER], Unwritten<E>> {
        let mut header = [0; HEADER];
        let slots = core::mem::take(&mut self.slots);
        let (sorted, counts) = by_table(&slots)?;
        let mut rest = &sorted[..];
        for (place, count) in header.chunks_exact_mut(8).zip(counts) {
            let (own, others) = rest.split_at(count);
            rest = others;
            // Half of a table is empty, so that searches are short. Fewer than 2^29 records are there.
            place.copy_from_slice(&pair_bytes(self.position, 2 * count as u32));
            for Slot { hash, place } in arranged(own)? {
                self.put(&pair_bytes(hash, place))?;
            }
        }
        self.flush()?;
        Ok(header)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Unwritten<E>> {
        let length = u32::try_from(bytes.len()).map_err(|_| Unwritten::TooBig)?;
        self.position = self.position.checked_add(length).ok_or(Unwritten::TooBig)?;
        if self.held.len() + bytes.len() > PIECE {
            self.flush()?;
        }
        if bytes.len() > PIECE {
            return (self.write)(bytes).map_err(Unwritten::Write);
        }
        self.held.try_reserve(bytes.len()).map_err(|_| Unwritten::Memory)?;
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Unwritten<E>> {
        let written = if self.held.is_empty() { Ok(()) } else { (self.write)(&self.held) };
        self.held.clear();
        written.map_err(Unwritten::Write)
    }
}

/// The slots by their tables, else in the order in which they came; and how many each table has.
fn by_table<E>(slots: &[Slot]) -> Result<(Vec<Slot>, [usize; 256]), Unwritten<E>> {
    let mut sorted = empty(slots.len())?;
    let mut counts = [0; 256];
    for slot in slots {
        counts[table(slot.hash)] += 1;
    }
    let mut next = [0; 256];
    for index in 1..256 {
        next[index] = next[index - 1] + counts[index - 1];
    }
    for slot in slots {
        let place: &mut usize = &mut next[table(slot.hash)];
        sorted[*place] = *slot;
        *place += 1;
    }
    Ok((sorted, counts))
}

/// A table: each slot at its first place, or the next one that is free.
fn arranged<E>(slots: &[Slot]) -> Result<Vec<Slot>, Unwritten<E>> {
    let mut table = empty(2 * slots.len())?;
    let size = table.len();
    for slot in slots {
        let mut at = first_slot(slot.hash, size as u32) as usize;
        while table[at].place != 0 {
            at = (at + 1) % size;
        }
        table[at] = *slot;
    }
    Ok(table)
}

fn empty<E>(count: usize) -> Result<Vec<Slot>, Unwritten<E>> {
    let mut slots = Vec::new();
    slots.try_reserve_exact(count).map_err(|_| Unwritten::Memory)?;
    slots.resize(count, Slot { hash: 0, place: 0 });
    Ok(slots)
}
