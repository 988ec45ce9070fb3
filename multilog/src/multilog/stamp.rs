//! What `t` and `T` put in front of a line.

use alloc::vec::Vec;
use common::decimal;
use common::tai64n::Label;
use core::time::Duration;

/// A form of stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `t`: `@` and 24 hexadecimal digits.
    Label,
    /// `T`: seconds since 1970, a dot, microseconds.
    Epoch,
}

/// Stamps of one form. Those of one second differ in their last digits only, and are made of each other.
pub(crate) struct Stamps {
    form: Form,
    /// The last one, and a blank.
    text: Vec<u8>,
    /// Its second.
    second: Option<u64>,
}

impl Stamps {
    pub(crate) fn new(form: Form) -> Self {
        Self { form, text: Vec::new(), second: None }
    }

    /// The stamp of `moment` (since 1970), and a blank.
    pub(crate) fn of(&mut self, moment: Duration) -> &[u8] {
        if self.second != Some(moment.as_secs()) {
            self.begin(moment.as_secs());
        }
        let Some(digits) = self.text.len().checked_sub(1 + self.form.digits()) else { return &[] };
        let digits = self.text[digits..].split_last_mut().map_or(&mut [][..], |(_, digits)| digits);
        match self.form {
            Form::Label => hexadecimal(moment.subsec_nanos(), digits),
            Form::Epoch => {
                digits.copy_from_slice(decimal(moment.subsec_micros().into()).padded(6));
            }
        }
        &self.text
    }

    /// All but the digits of the fraction.
    fn begin(&mut self, second: u64) {
        self.text.clear();
        let whole = Duration::from_secs(second);
        match self.form {
            Form::Label => self.text.extend_from_slice(&Label::from_unix(whole).to_hex()),
            Form::Epoch => {
                self.text.extend_from_slice(decimal(second).as_bytes());
                self.text.extend_from_slice(b".000000");
            }
        }
        self.text.push(b' ');
        self.second = Some(second);
    }
}

impl Form {
    /// How many digits at the end are the fraction's.
    fn digits(self) -> usize {
        match self {
            Self::Label => 8,
            Self::Epoch => 6,
        }
    }
}

fn hexadecimal(number: u32, digits: &mut [u8]) {
    let mut rest = number;
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(rest & 15) as usize];
        rest >>= 4;
    }
}

/// Hands out moments, so that two lines of one read have different ones, in their order.
#[derive(Default)]
pub(crate) struct Moments {
    next: Duration,
}

/// So far the moments may run ahead of the clock. More than that, and the clock was set back.
const AHEAD: Duration = Duration::from_millis(1);

impl Moments {
    /// As they were when [`Self::next`] gave this.
    pub(crate) fn from(next: Duration) -> Self {
        Self { next }
    }

    /// The first moment that was not handed out.
    pub(crate) fn next(&self) -> Duration {
        self.next
    }

    /// The clock was read.
    pub(crate) fn now_is(&mut self, now: Duration) {
        if now >= self.next || self.next - now > AHEAD {
            self.next = now;
        }
    }

    /// The moment of a line: a nanosecond after that of the one before, at least.
    pub(crate) fn take(&mut self) -> Duration {
        let moment = self.next;
        self.next = moment.saturating_add(Duration::from_nanos(1));
        moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_forms() {
        for (form, expected) in [
            (Form::Label, &b"@400000003b9aca0a0000162e "[..]),
            (Form::Epoch, b"1000000000.000005 "),
        ] {
            let mut stamps = Stamps::new(form);
            assert_eq!(stamps.of(Duration::new(1_000_000_000, 5678)), expected);
        }
    }

    proptest! {
        #[test]
        fn what_came_before_makes_no_difference(moments in prop::collection::vec((0_u64..3, 0_u32..1_000_000_000), 1..9)) {
            for form in [Form::Label, Form::Epoch] {
                let mut stamps = Stamps::new(form);
                for (second, nanoseconds) in &moments {
                    let moment = Duration::new((*second << 33) + 9, *nanoseconds);
                    let mut new = Stamps::new(form);
                    prop_assert_eq!(stamps.of(moment), new.of(moment));
                    if form == Form::Label {
                        prop_assert_eq!(&stamps.of(moment)[..25], Label::from_unix(moment).to_hex());
                    }
                }
            }
        }
    }

    #[test]
    fn moments_follow_the_clock_and_never_repeat_within_a_read() {
        let mut moments = Moments::default();
        let at = Duration::from_nanos;
        moments.now_is(at(5_000_000));
        assert_eq!([moments.take(), moments.take()], [at(5_000_000), at(5_000_001)]);
        moments.now_is(at(5_000_001));
        assert_eq!(moments.take(), at(5_000_002), "the clock is slower than we are");
        moments.now_is(at(6_000_000));
        assert_eq!(moments.take(), at(6_000_000));
        moments.now_is(at(3_000_000));
        assert_eq!(moments.take(), at(3_000_000), "it was set back");
    }
}
