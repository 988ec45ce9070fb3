//! A file of the spool: the pure part. All numbers are little-endian.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0–7 | `splogger` |
//! | 8–15 | up to which byte all has arrived |
//! | 16– | records: the length of a message and its checksum (FNV-1a), 32 bits each, and the message |

use alloc::{ffi::CString, vec::Vec};

/// Where the first record stands.
pub(crate) const HEAD: u64 = 16;

/// Where it says how much has arrived.
pub(super) const ARRIVED: u64 = 8;

/// What a record has beside its message.
pub(crate) const RECORD: usize = 8;

const MAGIC: &[u8; 8] = b"splogger";

/// No message is larger.
const LARGEST: usize = 512 * 1024;

/// What stands at some place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record of so many bytes, message and all.
    Record(usize),
    /// Perhaps one, if so many bytes are there.
    More(usize),
    /// None.
    Damaged,
}

/// The number that a file's name stands for.
pub(crate) fn number(name: &[u8]) -> Option<u64> {
    if name.len() != 16 {
        return None;
    }
    name.iter().try_fold(0, |number: u64, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        // The last number has no successor.
        number.checked_mul(16)?.checked_add(digit.into()).filter(|number| *number < u64::MAX)
    })
}

/// A file's name, of 16 hexadecimal digits: names sort as their numbers do.
pub(super) fn name(number: u64) -> CString {
    let digits: Vec<u8> =
        (0..16).rev().map(|at| b"0123456789abcdef"[(number >> (4 * at) & 15) as usize]).collect();
    // Digits have no NUL.
    CString::new(digits).unwrap_or_default()
}

/// The head of a new file.
pub(super) fn head() -> [u8; HEAD as usize] {
    let mut head = [0; HEAD as usize];
    head[..8].copy_from_slice(MAGIC);
    head[8..].copy_from_slice(&HEAD.to_le_bytes());
    head
}

/// Up to where all has arrived; `None`: this is no head.
pub(crate) fn arrived(head: &[u8; HEAD as usize]) -> Option<u64> {
    let (magic, arrived) = head.split_first_chunk::<8>()?;
    let arrived = u64::from_le_bytes(*arrived.first_chunk()?);
    (magic == MAGIC && arrived >= HEAD).then_some(arrived)
}

/// What `bytes` begin with.
pub(crate) fn record(bytes: &[u8]) -> Found {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return Found::More(RECORD) };
    let Some((sum, rest)) = rest.split_first_chunk::<4>() else { return Found::More(RECORD) };
    let length = u32::from_le_bytes(*length) as usize;
    if length == 0 || length > LARGEST {
        return Found::Damaged;
    }
    match rest.get(..length) {
        None => Found::More(RECORD + length),
        Some(message) if checksum(message) == u32::from_le_bytes(*sum) => {
            Found::Record(RECORD + length)
        }
        Some(_) => Found::Damaged,
    }
}

/// Appends a record.
pub(crate) fn put(message: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&(message.len() as u32).to_le_bytes());
    out.extend_from_slice(&checksum(message).to_le_bytes());
    out.extend_from_slice(message);
}

fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names() {
        for (text, expected) in [
            (c"00000000000000ff", 255),
            (c"fffffffffffffffe", u64::MAX - 1),
            (c"0123456789abcdef", 0x0123_4567_89ab_cdef),
        ] {
            assert_eq!(number(text.to_bytes()), Some(expected));
            assert_eq!(name(expected).as_c_str(), text);
        }
        for name in
            [&b"fffffffffffffffff"[..], b"ffffffffffffffff", b"lock", b"", b"00000000000000FF"]
        {
            assert_eq!(number(name), None);
        }
    }

    #[test]
    fn heads() {
        assert_eq!(arrived(&head()), Some(HEAD));
        assert_eq!(arrived(&[0; 16]), None);
        let mut small = head();
        small[8] = 15;
        assert_eq!(arrived(&small), None);
    }

    proptest! {
        #[test]
        fn records_are_read_back(message in prop::collection::vec(any::<u8>(), 1..100), cut: prop::sample::Index, bit: prop::sample::Index) {
            let mut bytes = Vec::new();
            put(&message, &mut bytes);
            prop_assert_eq!(record(&bytes), Found::Record(bytes.len()));
            prop_assert_eq!(&bytes[RECORD..], &message[..]);
            let cut = &bytes[..cut.index(bytes.len())];
            let needed = if cut.len() < 4 || cut.len() < RECORD { RECORD } else { bytes.len() };
            prop_assert_eq!(record(cut), Found::More(needed));
            let bit = bit.index(8 * message.len());
            bytes[RECORD + bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(record(&bytes), Found::Damaged);
        }
    }
}
