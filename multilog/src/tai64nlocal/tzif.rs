//! A compiled zone file: what changed when, as /usr/share/zoneinfo has it for each zone.
//!
//! Source: RFC 9636 (TZif, versions 1 to 4). Nothing in the file is trusted: counts and indices are checked against
//! what is there.

use super::rules::Rules;
use super::zone::{Offset, Span};
use alloc::vec::Vec;

/// What a zone file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TzFile {
    /// From when on which of the offsets counts; in order of time.
    transitions: Vec<(i64, usize)>,
    /// Seconds east of UTC; at least one.
    offsets: Vec<i64>,
    /// From when on so many leap seconds are counted; in order of time. Only files below `right/` have any.
    leaps: Vec<(i64, i64)>,
    /// What counts after the last transition.
    rules: Option<Rules>,
}

impl TzFile {
    /// Reads a whole file; `None` if it isn't one, or is damaged.
    pub(crate) fn parse(file: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(file);
        let header = Header::parse(&mut bytes)?;
        if header.version < b'2' {
            return header.body(&mut bytes, Width::Four);
        }
        // The same again, in 64 bits; the first block is for readers of long ago.
        bytes.take(header.size(Width::Four)?)?;
        let mut zone = Header::parse(&mut bytes)?.body(&mut bytes, Width::Eight)?;
        zone.rules = footer(bytes.0).and_then(Rules::parse);
        Some(zone)
    }

    /// The difference between UTC and local time at this time, and around it.
    pub(crate) fn span(&self, unix: i64) -> Span {
        let passed = self.transitions.partition_point(|(from, _)| *from <= unix);
        let mut first = passed.checked_sub(1).map_or(i64::MIN, |last| self.transitions[last].0);
        let mut last = self.transitions.get(passed).map_or(i64::MAX, |(next, _)| next - 1);
        let east = match (&self.rules, passed.checked_sub(1)) {
            (Some(rules), _) if passed == self.transitions.len() => {
                let (east, from, to) = rules.span(unix);
                (first, last) = (first.max(from), last.min(to));
                east
            }
            (_, Some(last)) => self.offsets[self.transitions[last].1],
            (_, None) => self.offsets[0],
        };
        let leaps = self.leaps.partition_point(|(from, _)| *from <= unix);
        let count = |passed: usize| passed.checked_sub(1).map_or(0, |last| self.leaps[last].1);
        last = self.leaps.get(leaps).map_or(last, |(next, _)| last.min(next - 1));
        // In the very second that was put in, the clock shows 60.
        let mut is_leap = false;
        if let Some((from, _)) = leaps.checked_sub(1).map(|last| self.leaps[last]) {
            let is_longer = count(leaps) > count(leaps - 1);
            is_leap = is_longer && from == unix;
            first = first.max(if is_longer && !is_leap { from + 1 } else { from });
            last = if is_leap { unix } else { last };
        }
        let offset = Offset { seconds: east.saturating_sub(count(leaps)), east, is_leap };
        Span { offset, first, last }
    }
}

/// How many bytes a time has.
#[derive(Clone, Copy)]
enum Width {
    Four = 4,
    Eight = 8,
}

struct Header {
    version: u8,
    is_ut: usize,
    is_standard: usize,
    leaps: usize,
    transitions: usize,
    types: usize,
    names: usize,
}

impl Header {
    fn parse(bytes: &mut Bytes<'_>) -> Option<Self> {
        if bytes.take(4)? != b"TZif" {
            return None;
        }
        let version = bytes.take(16)?[0];
        let mut count = || usize::try_from(bytes.number(Width::Four)?).ok();
        Some(Self {
            version,
            is_ut: count()?,
            is_standard: count()?,
            leaps: count()?,
            transitions: count()?,
            types: count()?,
            names: count()?,
        })
    }

    /// How many bytes follow.
    fn size(&self, width: Width) -> Option<usize> {
        [
            (self.transitions, width as usize + 1),
            (self.types, 6),
            (self.names, 1),
            (self.leaps, width as usize + 4),
            (self.is_standard, 1),
            (self.is_ut, 1),
        ]
        .into_iter()
        .try_fold(0_usize, |sum, (count, size)| sum.checked_add(count.checked_mul(size)?))
    }

    fn body(&self, bytes: &mut Bytes<'_>, width: Width) -> Option<TzFile> {
        let mut body = Bytes(bytes.take(self.size(width)?)?);
        let times: Vec<i64> =
            (0..self.transitions).map(|_| body.number(width)).collect::<Option<_>>()?;
        let types = body.take(self.transitions)?;
        let offsets: Vec<i64> = (0..self.types)
            .map(|_| {
                let offset = body.number(Width::Four)?;
                body.take(2).map(|_| offset)
            })
            .collect::<Option<_>>()?;
        body.take(self.names)?;
        let leaps = (0..self.leaps)
            .map(|_| Some((body.number(width)?, body.number(Width::Four)?)))
            .collect::<Option<_>>()?;
        if offsets.is_empty() || types.iter().any(|index| usize::from(*index) >= offsets.len()) {
            return None;
        }
        // They are looked up as if they were, so that is what they have to be.
        let leaps: Vec<(i64, i64)> = leaps;
        if !times.is_sorted() || !leaps.is_sorted_by_key(|(from, _)| *from) {
            return None;
        }
        let transitions = times.into_iter().zip(types.iter().map(|index| usize::from(*index)));
        Some(TzFile { transitions: transitions.collect(), offsets, leaps, rules: None })
    }
}

/// The text between two newlines at the end.
fn footer(rest: &[u8]) -> Option<&[u8]> {
    let text = rest.strip_prefix(b"\n")?;
    text.iter().position(|byte| *byte == b'\n').map(|end| &text[..end])
}

/// What is still to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A big-endian number with a sign.
    fn number(&mut self, width: Width) -> Option<i64> {
        match width {
            Width::Four => self.array().map(|bytes| i64::from(i32::from_be_bytes(bytes))),
            Width::Eight => self.array().map(i64::from_be_bytes),
        }
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file with these transitions, offsets, leap seconds and footer, in 64 bits.
    fn file(
        transitions: &[(i64, u8)],
        offsets: &[i32],
        leaps: &[(i64, i32)],
        footer: &str,
    ) -> Vec<u8> {
        let header = |counts: [usize; 6]| {
            let mut header = b"TZif2".to_vec();
            header.resize(20, 0);
            for count in counts {
                header.extend(u32::try_from(count).expect("small").to_be_bytes());
            }
            header
        };
        let mut file = header([0; 6]);
        file.extend(header([0, 0, leaps.len(), transitions.len(), offsets.len(), 4]));
        transitions.iter().for_each(|(from, _)| file.extend(from.to_be_bytes()));
        file.extend(transitions.iter().map(|(_, index)| *index));
        offsets
            .iter()
            .for_each(|offset| file.extend([&offset.to_be_bytes()[..], &[0, 0]].concat()));
        file.extend(b"LMT\0");
        leaps.iter().for_each(|(from, count)| {
            file.extend([&from.to_be_bytes()[..], &count.to_be_bytes()].concat());
        });
        file.extend(format!("\n{footer}\n").bytes());
        file
    }

    fn seconds(zone: &TzFile, times: &[i64]) -> Vec<i64> {
        times.iter().map(|time| zone.span(*time).offset.seconds).collect()
    }

    #[test]
    fn before_between_and_after_the_transitions() {
        let transitions = [(-100, 1), (100, 0)];
        let bare = TzFile::parse(&file(&transitions, &[10, 20], &[], "")).expect("a zone");
        assert_eq!(
            seconds(&bare, &[i64::MIN, -101, -100, 99, 100, i64::MAX]),
            [10, 10, 20, 20, 10, 10]
        );
        let ruled = TzFile::parse(&file(&transitions, &[10, 20], &[], "ABC-1")).expect("a zone");
        assert_eq!(seconds(&ruled, &[-101, 99, 100, i64::MAX]), [10, 20, 3600, 3600]);
        let only_rules = TzFile::parse(&file(&[], &[10], &[], "ABC-1")).expect("a zone");
        assert_eq!(seconds(&only_rules, &[i64::MIN, 0]), [3600, 3600]);
    }

    #[test]
    fn leap_seconds_are_taken_off_and_shown() {
        let zone =
            TzFile::parse(&file(&[], &[0], &[(100, 1), (200, 2), (300, 1)], "")).expect("a zone");
        let told: Vec<_> = [99, 100, 101, 200, 201, 300]
            .map(|time| zone.span(time).offset)
            .map(|Offset { seconds, is_leap, .. }| (seconds, is_leap))
            .to_vec();
        let expected = [(0, false), (-1, true), (-1, false), (-2, true), (-2, false), (-1, false)];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_damaged_file_is_none() {
        let whole = file(&[(0, 1)], &[10, 20], &[(5, 1)], "ABC-1");
        assert!(TzFile::parse(&whole).is_some());
        let footer = whole.len() - "\nABC-1\n".len();
        for length in 0..footer {
            assert_eq!(TzFile::parse(&whole[..length]), None, "cut to {length}");
        }
        assert_eq!(TzFile::parse(&file(&[(0, 2)], &[10, 20], &[], "")), None, "no such type");
        assert_eq!(TzFile::parse(&file(&[], &[], &[], "")), None, "no type at all");
        let mut huge = whole;
        huge[44 + 20..44 + 44].fill(0xFF);
        assert_eq!(TzFile::parse(&huge), None, "counts beyond the file");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            place in 0_usize..200,
            byte: u8,
            times in prop::collection::vec(any::<i64>(), 3),
            asked: i64,
        ) {
            let transitions = [(times[0], 1), (times[1], 0), (times[2], 1)];
            let mut damaged = file(&transitions, &[10, i32::MIN], &[(5, i32::MIN)], "ABC-1DEF,J1,J2");
            let place = place % damaged.len();
            damaged[place] = byte;
            if let Some(zone) = TzFile::parse(&damaged) {
                let Span { first, last, .. } = zone.span(asked);
                prop_assert!(first <= asked && asked <= last);
            }
        }
    }
}
