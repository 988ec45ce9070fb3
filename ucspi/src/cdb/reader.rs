//! Looking up a key.

use super::source::Source;
use super::{HEADER, first_slot, hash, pair, table};
use alloc::{vec, vec::Vec};
use sys::Errno;

/// A database that can be asked. Whatever its bytes are, a question has an end, and reads nothing but
/// them.
pub struct Reader<S> {
    source: S,
    header: Vec<u8>,
}

/// Why a database can't be read: what the system says of its file, or `EPROTO`, "protocol error", where
/// it isn't a database or has been cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage(pub Errno);

impl<S: Source> Reader<S> {
    /// Reads the header, which tells at once of most keys that they aren't there.
    ///
    /// # Errors
    /// A file that can't be read, or is shorter than a header.
    pub fn new(source: S) -> Result<Self, Damage> {
        let mut header = vec![0; HEADER];
        source.read(0, &mut header).map_err(Damage)?;
        Ok(Self { source, header })
    }

    /// The value of `key`: that of the first record, if there are several.
    ///
    /// # Errors
    /// A file that can't be read, or isn't a database.
    pub fn find(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Damage> {
        let hash = hash(key);
        let (start, slots) = pair(&self.header[8 * table(hash)..]);
        if slots == 0 {
            return Ok(None);
        }
        // Also bounds the search. Of a table that isn't there as a whole, no slot is believed.
        if u64::from(start) + 8 * u64::from(slots) > self.source.length() {
            return Err(Damage(Errno::PROTO));
        }
        let first = first_slot(hash, slots);
        for slot in (first..slots).chain(0..first) {
            let (its_hash, place) = self.pair_at(u64::from(start) + 8 * u64::from(slot))?;
            if place == 0 {
                break;
            }
            if its_hash == hash
                && let Some(value) = self.value_at(u64::from(place), key)?
            {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// The value of the record at `place`, if it is of this key.
    fn value_at(&self, place: u64, key: &[u8]) -> Result<Option<Vec<u8>>, Damage> {
        let (key_length, value_length) = self.pair_at(place)?;
        if u64::from(key_length) != key.len() as u64 || self.read(place + 8, key.len())? != key {
            return Ok(None);
        }
        let value_length = usize::try_from(value_length).map_err(|_| Damage(Errno::PROTO))?;
        self.read(place + 8 + u64::from(key_length), value_length).map(Some)
    }

    fn pair_at(&self, place: u64) -> Result<(u32, u32), Damage> {
        let mut bytes = [0; 8];
        self.source.read(place, &mut bytes).map_err(Damage)?;
        Ok(pair(&bytes))
    }

    /// So many bytes, for which memory is asked only if the file has them.
    fn read(&self, place: u64, length: usize) -> Result<Vec<u8>, Damage> {
        if place + length as u64 > self.source.length() {
            return Err(Damage(Errno::PROTO));
        }
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| Damage(Errno::NOMEM))?;
        bytes.resize(length, 0);
        self.source.read(place, &mut bytes).map_err(Damage)?;
        Ok(bytes)
    }
}
