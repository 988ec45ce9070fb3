//! Reading the rules' text.

use super::{Change, Day, Rules, Summer};

const HOUR: i64 = 3600;

/// The rules that `text` begins with; what follows them is passed over.
pub(super) fn rules(text: &[u8]) -> Option<Rules> {
    let mut text = Text(text);
    text.name()?;
    let standard = text.offset()?;
    if text.0.is_empty() {
        return Some(Rules { standard, summer: None });
    }
    text.name()?;
    let offset = text.offset().unwrap_or(standard + HOUR);
    let (begin, end) = if matches!(text.0, b"" | b",") {
        // Without a rule, that of the United States.
        (Change::of_month(3, 2), Change::of_month(11, 1))
    } else {
        (text.change()?, text.change()?)
    };
    Some(Rules { standard, summer: Some(Summer { offset, begin, end }) })
}

impl Change {
    /// On a Sunday at 2.
    fn of_month(month: i64, week: i64) -> Self {
        Self { day: Day::OfMonth { month, week, weekday: 0 }, time: 2 * HOUR }
    }
}

/// What is still to be read.
struct Text<'a>(&'a [u8]);

impl Text<'_> {
    /// At least three letters; or letters, digits and signs in angle brackets.
    fn name(&mut self) -> Option<()> {
        let quoted = self.take(b'<');
        let is_part = |byte: &u8| match byte {
            b'0'..=b'9' | b'+' | b'-' => quoted,
            _ => byte.is_ascii_alphabetic(),
        };
        let length = self.0.iter().take_while(|byte| is_part(byte)).count();
        self.0 = &self.0[length..];
        (length >= 3 && (!quoted || self.take(b'>'))).then_some(())
    }

    /// `[+-]hh[:mm[:ss]]`, west of UTC; given as seconds east of it. As with the GNU C library, more
    /// than a day is a day.
    fn offset(&mut self) -> Option<i64> {
        let east = self.take(b'-');
        if !east {
            self.take(b'+');
        }
        let [hours, minutes, seconds] = self.clock()?;
        let offset = hours.min(24) * HOUR + minutes.min(59) * 60 + seconds.min(59);
        Some(if east { offset } else { -offset })
    }

    /// `,DAY[/TIME]`.
    fn change(&mut self) -> Option<Change> {
        self.take(b',');
        let day = self.day()?;
        let time = if self.take(b'/') { self.time() } else { 2 * HOUR };
        matches!(self.0.first(), None | Some(b',')).then_some(Change { day, time })
    }

    /// `Mm.w.d`, `Jn` or `n`.
    fn day(&mut self) -> Option<Day> {
        if self.take(b'M') {
            let month = self.number()?;
            let week = self.take(b'.').then(|| self.number())??;
            let weekday = self.take(b'.').then(|| self.number())??;
            let known = (1..=12).contains(&month) && (1..=5).contains(&week) && weekday <= 6;
            return known.then_some(Day::OfMonth { month, week, weekday });
        }
        if self.take(b'J') {
            return self.number().filter(|day| (1..=365).contains(day)).map(Day::Julian);
        }
        self.number().filter(|day| *day <= 365).map(Day::OfYear)
    }

    /// `[+-]h[:mm[:ss]]`, from minus a week to a week.
    fn time(&mut self) -> i64 {
        let negative = self.take(b'-');
        let [hours, minutes, seconds] = self.clock().unwrap_or([2, 0, 0]);
        let time = hours * HOUR + minutes * 60 + seconds;
        if negative { -time } else { time }
    }

    fn clock(&mut self) -> Option<[i64; 3]> {
        let mut clock = [self.number()?, 0, 0];
        for part in &mut clock[1..] {
            if !self.take(b':') {
                break;
            }
            *part = self.number().unwrap_or(0);
        }
        Some(clock)
    }

    /// Digits; as a number, at most 9999, which is more than anything here can be.
    fn number(&mut self) -> Option<i64> {
        let length = self.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.0.split_at(length);
        self.0 = rest;
        let number = digits
            .iter()
            .fold(0, |number: i64, digit| (number * 10 + i64::from(digit - b'0')).min(9999));
        (length > 0).then_some(number)
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fixed(standard: i64) -> Rules {
        Rules { standard, summer: None }
    }

    #[test]
    fn fixed_offsets() {
        for (text, expected) in [
            ("UTC0", fixed(0)),
            ("CET-1", fixed(3600)),
            ("EST5", fixed(-18000)),
            ("EST+5", fixed(-18000)),
            ("<+0530>-5:30", fixed(19800)),
            ("<-00>0", fixed(0)),
            ("ABC-0:00:01", fixed(1)),
            ("ABC-99:99:99", fixed(24 * 3600 + 59 * 60 + 59)),
        ] {
            assert_eq!(rules(text.as_bytes()), Some(expected), "{text}");
        }
    }

    #[test]
    fn summers() {
        let (begin, end) = (Change::of_month(3, 2), Change::of_month(11, 1));
        let america =
            Rules { standard: -5 * HOUR, summer: Some(Summer { offset: -4 * HOUR, begin, end }) };
        for text in [
            "EST5EDT",
            "EST5EDT4",
            "EST5EDT,",
            "EST5EDT,M3.2.0,M11.1.0",
            "EST5EDT,M3.2.0/2,M11.1.0/2:00:00",
        ] {
            assert_eq!(rules(text.as_bytes()), Some(america), "{text}");
        }
        let begin = Change { day: Day::Julian(60), time: -(HOUR + 61) };
        let end = Change { day: Day::OfYear(365), time: 167 * HOUR };
        let odd = Rules { standard: HOUR, summer: Some(Summer { offset: 0, begin, end }) };
        assert_eq!(rules(b"IST-1<GMT>0,J60/-1:1:1,365/167"), Some(odd));
    }

    #[test]
    fn what_is_no_rule() {
        for text in [
            "",
            "U",
            "UT0",
            "UTC",
            "UTC-",
            "<UTC0",
            "<UT>0",
            "0",
            "Europe/Berlin",
            "A1C0",
            "EST5ED",
            "EST5EDT,x",
            "EST5EDT,M3.2.0",
            "EST5EDT,M13.2.0,M11.1.0",
            "EST5EDT,M3.0.0,M11.1.0",
            "EST5EDT,M3.2.7,M11.1.0",
            "EST5EDT,J0,J1",
            "EST5EDT,366,1",
            "EST5EDT,M3.2,M11.1.0",
        ] {
            assert_eq!(rules(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_rules_or_none(text in prop::collection::vec(any::<u8>(), 0..40)) {
            rules(&text);
        }

        #[test]
        fn near_misses_neither_panic_nor_count_wrongly(
            text in "[A-C<>]{2,4}-?[0-9:]{0,9}[A-C]{0,4}[-+0-9:]{0,3},?[MJ0-9./:,-]{0,20}",
            unix: i64,
        ) {
            if let Some(rules) = rules(text.as_bytes()) {
                prop_assert!(rules.span(unix).0.abs() <= 26 * HOUR);
            }
        }
    }
}
