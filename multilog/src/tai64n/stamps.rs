//! The stamps of lines, composed once a read, and from one line to the next by their last digits.

use crate::multilog::stamp::Moments;
use common::tai64n::Label;
use core::time::Duration;

/// Hands out stamps, so that two lines of one read have different ones, in their order.
pub(crate) struct Stamps {
    moments: Moments,
    /// The moment after that of `text`, if it is of the same second.
    next: Option<Duration>,
    text: [u8; 26],
}

impl Stamps {
    pub(crate) fn new() -> Self {
        Self { moments: Moments::default(), next: None, text: [b' '; 26] }
    }

    /// The clock was read.
    pub(crate) fn now_is(&mut self, now: Duration) {
        self.moments.now_is(now);
    }

    /// The stamp of a line, a label and a blank: a nanosecond after that of the one before, at least.
    #[inline]
    pub(crate) fn take(&mut self) -> &[u8; 26] {
        let moment = self.moments.take();
        if self.next == Some(moment) {
            count_on(&mut self.text[17..25]);
        } else {
            self.text[..25].copy_from_slice(&Label::from_unix(moment).to_hex());
        }
        let next = moment.checked_add(Duration::from_nanos(1));
        self.next = next.filter(|next| next.subsec_nanos() != 0);
        &self.text
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

    proptest! {
        #[test]
        fn a_nanosecond_apart(
            seconds in 0_u64..1 << 40,
            nanoseconds in prop_oneof![0_u32..1_000_000_000, 999_999_900_u32..1_000_000_000],
        ) {
            let mut stamps = Stamps::new();
            for second in [seconds, seconds + 1, seconds / 2] {
                let mut moment = Duration::new(second, nanoseconds);
                stamps.now_is(moment);
                for _ in 0..300 {
                    prop_assert_eq!(stamps.take().to_vec(), label(moment));
                    moment += Duration::from_nanos(1);
                }
            }
        }
    }
}
