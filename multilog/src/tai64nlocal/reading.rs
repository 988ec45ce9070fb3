//! Reading a time as tai64nlocal writes it, or ISO 8601 has it: what the text says, without a word about zones.

use common::calendar::{DAY, days_to_month, days_to_year, is_leap};

/// What a text says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The seconds from 1970-01-01 00:00:00 to what the clock showed, by that clock. At second 60, those to second 59.
    pub(crate) shown: i64,
    /// Whether it showed second 60.
    pub(crate) is_leap: bool,
    /// At most 999,999,999, but where the original has written more of them.
    pub(crate) nanoseconds: u32,
    /// Seconds east of UTC; `None` if the text doesn't say.
    pub(crate) east: Option<i64>,
}

/// What comes of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is no time.
    None,
    /// More bytes must come to know. There are at most 45 of them so far.
    Unclear,
    /// A time, and how many bytes it has.
    Time(Reading, usize),
}

/// `2147483647-12-31 23:59:60.4294967295+24:59:59` is the longest time.
#[cfg(any(test, fuzzing))]
pub(crate) const LONGEST: usize = 45;

/// Reads the time that `text` begins with; `ends`: nothing follows the text.
///
/// `YYYY-MM-DD HH:MM:SS`, or with a `T` between; then, perhaps, a dot and up to nine digits (or ten, if
/// they count more nanoseconds than a second has); then, perhaps, `Z`, `+hh:mm:ss`, `+hh:mm`, `+hhmm`, `+hh`, or
/// these with `-`. The year has four digits, or as many as it needs. No digit may follow.
pub(crate) fn read(text: &[u8], ends: bool) -> Outcome {
    let mut text = Text { all: text, at: 0, is_short: false };
    let time = text.time();
    if text.is_short && !ends {
        return Outcome::Unclear;
    }
    time.map_or(Outcome::None, |time| Outcome::Time(time, text.at))
}

/// A text, and how much of it was read.
struct Text<'a> {
    all: &'a [u8],
    at: usize,
    /// Whether a byte was asked for that isn't there.
    is_short: bool,
}

impl Text<'_> {
    fn time(&mut self) -> Option<Reading> {
        let year = self.year()?;
        self.take(b"-")?;
        let month = self.pair(1, 12)?;
        self.take(b"-")?;
        let day = self.pair(1, days_of_month(year, month))?;
        self.take(b" T")?;
        let hour = self.pair(0, 23)?;
        self.take(b":")?;
        let minute = self.pair(0, 59)?;
        self.take(b":")?;
        let second = self.pair(0, 60)?;
        let nanoseconds = self.fraction()?;
        let east = self.east();
        if self.digit(0).is_some() {
            return None;
        }
        let days = days_to_year(year) + days_to_month(year, month) + day - 1;
        let shown = days * DAY + hour * 3600 + minute * 60 + second.min(59);
        Some(Reading { shown, is_leap: second == 60, nanoseconds, east })
    }

    fn year(&mut self) -> Option<i64> {
        let (year, digits) = self.number(11)?;
        let is_short = digits == 4 || year.checked_ilog10().unwrap_or(0) + 1 == digits;
        (is_short && year <= 2_147_483_647).then_some(year)
    }

    fn fraction(&mut self) -> Option<u32> {
        if self.peek(0) != Some(b'.') || self.digit(1).is_none() {
            return Some(0);
        }
        self.at += 1;
        let (number, digits) = self.number(11)?;
        match digits {
            ..=9 => u32::try_from(number).ok().map(|number| number * 10_u32.pow(9 - digits)),
            10 if number >= 1_000_000_000 => u32::try_from(number).ok(),
            _ => None,
        }
    }

    /// What is no difference to UTC belongs to what follows the time.
    fn east(&mut self) -> Option<i64> {
        let before = self.at;
        let east = self.difference();
        if east.is_none() {
            self.at = before;
        }
        east
    }

    fn difference(&mut self) -> Option<i64> {
        let sign = match self.take(b"Z+-")? {
            b'Z' => return Some(0),
            b'-' => -1,
            _ => 1,
        };
        let hours = self.pair(0, 24)?;
        let (mut minutes, mut seconds) = (0, 0);
        if self.peek(0) == Some(b':') {
            self.at += 1;
            minutes = self.pair(0, 59)?;
            if self.peek(0) == Some(b':') && self.digit(1).is_some() {
                self.at += 1;
                seconds = self.pair(0, 59)?;
            }
        } else if self.digit(0).is_some() {
            minutes = self.pair(0, 59)?;
            // Nowhere is further from UTC: this is rather the year of another time.
            if hours > 14 {
                return None;
            }
        }
        Some(sign * (hours * 3600 + minutes * 60 + seconds))
    }

    /// Two digits, which are a number within these bounds.
    fn pair(&mut self, least: i64, most: i64) -> Option<i64> {
        let number = 10 * self.digit(0)? + self.digit(1)?;
        self.at += 2;
        (least..=most).contains(&number).then_some(number)
    }

    /// The number that the next digits are, up to so many, and how many.
    fn number(&mut self, most: u32) -> Option<(i64, u32)> {
        let (mut number, mut digits) = (0, 0);
        while digits < most
            && let Some(digit) = self.digit(0)
        {
            (number, digits) = (10 * number + digit, digits + 1);
            self.at += 1;
        }
        (digits > 0).then_some((number, digits))
    }

    /// One of these bytes.
    fn take(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = self.peek(0).filter(|byte| bytes.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    fn digit(&mut self, ahead: usize) -> Option<i64> {
        let byte = self.peek(ahead).filter(u8::is_ascii_digit)?;
        Some(i64::from(byte - b'0'))
    }

    fn peek(&mut self, ahead: usize) -> Option<u8> {
        let byte = self.all.get(self.at + ahead).copied();
        self.is_short |= byte.is_none();
        byte
    }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What is read of a text to which nothing is added: seconds, nanoseconds, difference, and what is left.
    fn told(text: &str) -> Option<(i64, u32, Option<i64>, &str)> {
        match read(text.as_bytes(), true) {
            Outcome::Time(time, length) => {
                assert!(length <= LONGEST && !time.is_leap);
                Some((time.shown, time.nanoseconds, time.east, &text[length..]))
            }
            Outcome::None => None,
            Outcome::Unclear => panic!("it is all there"),
        }
    }

    #[test]
    fn times_of_all_forms() {
        const SHOWN: i64 = 935_467_445;
        for (text, expected) in [
            ("1999-08-24 04:04:05", (0, None, "")),
            ("1999-08-24T04:04:05", (0, None, "")),
            ("1999-08-24 04:04:05.787492500 x", (787_492_500, None, " x")),
            ("1999-08-24 04:04:05.7", (700_000_000, None, "")),
            ("1999-08-24 04:04:05.", (0, None, ".")),
            ("1999-08-24 04:04:05.x", (0, None, ".x")),
            ("1999-08-24 04:04:05.4294967295", (u32::MAX, None, "")),
            ("1999-08-24T04:04:05Z", (0, Some(0), "")),
            ("1999-08-24 04:04:05.5+02:00", (500_000_000, Some(7200), "")),
            ("1999-08-24T04:04:05-0330", (0, Some(-12_600), "")),
            ("1999-08-24T04:04:05+02 x", (0, Some(7200), " x")),
            ("1999-08-24T04:04:05+00:53:28", (0, Some(3208), "")),
            ("1999-08-24T04:04:05-24:59:59", (0, Some(-89_999), "")),
            ("1999-08-24T04:04:05+02:00:x", (0, Some(7200), ":x")),
            ("1999-08-24T04:04:05+2", (0, None, "+2")),
            ("1999-08-24T04:04:05- x", (0, None, "- x")),
            ("1999-08-24T04:04:05-2026-11-23", (0, None, "-2026-11-23")),
        ] {
            let (nanoseconds, east, rest) = expected;
            assert_eq!(told(text), Some((SHOWN, nanoseconds, east, rest)), "{text}");
        }
        for (text, shown) in [
            ("0-01-01 00:00:00", -62_167_219_200),
            ("0000-01-01 00:00:00", -62_167_219_200),
            ("1969-12-31 23:59:59", -1),
            ("2000-02-29 00:00:00", 951_782_400),
            ("10000-01-01 00:00:00", 253_402_300_800),
            ("2147483647-12-31 23:59:59", 67_767_976_233_532_799),
        ] {
            assert_eq!(told(text), Some((shown, 0, None, "")), "{text}");
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "x",
            "1999-08-24",
            "1999-08-24 04:04",
            "1999-8-24 04:04:05",
            "1999-13-24 04:04:05",
            "1999-00-24 04:04:05",
            "1999-02-29 04:04:05",
            "1900-02-29 04:04:05",
            "1999-04-31 04:04:05",
            "1999-08-00 04:04:05",
            "1999-08-24 24:00:00",
            "1999-08-24 04:60:05",
            "1999-08-24 04:04:61",
            "1999-08-24  04:04:05",
            "1999-08-24_04:04:05",
            "1999/08/24 04:04:05",
            "1999-08-24 04:04:051",
            "1999-08-24 04:04:05.12345678901",
            "1999-08-24 04:04:05.0123456789",
            "1999-08-24 04:04:05.4294967296",
            "1999-08-24 04:04:05+02:001",
            "01999-08-24 04:04:05",
            "099-08-24 04:04:05",
            "2147483648-08-24 04:04:05",
            "99999999999-08-24 04:04:05",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn second_60() {
        let Outcome::Time(time, 19) = read(b"2016-12-31 23:59:60", true) else { panic!("none") };
        assert_eq!((time.shown, time.is_leap), (1_483_228_799, true));
    }

    #[test]
    fn what_more_could_follow_of() {
        let whole = "2147483647-12-31 23:59:60.4294967295+24:59:59";
        assert_eq!(whole.len(), LONGEST);
        for length in 0..=LONGEST {
            assert_eq!(read(&whole.as_bytes()[..length], false), Outcome::Unclear, "{length}");
        }
        assert!(matches!(read(format!("{whole} ").as_bytes(), false), Outcome::Time(_, LONGEST)));
        for text in ["x", "19x", "1999-13", "1999-02-29", "1999-08-24 3", "123456789012"] {
            let clear = read(text.as_bytes(), false);
            assert!(clear == Outcome::None || text.ends_with('3'), "{text}: {clear:?}");
        }
        assert!(matches!(read(b"1999-08-24 04:04:05 ", false), Outcome::Time(_, 19)));
    }

    proptest! {
        #[test]
        fn what_is_clear_stays_so(text in "[0-9]{0,5}-[01][0-9]-[0-3][0-9][ T][0-2][0-9]:[0-9]{2}:[0-6][0-9]([.][0-9]{0,11})?([Z+-][0-9:]{0,8})?[ 0-9]?") {
            let whole = read(text.as_bytes(), true);
            for length in 0..=text.len() {
                let begun = read(&text.as_bytes()[..length], false);
                prop_assert!(begun == Outcome::Unclear || begun == whole, "{length} of {text}");
                prop_assert!(begun != Outcome::Unclear || length <= LONGEST);
            }
        }
    }
}
