//! What is known of the batch in hand: a record that is written before the first byte of the batch's output.
//!
//! A record has a place in `journal.at` that the one before it doesn't have, so whatever becomes of the one that is being
//! written, one is whole. All numbers are little-endian; times are seconds (8 bytes) and nanoseconds (4) since 1970.
//!
//! | bytes | what |
//! | --- | --- |
//! | 0-7 | `mlogjrn1` |
//! | 8-15 | checksum of all that follows (FNV-1a, 64 bits) |
//! | 16-19 | length of the record |
//! | 20-27 | its number: of two, the one with the greater number counts |
//! | 28-35, 36-43 | where the batch begins in `journal`, and where it ends |
//! | 44-55 | its moment |
//! | 56-67 | the moment after that of the last line before |
//! | 68 | the line in hand: 0 none, 1 its head, 2 the rest of one whose head was acted upon |
//! | 69-72 | length of the head |
//! | 73-76 | how many logs there are |
//! | | the head |
//! | | for each log 33 bytes: which one (8), how the next is meant and whether the line goes there (1), a file (8), an offset (8), how much is elsewhere (8) |

use super::place::{Counted, Place};
use alloc::vec::Vec;
use core::time::Duration;

/// The state in which a batch began, and where its output begins: it comes out the same again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    pub(crate) number: u64,
    /// Where the batch begins in the journal.
    pub(crate) begin: u64,
    /// Where it ends. What follows was not looked at.
    pub(crate) end: u64,
    /// What its lines were stamped with.
    pub(crate) moment: Duration,
    pub(crate) hand: Hand,
    pub(crate) places: Vec<Place>,
}

/// What of earlier batches has to do with the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Hand {
    /// The first moment that no line has had.
    pub(crate) next: Duration,
    pub(crate) line: InHand,
}

/// The line that is being read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum InHand {
    #[default]
    Nothing,
    /// What was read of it, with its stamp. Nothing was done with it yet.
    Head(Vec<u8>),
    /// What follows goes where its beginning went.
    Rest,
}

const MAGIC: &[u8; 8] = b"mlogjrn1";

/// Magic, checksum and length: so much tells how much there is.
pub(super) const BEGINNING: usize = 20;

/// Up to the head.
const FIXED: usize = 77;

/// Of each log.
const PLACE: usize = 33;

/// What a record takes at most: its place in `journal.at`.
pub(crate) const MOST: usize = 64 * 1024;

/// The head of a line is no longer.
const HEAD: usize = 1000;

/// Whether a record of so many logs has room.
pub(super) fn has_room(logs: usize) -> bool {
    logs <= (MOST - FIXED - HEAD) / PLACE
}

impl Record {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let (kind, head): (u8, &[u8]) = match &self.hand.line {
            InHand::Nothing => (0, &[]),
            InHand::Head(head) => (1, head),
            InHand::Rest => (2, &[]),
        };
        let length = FIXED + head.len() + PLACE * self.places.len();
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&[0; 8]);
        bytes.extend_from_slice(&narrow(length));
        for number in [self.number, self.begin, self.end] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for time in [self.moment, self.hand.next] {
            bytes.extend_from_slice(&time.as_secs().to_le_bytes());
            bytes.extend_from_slice(&time.subsec_nanos().to_le_bytes());
        }
        bytes.push(kind);
        bytes.extend_from_slice(&narrow(head.len()));
        bytes.extend_from_slice(&narrow(self.places.len()));
        bytes.extend_from_slice(head);
        for place in &self.places {
            let (how, file, offset) = match place.counted {
                Counted::From { file, offset } => (0, file, offset),
                Counted::AllBut { file } => (1, file, 0),
            };
            bytes.extend_from_slice(&place.log.to_le_bytes());
            bytes.push(how | u8::from(place.takes_line) << 1);
            for number in [file, offset, place.elsewhere] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
        }
        let sum = checksum(&bytes[16..]);
        bytes[8..16].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The record with which `bytes` begin. `None` if it is none, or is torn, or says what no record can say.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let length = length(bytes)?;
        let mut rest = Fields(bytes.get(8..length)?);
        if rest.number()? != checksum(rest.0) {
            return None;
        }
        rest.take::<4>()?;
        let [number, begin, end] = [rest.number()?, rest.number()?, rest.number()?];
        let (moment, next) = (rest.time()?, rest.time()?);
        let [kind] = rest.take()?;
        let (head, logs) = (rest.count()?, rest.count()?);
        let line = match (kind, head) {
            (0, 0) => InHand::Nothing,
            (1, ..=HEAD) => InHand::Head(rest.bytes(head)?.to_vec()),
            (2, 0) => InHand::Rest,
            _ => return None,
        };
        if begin > end || logs.checked_mul(PLACE) != Some(rest.0.len()) {
            return None;
        }
        let mut places = Vec::with_capacity(logs);
        for _ in 0..logs {
            places.push(rest.place()?);
        }
        Some(Self { number, begin, end, moment, hand: Hand { next, line }, places })
    }
}

/// How long the record is with which `bytes` begin.
pub(super) fn length(bytes: &[u8]) -> Option<usize> {
    let mut fields = Fields(bytes.strip_prefix(MAGIC)?);
    fields.take::<8>()?;
    fields.count().filter(|length| (FIXED..=MOST).contains(length))
}

/// What is left to be understood.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (field, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(field)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.take()?)).ok()
    }

    fn time(&mut self) -> Option<Duration> {
        let (seconds, nanoseconds) = (self.number()?, u32::from_le_bytes(self.take()?));
        (nanoseconds < 1_000_000_000).then(|| Duration::new(seconds, nanoseconds))
    }

    fn place(&mut self) -> Option<Place> {
        let (log, [flags]) = (self.number()?, self.take()?);
        let [file, offset, elsewhere] = [self.number()?, self.number()?, self.number()?];
        let counted = match (flags & 1, offset) {
            (0, _) => Counted::From { file, offset },
            (_, 0) => Counted::AllBut { file },
            _ => return None,
        };
        (flags <= 3).then_some(Place { log, counted, elsewhere, takes_line: flags & 2 != 0 })
    }
}

/// Heads are short, and logs few: see [`has_room`].
fn narrow(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place() -> impl Strategy<Value = Place> {
        let counted = prop_oneof![
            (any::<u64>(), any::<u64>()).prop_map(|(file, offset)| Counted::From { file, offset }),
            any::<u64>().prop_map(|file| Counted::AllBut { file }),
        ];
        let all = (any::<u64>(), counted, any::<u64>(), any::<bool>());
        all.prop_map(|(log, counted, elsewhere, takes_line)| Place {
            log,
            counted,
            elsewhere,
            takes_line,
        })
    }

    pub(crate) fn record() -> impl Strategy<Value = Record> {
        let time = || (any::<u64>(), 0_u32..1_000_000_000).prop_map(|(s, n)| Duration::new(s, n));
        let line = prop_oneof![
            Just(InHand::Nothing),
            Just(InHand::Rest),
            prop::collection::vec(any::<u8>(), 0..=HEAD).prop_map(InHand::Head),
        ];
        let batch = (any::<u64>(), any::<u64>(), any::<u64>());
        let all = (batch, time(), time(), line, prop::collection::vec(place(), 0..6));
        all.prop_map(|((number, one, other), moment, next, line, places)| Record {
            number,
            begin: one.min(other),
            end: one.max(other),
            moment,
            hand: Hand { next, line },
            places,
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(record in record(), after in prop::collection::vec(any::<u8>(), 0..20)) {
            let bytes = record.encode();
            prop_assert_eq!(length(&bytes), Some(bytes.len()));
            prop_assert_eq!(Record::decode(&[bytes, after].concat()), Some(record));
        }

        #[test]
        fn a_torn_one_is_none(new in record(), old in record(), at in any::<prop::sample::Index>()) {
            let (new, old) = (new.encode(), old.encode());
            let at = at.index(new.len());
            let mut torn = new[..at].to_vec();
            torn.extend_from_slice(old.get(at..).unwrap_or_default());
            let read = Record::decode(&torn);
            prop_assert!(read.is_none() || torn.starts_with(&new) || torn.starts_with(&old));
        }

        #[test]
        fn a_single_changed_bit_shows(record in record(), at in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let mut bytes = record.encode();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Record::decode(&bytes), None);
        }
    }

    #[test]
    fn the_largest_has_room() {
        let place =
            Place { log: 1, counted: Counted::AllBut { file: 2 }, elsewhere: 3, takes_line: true };
        let head = InHand::Head(vec![b'x'; HEAD]);
        let mut logs = 1;
        while has_room(logs + 1) {
            logs += 1;
        }
        let hand = Hand { next: Duration::ZERO, line: head };
        let record = Record { hand, places: vec![place; logs], ..Record::default() };
        assert!(logs > 1000 && (MOST - PLACE..=MOST).contains(&record.encode().len()));
        assert_eq!(Record::decode(&record.encode()), Some(record));
    }
}
