//! The state that a program hands to its successor: fields with a tag and a length, so that another
//! version can read it.
//!
//! A field is a tag (2 bytes), a length (4 bytes, both little-endian) and so many bytes: a number, a
//! text, or fields again, in which case it is a *record*. A tag may stand more than once, for a list.
//!
//! # Changing what is handed over
//! - A new field gets a new tag, and the reader a default for states that have none. An older
//!   program passes over tags that it doesn't know.
//! - A tag that is no longer used is never used again, and no tag ever changes its meaning.
//! - A change that an older program must not pass over in silence raises the version that the
//!   program gives to [`super::begin`]: an older one then refuses the state, and the newer one goes
//!   on running. The newer one still reads all the states of before.

use alloc::vec::Vec;
use core::time::Duration;
use sys::fd::AsRawFd;
use sys::{BorrowedFd, OwnedFd};

/// What a field is, within its record. Each program lists its own.
pub type Tag = u16;

/// Collects what is to be handed over.
#[derive(Default)]
pub struct Writer<'fd> {
    bytes: Vec<u8>,
    descriptors: Vec<BorrowedFd<'fd>>,
}

/// Reads one record of what was handed over. Fields may be asked for in any order.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    bytes: &'a [u8],
}

/// The bytes are no record: a length leads out of them, or a number is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl<'fd> Writer<'fd> {
    /// Adds a text: any bytes. (More than 4 GiB are cut off.)
    pub fn bytes(&mut self, tag: Tag, value: &[u8]) {
        let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&tag.to_le_bytes());
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(&value[..length as usize]);
    }

    /// Adds a number.
    pub fn number(&mut self, tag: Tag, value: u64) {
        let bytes = value.to_le_bytes();
        let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        self.bytes(tag, &bytes[..length]);
    }

    /// Adds a moment on the monotonic clock, or a span of time.
    pub fn time(&mut self, tag: Tag, value: Duration) {
        self.number(tag, u64::try_from(value.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds a descriptor, which the successor gets under the number that it has here.
    pub fn descriptor(&mut self, tag: Tag, fd: BorrowedFd<'fd>) {
        self.number(tag, u64::from(fd.as_raw_fd().unsigned_abs()));
        self.descriptors.push(fd);
    }

    /// Adds a record.
    pub fn record(&mut self, tag: Tag, fill: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.bytes(tag, b"");
        let inner = self.bytes.len();
        fill(self);
        let length = u32::try_from(self.bytes.len() - inner).unwrap_or(u32::MAX);
        self.bytes[start + size_of::<Tag>()..inner].copy_from_slice(&length.to_le_bytes());
    }

    /// All that was added.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The descriptors that were added.
    #[must_use]
    pub fn descriptors(&self) -> &[BorrowedFd<'fd>] {
        &self.descriptors
    }
}

impl<'a> Reader<'a> {
    /// The record that these bytes are. Whether the records in it are whole, is seen when they are
    /// asked for.
    ///
    /// # Errors
    /// A field's length leads out of the bytes.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        while !rest.is_empty() {
            (_, _, rest) = split(rest).ok_or(Malformed)?;
        }
        Ok(Self { bytes })
    }

    /// The first text of this tag; `None` if there is none.
    #[must_use]
    pub fn bytes(&self, tag: Tag) -> Option<&'a [u8]> {
        self.all(tag).next()
    }

    /// All texts of this tag, in their order.
    pub fn all(&self, tag: Tag) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.bytes;
        core::iter::from_fn(move || {
            let (found, value, after) = split(rest)?;
            rest = after;
            Some((found, value))
        })
        .filter_map(move |(found, value)| (found == tag).then_some(value))
    }

    /// The first number of this tag; `None` if there is none.
    ///
    /// # Errors
    /// It has more than 64 bits.
    pub fn number(&self, tag: Tag) -> Result<Option<u64>, Malformed> {
        self.bytes(tag).map(number).transpose()
    }

    /// The first moment or span of this tag; `None` if there is none.
    ///
    /// # Errors
    /// It has more than 64 bits.
    pub fn time(&self, tag: Tag) -> Result<Option<Duration>, Malformed> {
        Ok(self.number(tag)?.map(Duration::from_nanos))
    }

    /// Takes possession of the first descriptor of this tag; `None` if there is none.
    ///
    /// # Errors
    /// It is no descriptor that was handed over, or was taken possession of before.
    pub fn descriptor(&self, tag: Tag) -> Result<Option<OwnedFd>, Malformed> {
        let Some(number) = self.number(tag)? else { return Ok(None) };
        let number = i32::try_from(number).map_err(|_| Malformed)?;
        sys::adopt(number).map(Some).ok_or(Malformed)
    }

    /// All records of this tag, in their order.
    pub fn records(
        &self,
        tag: Tag,
    ) -> impl Iterator<Item = Result<Reader<'a>, Malformed>> + use<'a> {
        self.all(tag).map(Reader::new)
    }
}

/// A field, and what follows it.
fn split(bytes: &[u8]) -> Option<(Tag, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (value, rest) = rest.split_at_checked(length)?;
    Some((Tag::from_le_bytes(*tag), value, rest))
}

fn number(bytes: &[u8]) -> Result<u64, Malformed> {
    let mut whole = [0; 8];
    whole.get_mut(..bytes.len()).ok_or(Malformed)?.copy_from_slice(bytes);
    Ok(u64::from_le_bytes(whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_written_is_read() {
        let (reader, _writer) =
            sys::pipe::pipe_with(sys::pipe::PipeFlags::empty()).expect("a pipe");
        let mut state = Writer::default();
        state.bytes(1, b"name");
        state.number(2, 0);
        state.number(3, u64::MAX);
        state.time(4, Duration::new(7, 8));
        use sys::AsFd;
        state.descriptor(5, reader.as_fd());
        for number in [10, 300] {
            state.record(6, |record| {
                record.number(1, number);
                record.record(2, |inner| inner.bytes(1, b""));
            });
        }
        let read = Reader::new(state.as_bytes()).expect("whole");
        assert_eq!(read.bytes(1), Some(&b"name"[..]));
        assert_eq!(read.number(2), Ok(Some(0)));
        assert_eq!(read.number(3), Ok(Some(u64::MAX)));
        assert_eq!(read.time(4), Ok(Some(Duration::new(7, 8))));
        assert_eq!(read.number(5), Ok(Some(u64::from(reader.as_raw_fd().unsigned_abs()))));
        let numbers: Vec<_> =
            read.records(6).map(|record| record.expect("whole").number(1)).collect();
        assert_eq!(numbers, [Ok(Some(10)), Ok(Some(300))]);
        let record = read.records(6).next().expect("one").expect("whole");
        let inner = record.records(2).next().expect("one").expect("whole");
        assert_eq!((inner.bytes(1), inner.bytes(2)), (Some(&b""[..]), None));
        assert_eq!((read.bytes(7), read.number(7), read.time(7)), (None, Ok(None), Ok(None)));
        assert_eq!(state.descriptors().len(), 1);
    }

    #[test]
    fn what_is_too_long_is_no_number_and_no_descriptor() {
        let mut state = Writer::default();
        state.bytes(1, &[1; 9]);
        state.number(2, 1_000_000);
        state.number(3, u64::MAX);
        let read = Reader::new(state.as_bytes()).expect("whole");
        assert_eq!(read.number(1), Err(Malformed));
        assert!(read.descriptor(2).is_err() && read.descriptor(3).is_err());
        assert!(read.descriptor(4).is_ok_and(|none| none.is_none()));
    }

    /// A field that one version adds is passed over by another, wherever it stands.
    #[test]
    fn unknown_fields_are_passed_over() {
        let mut state = Writer::default();
        state.bytes(99, b"new");
        state.number(1, 5);
        state.record(98, |record| record.number(1, 6));
        let read = Reader::new(state.as_bytes()).expect("whole");
        assert_eq!(read.number(1), Ok(Some(5)));
    }

    /// Reads all that there may be, as deep as it goes.
    fn read_all(reader: Reader<'_>) {
        for tag in 0..4 {
            let _ = (reader.number(tag), reader.time(tag), reader.bytes(tag));
            reader.records(tag).flatten().for_each(read_all);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_upset_the_reader(
            fields in proptest::collection::vec((0u16..4, 0u32..12, proptest::collection::vec(0u8..4, 0..12)), 0..8),
            rest in proptest::collection::vec(any::<u8>(), 0..8),
        ) {
            let mut bytes = Vec::new();
            for (tag, length, value) in fields {
                bytes.extend_from_slice(&tag.to_le_bytes());
                bytes.extend_from_slice(&length.to_le_bytes());
                bytes.extend_from_slice(&value);
            }
            bytes.extend_from_slice(&rest);
            let _ = Reader::new(&bytes).map(read_all);
            let _ = Reader::new(&rest).map(read_all);
        }

        #[test]
        fn a_cut_state_is_refused_or_misses_only_its_end(cut in 0usize..64) {
            let mut state = Writer::default();
            state.bytes(1, b"0123456789");
            state.number(2, 0x0102_0304);
            state.record(3, |record| record.bytes(1, b"abc"));
            let whole = state.as_bytes();
            let cut = cut.min(whole.len());
            if let Ok(reader) = Reader::new(&whole[..cut]) {
                prop_assert!(cut == 0 || reader.bytes(1) == Some(&b"0123456789"[..]));
            }
        }
    }
}
