//! TAI64N labels: a moment as 12 bytes (big-endian seconds since 2^62 before 1970 TAI, then
//! nanoseconds), and as `@` with 24 hexadecimal digits at the start of a log line.
//!
//! Source: <https://cr.yp.to/libtai/tai64.html>. As with the originals, TAI is taken to be 10 s ahead
//! of the host's clock, whatever leap seconds came since.

use core::time::Duration;
use tai64::{Tai64, Tai64N};

/// The label's seconds at 1970-01-01 00:00:00 UTC. Not the crate's `UNIX_EPOCH`, which counts the
/// 27 leap seconds since then: labels by it would be off from all that the originals ever wrote.
const UNIX_EPOCH: u64 = (1 << 62) + 10;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label(Tai64N);

impl Label {
    /// How many bytes a label has.
    pub const SIZE: usize = 12;

    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self::from_unix(sys::clock::realtime())
    }

    /// The moment this long after 1970-01-01 00:00:00 UTC.
    #[must_use]
    pub fn from_unix(since_1970: Duration) -> Self {
        let seconds = UNIX_EPOCH.wrapping_add(since_1970.as_secs());
        Self(Tai64N(Tai64(seconds), since_1970.subsec_nanos()))
    }

    /// The moment so many whole seconds after 1970-01-01 00:00:00 UTC (negative: before), and nanoseconds.
    #[must_use]
    pub fn at(unix_seconds: i64, nanoseconds: u32) -> Self {
        Self(Tai64N(Tai64(UNIX_EPOCH.wrapping_add_signed(unix_seconds)), nanoseconds))
    }

    /// The moment that these bytes label; any 12 bytes do, as for the originals.
    #[must_use]
    pub fn from_bytes(bytes: [u8; Self::SIZE]) -> Self {
        let [a, b, c, d, e, f, g, h, nanoseconds @ ..] = bytes;
        let seconds = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        Self(Tai64N(Tai64(seconds), u32::from_be_bytes(nanoseconds)))
    }

    /// The label.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        self.0.to_bytes()
    }

    /// Whole seconds since 1970-01-01 00:00:00 UTC; negative before.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        unix_seconds(self.0.0.0)
    }

    /// How many whole seconds after `earlier` this is; 0 if it isn't after it. For any labels.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> u64 {
        self.0.0.0.saturating_sub(earlier.0.0.0)
    }

    /// The nanoseconds of the second. At most 999,999,999 in a label made from a clock.
    #[must_use]
    pub fn nanoseconds(self) -> u32 {
        self.0.1
    }

    /// `@` and 24 hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> [u8; 25] {
        let mut text = [b'@'; 25];
        for (pair, byte) in text[1..].chunks_exact_mut(2).zip(self.to_bytes()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        text
    }

    /// The moment that `@` and 24 lower-case hexadecimal digits label.
    #[must_use]
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        let digits = text.strip_prefix(b"@").filter(|digits| digits.len() == 24)?;
        let mut bytes = [0; Self::SIZE];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Some(Self::from_bytes(bytes))
    }
}

/// Seconds since 1970-01-01 00:00:00 UTC, negative before, of a label that has these seconds.
#[must_use]
pub fn unix_seconds(seconds: u64) -> i64 {
    seconds.wrapping_sub(UNIX_EPOCH).cast_signed()
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn value(digit: u8) -> Option<u8> {
    DIGITS.iter().position(|known| *known == digit).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_epoch_is_ten_seconds_into_tai() {
        let label = Label::from_unix(Duration::new(0, 5));
        assert_eq!(&label.to_hex(), b"@400000000000000a00000005");
        assert_eq!(label.unix_seconds(), 0);
    }

    #[test]
    fn what_is_not_a_label_is_refused() {
        for text in [&b"400000000000000a00000005"[..], b"@400000000000000A00000005", b"@4", b""] {
            assert_eq!(Label::from_hex(text), None);
        }
    }

    proptest! {
        #[test]
        fn bytes_and_digits_read_back(bytes: [u8; 12]) {
            let label = Label::from_bytes(bytes);
            prop_assert_eq!(label.to_bytes(), bytes);
            prop_assert_eq!(Label::from_hex(&label.to_hex()), Some(label));
        }

        #[test]
        fn any_second_reads_back(seconds: i64, nanoseconds: u32) {
            let label = Label::at(seconds, nanoseconds);
            prop_assert_eq!((label.unix_seconds(), label.nanoseconds()), (seconds, nanoseconds));
        }

        #[test]
        fn the_clock_reads_back(seconds in 0_u64..1 << 40, nanoseconds in 0_u32..1_000_000_000) {
            let label = Label::from_unix(Duration::new(seconds, nanoseconds));
            prop_assert_eq!(label.unix_seconds(), seconds.cast_signed());
            prop_assert_eq!(label.nanoseconds(), nanoseconds);
        }
    }
}
