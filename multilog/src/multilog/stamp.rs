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

impl Form {
    /// Appends the stamp of `moment` (since 1970), and a blank.
    pub(crate) fn append(self, moment: Duration, line: &mut Vec<u8>) {
        match self {
            Self::Label => line.extend_from_slice(&Label::from_unix(moment).to_hex()),
            Self::Epoch => {
                line.extend_from_slice(decimal(moment.as_secs()).as_bytes());
                line.push(b'.');
                line.extend_from_slice(decimal(moment.subsec_micros().into()).padded(6));
            }
        }
        line.push(b' ');
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

    #[test]
    fn both_forms() {
        for (form, expected) in [
            (Form::Label, &b"@400000003b9aca0a0000162e "[..]),
            (Form::Epoch, b"1000000000.000005 "),
        ] {
            let mut line = Vec::new();
            form.append(Duration::new(1_000_000_000, 5678), &mut line);
            assert_eq!(line, expected);
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
