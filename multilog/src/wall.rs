//! What a clock on the wall shows, as text: a second at a time, with a memory for what stays the same.

use crate::tai64nlocal::zone::{Span, Zone};
use common::calendar::{DAY, Date};
use common::decimal;
use sys::Env;

/// `2147483647-12-31 23:59:60`.
const LONGEST: usize = 25;

/// `HH:MM:SS`, where every text ends.
const TIME: usize = 8;

/// How a clock shows date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `YYYY-MM-DD HH:MM:SS`, with as many digits for the year as it needs. From the first year that has no sign
    /// to the last that C's `struct tm` holds.
    Spaced,
    /// `YYYY-MM-DDTHH:MM:SS`: years that have four digits.
    Iso,
}

/// A clock on the wall.
pub(crate) struct WallClock {
    zone: Place,
    form: Form,
    /// Of the time that was asked for last.
    span: Option<Span>,
    /// The second since 1970 that is shown.
    shown: Option<i64>,
    /// The beginning of the minute that is shown, as seconds of local time.
    minute: Option<i64>,
    /// The day that is shown, counted from 1970-01-01.
    day: Option<i64>,
    text: [u8; LONGEST],
    length: usize,
}

/// Where the clock hangs.
enum Place {
    /// In the zone that the environment names. It is read when it is first asked for: who never does, needs none.
    Named(Env),
    Known(Zone),
}

impl WallClock {
    /// A clock that shows UTC.
    pub(crate) fn utc(form: Form) -> Self {
        Self::at(Place::Known(Zone::Utc), form)
    }

    /// A clock that shows the local time of this environment ([`Zone::of`]).
    pub(crate) fn local(env: Env, form: Form) -> Self {
        Self::at(Place::Named(env), form)
    }

    fn at(zone: Place, form: Form) -> Self {
        Self {
            zone,
            form,
            span: None,
            shown: None,
            minute: None,
            day: None,
            text: [0; LONGEST],
            length: 0,
        }
    }

    /// The text of this time in seconds since 1970; `None` if the year can't be written. The second after the one before costs two digits.
    #[inline]
    pub(crate) fn text(&mut self, unix: i64) -> Option<&[u8]> {
        if self.shown != Some(unix) {
            self.turn(unix)?;
        }
        Some(&self.text[..self.length])
    }

    /// The time around this one in which local time is as far from UTC.
    pub(crate) fn span(&mut self, unix: i64) -> Span {
        match self.span {
            Some(span) if span.has(unix) => span,
            _ => {
                let span = self.zone().span(unix);
                *self.span.insert(span)
            }
        }
    }

    /// The zone.
    pub(crate) fn zone(&mut self) -> &Zone {
        if let Place::Named(env) = self.zone {
            self.zone = Place::Known(Zone::of(env));
        }
        match &self.zone {
            Place::Known(zone) => zone,
            Place::Named(_) => &Zone::Utc,
        }
    }

    fn turn(&mut self, unix: i64) -> Option<()> {
        self.shown = None;
        let offset = self.span(unix).offset;
        let local = unix.checked_add(offset.seconds)?;
        if !self.minute.is_some_and(|minute| (0..60).contains(&local.wrapping_sub(minute))) {
            self.turn_minute(local)?;
        }
        let second = local.rem_euclid(60) + i64::from(offset.is_leap);
        self.put_pair(2, second);
        self.shown = Some(unix);
        Some(())
    }

    fn turn_minute(&mut self, local: i64) -> Option<()> {
        self.minute = None;
        let (day, time) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        if self.day != Some(day) {
            self.turn_day(day)?;
        }
        self.put_pair(8, time / 3600);
        self.put_pair(5, time / 60 % 60);
        self.minute = Some(local - time % 60);
        Some(())
    }

    fn turn_day(&mut self, day: i64) -> Option<()> {
        self.day = None;
        let date = Date::of(day);
        let (years, digits, separator) = match self.form {
            Form::Spaced => (0..=2_147_483_647, 1, b' '),
            Form::Iso => (0..=9999, 4, b'T'),
        };
        if !years.contains(&date.year) {
            return None;
        }
        let year = decimal(date.year.unsigned_abs());
        let year = year.padded(digits);
        self.length = year.len() + b"-MM-DD ".len() + TIME;
        self.text[..year.len()].copy_from_slice(year);
        self.text[year.len()..self.length].copy_from_slice(b"-MM-DD HH:MM:SS");
        self.put_pair(14, date.month);
        self.put_pair(11, date.day);
        self.text[self.length - TIME - 1] = separator;
        self.day = Some(day);
        Some(())
    }

    /// Writes the two digits of `number` that begin so far from the end.
    fn put_pair(&mut self, from_end: usize, number: i64) {
        let at = self.length - from_end;
        self.text[at..at + 2].copy_from_slice(decimal(number.unsigned_abs()).padded(2));
    }
}

/// The nine digits of a number below 1,000,000,000: nanoseconds, of which the first six are microseconds.
#[inline]
pub(crate) fn nine_digits(number: u32) -> [u8; 9] {
    let mut digits = [b'0'; 9];
    digits[0] += (number / 100_000_000) as u8;
    let mut rest = number % 100_000_000;
    for pair in digits[1..].rchunks_exact_mut(2) {
        pair[0] += (rest / 10 % 10) as u8;
        pair[1] += (rest % 10) as u8;
        rest /= 100;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn clock(zone: &std::ffi::CStr) -> WallClock {
        WallClock::local(Env::new(vec![zone.into()]), Form::Spaced)
    }

    fn text(clock: &mut WallClock, unix: i64) -> Option<String> {
        clock.text(unix).map(|text| String::from_utf8(text.to_vec()).expect("ASCII"))
    }

    #[test]
    fn what_is_kept_is_what_stays_the_same() {
        let mut clock = clock(c"TZ=EST5EDT,M4.1.0,M10.5.0");
        for (unix, expected) in [
            (935_467_445, "1999-08-24 00:04:05"),
            (935_467_446, "1999-08-24 00:04:06"),
            (935_467_445, "1999-08-24 00:04:05"),
            (935_467_499, "1999-08-24 00:04:59"),
            (935_467_500, "1999-08-24 00:05:00"),
            (935_467_199, "1999-08-23 23:59:59"),
            // Clocks are put back from 2 to 1.
            (941_349_599, "1999-10-31 01:59:59"),
            (941_349_600, "1999-10-31 01:00:00"),
            (941_349_599, "1999-10-31 01:59:59"),
            (0, "1969-12-31 19:00:00"),
            (253_402_300_800, "9999-12-31 19:00:00"),
            (253_402_318_800, "10000-01-01 00:00:00"),
            (-62_167_201_200, "0-01-01 00:00:00"),
        ] {
            assert_eq!(text(&mut clock, unix).as_deref(), Some(expected), "{unix}");
        }
        assert_eq!([text(&mut clock, i64::MIN), text(&mut clock, i64::MAX)], [None, None]);
        assert_eq!(text(&mut clock, 0).as_deref(), Some("1969-12-31 19:00:00"));
    }

    #[test]
    fn all_digits() {
        for number in [0, 1, 12, 999_999_999, 100_000_000, 123_456_789, 10_203_040] {
            assert_eq!(nine_digits(number), decimal(number.into()).padded(9));
        }
    }

    proptest! {
        #[test]
        fn a_used_clock_shows_what_a_new_one_shows(
            times in prop::collection::vec((-4_000_000_000_i64..4_000_000_000, -100_i64..100), 1..20),
            rules in prop_oneof![
                Just(c"TZ=CET-1CEST,M3.5.0,M10.5.0/3"), Just(c"TZ=XXX3EDT4,0/0,J365/23"), Just(c"TZ=A-5:45:30"),
            ],
        ) {
            let mut used = clock(rules);
            for (time, later) in times {
                for unix in [time, time + later, time + later / 50] {
                    prop_assert_eq!(text(&mut used, unix), text(&mut clock(rules), unix));
                }
            }
        }

        #[test]
        fn digits_of_any_number(number in 0_u32..1_000_000_000) {
            let slow = decimal(number.into());
            prop_assert_eq!(&nine_digits(number)[..], slow.padded(9));
        }
    }
}
