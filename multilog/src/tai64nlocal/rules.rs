//! POSIX time zone rules: `CET-1CEST,M3.5.0,M10.5.0/3`, from `$TZ` or the last line of a zone file.
//!
//! Source: POSIX.1, environment variables; RFC 9636, section 3.3. Read as leniently as the GNU C library does.

mod text;

use common::calendar::{DAY, Date, days_to_month, days_to_year, is_leap};

/// The rules of a zone, the same in every year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Seconds east of UTC.
    standard: i64,
    summer: Option<Summer>,
}

/// Daylight saving time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Summer {
    /// Seconds east of UTC.
    offset: i64,
    begin: Change,
    end: Change,
}

/// When in a year the clocks are changed, by the time that they show until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Change {
    day: Day,
    /// Seconds after that day's midnight; negative: before it.
    time: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    /// 1 to 365; February 29 is never counted.
    Julian(i64),
    /// 0 to 365.
    OfYear(i64),
    /// `week` 1 to 5 (5 is the last one), `weekday` 0 (Sunday) to 6.
    OfMonth { month: i64, week: i64, weekday: i64 },
}

impl Rules {
    /// What the text says; `None` if it says nothing that could be understood.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        text::rules(text)
    }

    /// Seconds east of UTC at this time; and the first and the last second of a time around it, up to a year,
    /// in which it is the same.
    pub(crate) fn span(&self, unix: i64) -> (i64, i64, i64) {
        let Some(summer) = self.summer else { return (self.standard, i64::MIN, i64::MAX) };
        let year = Date::of(unix.div_euclid(DAY)).year;
        let midnight = |year| days_to_year(year).checked_mul(DAY);
        let first = midnight(year).unwrap_or(i64::MIN);
        let last = midnight(year + 1).map_or(i64::MAX, |next| next - 1);
        let begin = summer.begin.seconds(year).saturating_sub(self.standard);
        let end = summer.end.seconds(year).saturating_sub(summer.offset);
        // In the south, summer is the beginning and the end of the year.
        let (earlier, later) = (begin.min(end), begin.max(end));
        if unix < earlier {
            let offset = if begin > end { summer.offset } else { self.standard };
            (offset, first, last.min(earlier - 1))
        } else if unix < later {
            let offset = if begin > end { self.standard } else { summer.offset };
            (offset, first.max(earlier), last.min(later - 1))
        } else {
            let offset = if begin > end { summer.offset } else { self.standard };
            (offset, first.max(later), last)
        }
    }
}

impl Change {
    /// The change's time in this year, as the clocks show it, in seconds since 1970.
    fn seconds(self, year: i64) -> i64 {
        let january_1 = days_to_year(year);
        let day = january_1
            + match self.day {
                Day::Julian(day) => day - 1 + i64::from(day >= 60 && is_leap(year)),
                Day::OfYear(day) => day,
                Day::OfMonth { month, week, weekday } => {
                    let first = days_to_month(year, month);
                    let next = if month == 12 { 365 } else { days_to_month(year, month + 1) };
                    let length = next + i64::from(month == 12 && is_leap(year)) - first;
                    // 1970-01-01 was a Thursday.
                    let first_weekday = (january_1 + first + 4).rem_euclid(7);
                    let mut day = (weekday - first_weekday).rem_euclid(7) + 7 * (week - 1);
                    if day >= length {
                        day -= 7;
                    }
                    first + day
                }
            };
        day.saturating_mul(DAY).saturating_add(self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Rules {
        Rules::parse(text.as_bytes()).expect("rules")
    }

    #[test]
    fn the_clocks_change_on_the_second() {
        let berlin = rules("CET-1CEST,M3.5.0,M10.5.0/3");
        for (unix, offset) in [
            (1_711_846_799, 3600), // 2024-03-31 00:59:59 UTC
            (1_711_846_800, 7200),
            (1_729_990_799, 7200), // 2024-10-27 00:59:59 UTC
            (1_729_990_800, 3600),
        ] {
            assert_eq!(berlin.span(unix).0, offset, "{unix}");
        }
        let sydney = rules("AEST-10AEDT,M10.1.0,M4.1.0/3");
        assert_eq!(sydney.span(1_704_067_200).0, 11 * 3600); // January
        assert_eq!(sydney.span(1_719_792_000).0, 10 * 3600); // July
    }

    #[test]
    fn days_of_each_kind() {
        let day = |day, year| Change { day, time: 0 }.seconds(year) / DAY - days_to_year(year);
        assert_eq!(day(Day::Julian(59), 2024), 58);
        assert_eq!(day(Day::Julian(60), 2024), 60);
        assert_eq!(day(Day::Julian(60), 2023), 59);
        assert_eq!(day(Day::OfYear(59), 2024), 59);
        // Sundays of 2024: February 25, September 29, December 29.
        let sunday = |month, week| Day::OfMonth { month, week, weekday: 0 };
        assert_eq!(day(sunday(2, 5), 2024), 31 + 24);
        assert_eq!(day(sunday(2, 1), 2024), 31 + 3);
        assert_eq!(day(sunday(9, 5), 2024), days_to_month(2024, 9) + 28);
        assert_eq!(day(sunday(12, 5), 2024), days_to_month(2024, 12) + 28);
    }

    #[test]
    fn no_time_is_too_far() {
        let rules = rules("AAA0BBB,0/-167,365/167");
        rules.span(i64::MIN);
        rules.span(i64::MAX);
    }
}
