//! Constant databases: D. J. Bernstein's cdb, as <https://cr.yp.to/cdb/cdb.txt> describes it.
//!
//! A file of at most 4 GiB: a header of 256 pairs (where a table is, and how many slots it has); the records
//! (lengths of key and value, key, value); the tables, whose slots are pairs (a key's hash, where its
//! record is). All numbers have 32 bits, little-endian. A key's hash chooses the table by its lowest 8 bits,
//! and the slot to begin with by the rest; an empty slot ends the search.
//!
//! [`Writer`] makes the same bytes of the same records as the originals do; [`Reader`] takes any bytes.

mod reader;
mod source;
mod writer;

pub use reader::{Damage, Reader};
pub use source::{File, Source};
pub use writer::{Unwritten, Writer};

/// The size of the header in bytes.
pub const HEADER: usize = 2048;

fn hash(key: &[u8]) -> u32 {
    key.iter().fold(5381, |hash: u32, byte| hash.wrapping_mul(33) ^ u32::from(*byte))
}

/// The table that a key with this hash stands in.
fn table(hash: u32) -> usize {
    (hash & 0xff) as usize
}

/// The slot to begin with, of `slots`, which isn't 0.
fn first_slot(hash: u32, slots: u32) -> u32 {
    (hash >> 8) % slots
}

/// The pair of numbers that `bytes` begins with; fewer bytes than 8 are as if zeros followed.
fn pair(bytes: &[u8]) -> (u32, u32) {
    let number = |at: usize| {
        let digits = bytes.iter().skip(at).take(4).rev();
        digits.fold(0, |number, byte| number << 8 | u32::from(*byte))
    };
    (number(0), number(4))
}

fn pair_bytes(first: u32, second: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&first.to_le_bytes());
    bytes[4..].copy_from_slice(&second.to_le_bytes());
    bytes
}

#[cfg(test)]
mod tests;
