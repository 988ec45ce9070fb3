//! Dates and times as the clock shows them, and which moment that is.

use crate::tai64nlocal::zone::Zone;
use common::calendar::{DAY, days_to_month, days_to_year, is_leap};
use common::tai64n::Label;
use core::time::Duration;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    /// Seconds from 1970-01-01 00:00:00 to it, both by the same clock.
    pub(crate) shown: i64,
    pub(crate) nanoseconds: u32,
    /// How far that clock is ahead of UTC, in seconds, if that was written, too.
    pub(crate) offset: Option<i64>,
}

/// Which moment is meant where clocks that are put back show a time twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twice {
    First,
    Second,
}

impl Civil {
    /// The moment. Before 1970, that is 1970.
    pub(crate) fn label(self, zone: &Zone, twice: Twice) -> Label {
        let unix = match self.offset {
            Some(offset) => self.shown - offset,
            None => unix(zone, self.shown, twice),
        };
        moment(unix, self.nanoseconds)
    }
}

/// The label of a time since 1970.
pub(crate) fn moment(unix: i64, nanoseconds: u32) -> Label {
    match u64::try_from(unix) {
        Ok(seconds) => Label::from_unix(Duration::new(seconds, nanoseconds)),
        Err(_) => Label::from_unix(Duration::ZERO),
    }
}

/// The time in UTC at which local clocks show `shown`. What none of them shows, as they were put
/// forward, is told from the time before that.
pub(crate) fn unix(zone: &Zone, shown: i64, twice: Twice) -> i64 {
    let offsets = [shown - DAY, shown + DAY].map(|near| zone.span(near).offset.seconds);
    let is_so = |offset: &i64| zone.span(shown - offset).offset.seconds == *offset;
    let moments = offsets.into_iter().filter(is_so).map(|offset| shown - offset);
    let found = match twice {
        Twice::First => moments.min(),
        Twice::Second => moments.max(),
    };
    found.unwrap_or(shown - offsets[0])
}

/// A text that is read from the left.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl Reader<'_> {
    /// `YYYY-MM-DD`: days since 1970.
    pub(crate) fn date(&mut self) -> Option<i64> {
        let year = self.digits(4)?;
        let month = self.after(b'-')?.digits(2).filter(|month| (1..=12).contains(month))?;
        let day = self.after(b'-')?.digits(2)?;
        let first = days_to_month(year, month);
        let next = if month == 12 {
            365 + i64::from(is_leap(year))
        } else {
            days_to_month(year, month + 1)
        };
        (1..=next - first).contains(&day).then(|| days_to_year(year) + first + day - 1)
    }

    /// `HH:MM[:SS[.fraction]]`: seconds of the day, and nanoseconds.
    pub(crate) fn clock(&mut self) -> Option<(i64, u32)> {
        let hour = self.digits(2).filter(|hour| *hour <= 23)?;
        let minute = self.after(b':')?.digits(2).filter(|minute| *minute <= 59)?;
        let mut second = 0;
        let mut nanoseconds = 0;
        if self.take(b':') {
            // A leap second is the first one of the next minute, as far as the host's clock knows.
            second = self.digits(2).filter(|second| *second <= 60)?;
            if self.take(b'.') {
                nanoseconds = self.fraction()?;
            }
        }
        Some((hour * 3600 + minute * 60 + second, nanoseconds))
    }

    /// One to nine digits after a point, as nanoseconds.
    pub(crate) fn fraction(&mut self) -> Option<u32> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(length);
        if !(1..=9).contains(&length) {
            return None;
        }
        self.0 = rest;
        let zeros = core::iter::repeat_n(&b'0', 9 - length);
        Some(
            digits
                .iter()
                .chain(zeros)
                .fold(0, |number, digit| number * 10 + u32::from(digit - b'0')),
        )
    }

    /// `Z`, `+01:00`, `+0100` or `+01`: seconds. Nothing is taken if it is none of them.
    pub(crate) fn offset(&mut self) -> Option<i64> {
        if self.take(b'Z') {
            return Some(0);
        }
        let mut text = *self;
        let east = text.take(b'+');
        if !east && !text.take(b'-') {
            return None;
        }
        let hours = text.digits(2).filter(|hours| *hours <= 24)?;
        let colon = text.take(b':');
        let minutes = match text.digits(2) {
            Some(minutes) if minutes <= 59 => minutes,
            None if !colon => 0,
            _ => return None,
        };
        *self = text;
        let seconds = hours * 3600 + minutes * 60;
        Some(if east { seconds } else { -seconds })
    }

    /// A number of exactly so many digits.
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    /// Takes this byte, if it is the next one.
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn after(&mut self, byte: u8) -> Option<&mut Self> {
        self.take(byte).then_some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tai64nlocal::rules::Rules;
    use proptest::prelude::*;

    fn berlin() -> Zone {
        Zone::Rules(Rules::parse(b"CET-1CEST,M3.5.0,M10.5.0/3").expect("rules"))
    }

    #[test]
    fn dates() {
        let days = |text: &str| Reader(text.as_bytes()).date();
        assert_eq!(days("1970-01-01"), Some(0));
        assert_eq!(days("2000-02-29"), Some(11_016));
        assert_eq!(days("2026-12-31"), Some(20_818));
        for wrong in ["2026-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-1-1", "x", ""] {
            assert_eq!(days(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn clocks() {
        let clock = |text: &str| Reader(text.as_bytes()).clock();
        assert_eq!(clock("22:15"), Some((80_100, 0)));
        assert_eq!(clock("22:15:01"), Some((80_101, 0)));
        assert_eq!(clock("00:00:00.5"), Some((0, 500_000_000)));
        assert_eq!(clock("23:59:60.000000001"), Some((86_400, 1)));
        for wrong in ["24:00", "22:60", "22:15:61", "2:15", "22:15:", "22:15:01.", "22"] {
            assert_eq!(clock(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn offsets() {
        for (text, expected, rest) in [
            ("Z", Some(0), ""),
            ("+01:00 x", Some(3600), " x"),
            ("-0330", Some(-12_600), ""),
            ("+02", Some(7200), ""),
            ("+02 30", Some(7200), " 30"),
            ("+02:", None, "+02:"),
            ("+02:60", None, "+02:60"),
            ("+25", None, "+25"),
            (" x", None, " x"),
        ] {
            let mut reader = Reader(text.as_bytes());
            assert_eq!((reader.offset(), reader.0), (expected, rest.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_clocks_show_twice_or_never() {
        // 2024-10-27: 02:30 is shown at 00:30 and at 01:30 UTC. 2024-03-31: 02:30 never is.
        let day = 20_023 * DAY;
        let half_past_two = day + 9000;
        assert_eq!(unix(&berlin(), half_past_two, Twice::First), day + 1800);
        assert_eq!(unix(&berlin(), half_past_two, Twice::Second), day + 5400);
        let day = 19_813 * DAY;
        for twice in [Twice::First, Twice::Second] {
            assert_eq!(unix(&berlin(), day + 9000, twice), day + 5400);
        }
    }

    proptest! {
        #[test]
        fn what_the_clock_shows_leads_back(time in 0_i64..4_000_000_000) {
            let zone = berlin();
            let shown = time + zone.span(time).offset.seconds;
            let found = [Twice::First, Twice::Second].map(|twice| unix(&zone, shown, twice));
            prop_assert!(found.contains(&time) && found[0] <= found[1]);
        }
    }
}
