//! What `t`, `T`, `i` and `I` put in front of a line.

use crate::iso::Iso;
use alloc::boxed::Box;
use alloc::vec::Vec;
use common::decimal;
use common::tai64n::Label;
use core::time::Duration;
use sys::Env;

/// A form of stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `t`: `@` and 24 hexadecimal digits.
    Label,
    /// `T`: seconds since 1970, a dot, microseconds.
    Epoch,
    /// `i`: ISO 8601 with microseconds, UTC.
    Utc,
    /// `I`: the same in local time, with its difference to UTC.
    Local,
}

/// Stamps of one form. Those of one second differ in their last digits only, and are made of each other.
pub(crate) struct Stamps {
    clock: Clock,
    /// The last one, and a blank.
    text: Vec<u8>,
}

enum Clock {
    /// And the second that the text is of.
    Label(Option<u64>),
    Epoch(Option<u64>),
    Iso(Box<Iso>),
}

impl Stamps {
    /// Local time is that of this environment.
    pub(crate) fn new(form: Form, env: Env) -> Self {
        let clock = match form {
            Form::Label => Clock::Label(None),
            Form::Epoch => Clock::Epoch(None),
            Form::Utc => Clock::Iso(Box::new(Iso::utc())),
            Form::Local => Clock::Iso(Box::new(Iso::local(env))),
        };
        Self { clock, text: Vec::new() }
    }

    /// The stamp of `moment` (since 1970), and a blank.
    pub(crate) fn of(&mut self, moment: Duration) -> &[u8] {
        let now = moment.as_secs();
        match &mut self.clock {
            Clock::Label(second) => {
                if second.replace(now) != Some(now) {
                    self.text.clear();
                    let whole = Label::from_unix(Duration::from_secs(now));
                    self.text.extend_from_slice(&whole.to_hex());
                    self.text.push(b' ');
                }
                if let Some(digits) = self.text.get_mut(17..25) {
                    hexadecimal(moment.subsec_nanos(), digits);
                }
            }
            Clock::Epoch(second) => {
                if second.replace(now) != Some(now) {
                    self.text.clear();
                    self.text.extend_from_slice(decimal(now).as_bytes());
                    self.text.extend_from_slice(b".000000 ");
                }
                if let Some((_, [digits @ .., _])) = self.text.split_last_chunk_mut::<7>() {
                    digits.copy_from_slice(decimal(moment.subsec_micros().into()).padded(6));
                }
            }
            Clock::Iso(iso) => {
                self.text.clear();
                iso.append(moment, &mut self.text);
                self.text.push(b' ');
            }
        }
        &self.text
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

    fn stamps(form: Form) -> Stamps {
        Stamps::new(form, Env::new(vec![c"TZ=CET-1CEST,M3.5.0,M10.5.0/3".into()]))
    }

    #[test]
    fn all_forms() {
        for (form, expected) in [
            (Form::Label, &b"@400000003b9aca0a0000162e "[..]),
            (Form::Epoch, b"1000000000.000005 "),
            (Form::Utc, b"2001-09-09T01:46:40.000005Z "),
            (Form::Local, b"2001-09-09T03:46:40.000005+02:00 "),
        ] {
            let mut stamps = stamps(form);
            assert_eq!(stamps.of(Duration::new(1_000_000_000, 5678)), expected);
        }
    }

    proptest! {
        #[test]
        fn what_came_before_makes_no_difference(moments in prop::collection::vec((0_u64..3, 0_u32..1_000_000_000), 1..9)) {
            for form in [Form::Label, Form::Epoch, Form::Utc, Form::Local] {
                let mut used = stamps(form);
                for (second, nanoseconds) in &moments {
                    let moment = Duration::new((*second << 33) + 9, *nanoseconds);
                    let mut new = stamps(form);
                    prop_assert_eq!(used.of(moment), new.of(moment));
                    if form == Form::Label {
                        prop_assert_eq!(&used.of(moment)[..25], Label::from_unix(moment).to_hex());
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
