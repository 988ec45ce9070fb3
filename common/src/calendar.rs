//! Days and dates of the Gregorian calendar, before 1582 too.

/// Seconds of a day.
pub const DAY: i64 = 86_400;

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// 0 is the year before 1.
    pub year: i64,
    /// 1 to 12.
    pub month: i64,
    /// 1 to 31.
    pub day: i64,
}

impl Date {
    /// The day that many days after 1970-01-01. Good for all days whose seconds fit in 64 bits.
    pub fn of(days: i64) -> Self {
        // Years that begin in March have their leap day at the end; 400 of them are one era.
        let since_0000_03_01 = days + 719_468;
        let era = since_0000_03_01.div_euclid(146_097);
        let day_of_era = since_0000_03_01.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Months from March on have 31, 30, 31, 30, 31 days, over and over: 153 in five of them.
        let month = (5 * day_of_year + 2) / 153;
        let (year, day) = (era * 400 + year_of_era, day_of_year - (153 * month + 2) / 5 + 1);
        if month < 10 {
            Self { year, month: month + 3, day }
        } else {
            Self { year: year + 1, month: month - 9, day }
        }
    }
}

/// Days from 1970-01-01 to January 1 of this year.
pub fn days_to_year(year: i64) -> i64 {
    let before = year - 1;
    365 * (year - 1970) + (before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400))
        - 477
}

/// Whether this year has a February 29.
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of this year before the 1st of `month` (1 to 12).
pub fn days_to_month(year: i64, month: i64) -> i64 {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    BEFORE[(month - 1).clamp(0, 11) as usize] + i64::from(month > 2 && is_leap(year))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_that_people_know() {
        for (days, year, month, day) in [
            (0, 1970, 1, 1),
            (-1, 1969, 12, 31),
            (11_016, 2000, 2, 29),
            (11_017, 2000, 3, 1),
            (-25_509, 1900, 2, 28),
            (-25_508, 1900, 3, 1),
            (-719_162, 1, 1, 1),
            (-719_163, 0, 12, 31),
            (-719_529, -1, 12, 31),
            (2_932_896, 9999, 12, 31),
        ] {
            assert_eq!(Date::of(days), Date { year, month, day });
        }
    }

    #[test]
    fn the_day_after_a_day_is_the_next() {
        let mut date = Date::of(-800_000);
        for days in -799_999..=800_000 {
            let next = Date::of(days);
            let expected = if next.day > 1 {
                Date { day: date.day + 1, ..date }
            } else if next.month > 1 {
                Date { month: date.month + 1, day: 1, ..date }
            } else {
                Date { year: date.year + 1, month: 1, day: 1 }
            };
            assert_eq!(next, expected);
            date = next;
        }
    }

    proptest! {
        #[test]
        fn dates_count_back(days in i64::MIN / DAY..=i64::MAX / DAY) {
            let Date { year, month, day } = Date::of(days);
            prop_assert_eq!(days_to_year(year) + days_to_month(year, month) + day - 1, days);
        }
    }
}
