//! The stamps of lines, composed once a read, and from one line to the next by their last digits.

use common::tai64n::Label;
use core::time::Duration;

/// So far the stamps may run ahead of the clock. More than that, and the clock was set back.
const AHEAD: Duration = Duration::from_millis(1);

/// Hands out stamps, so that two lines of one read have different ones, in their order.
pub(crate) struct Stamps {
    /// The moment of the next line, since 1970.
    next: Duration,
    /// Its stamp.
    text: [u8; 26],
}

impl Stamps {
    pub(crate) fn new() -> Self {
        let mut stamps = Self { next: Duration::ZERO, text: [b' '; 26] };
        stamps.compose();
        stamps
    }

    /// The clock was read.
    pub(crate) fn now_is(&mut self, now: Duration) {
        if now >= self.next || self.next - now > AHEAD {
            self.next = now;
            self.compose();
        }
    }

    /// The stamp of a line, a label and a blank: a nanosecond after that of the one before, at least.
    #[inline]
    pub(crate) fn take(&mut self) -> [u8; 26] {
        let stamp = self.text;
        self.next = self.next.saturating_add(Duration::from_nanos(1));
        if self.next.subsec_nanos() == 0 {
            self.compose();
        } else {
            count_on(&mut self.text[17..25]);
        }
        stamp
    }

    fn compose(&mut self) {
        self.text[..25].copy_from_slice(&Label::from_unix(self.next).to_hex());
    }
}

/// Adds one to a number of hexadecimal digits.
#[inline]
fn count_on(digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = match *digit {
            b'f' => b'0',
            b'9' => b'a',
            digit => digit + 1,
        };
        if *digit != b'0' {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn label(moment: Duration) -> Vec<u8> {
        [&Label::from_unix(moment).to_hex()[..], b" "].concat()
    }

    #[test]
    fn they_follow_the_clock_and_never_repeat_within_a_read() {
        let mut stamps = Stamps::new();
        let at = Duration::from_nanos;
        for (now, told) in [
            (5_000_000, [5_000_000, 5_000_001]),
            (5_000_001, [5_000_002, 5_000_003]), // the clock is slower than we are
            (6_000_000, [6_000_000, 6_000_001]),
            (3_000_000, [3_000_000, 3_000_001]), // it was set back
        ] {
            stamps.now_is(at(now));
            assert_eq!([stamps.take(), stamps.take()].map(Vec::from), told.map(at).map(label));
        }
    }

    proptest! {
        #[test]
        fn a_nanosecond_apart(
            seconds in 0_u64..1 << 40,
            nanoseconds in prop_oneof![0_u32..1_000_000_000, 999_999_900_u32..1_000_000_000],
        ) {
            let mut stamps = Stamps::new();
            let mut moment = Duration::new(seconds, nanoseconds);
            stamps.now_is(moment);
            for _ in 0..300 {
                prop_assert_eq!(stamps.take().to_vec(), label(moment));
                moment += Duration::from_nanos(1);
            }
        }
    }
}
