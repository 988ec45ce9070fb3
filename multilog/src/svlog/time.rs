//! Times that the administrator types: `-s TIME`, `-u TIME`. Pure.

use super::civil::{Civil, Reader, Twice, moment, unix};
use crate::tai64nlocal::zone::Zone;
use common::calendar::DAY;
use common::number;
use common::tai64n::Label;
use core::time::Duration;

/// The units of what is so long ago, and their seconds.
const UNITS: [(u8, u64); 5] =
    [(b's', 1), (b'm', 60), (b'h', 3600), (b'd', 86_400), (b'w', 604_800)];

/// The moment that `text` means, `now` being the time since 1970; `None` if it means nothing:
///
/// - `@` and 24 hexadecimal digits: a TAI64N label
/// - `2026-11-23`, `2026-11-23 22:15`, `2026-11-23T22:15:01.5+01:00`: local time, unless it says which
/// - `22:15`, `22:15:01`: when the clocks showed that last
/// - `10m`, `1h30m`, `3d`: so long ago (weeks, days, hours, minutes, seconds)
/// - `1795472101.5`: seconds since 1970, nine digits at least
/// - `now`, `today`, `yesterday`: the latter at midnight
pub(crate) fn parse(text: &[u8], now: Duration, zone: &Zone, twice: Twice) -> Option<Label> {
    let unix_now = i64::try_from(now.as_secs()).ok()?;
    let today = (unix_now + zone.span(unix_now).offset.seconds).div_euclid(DAY);
    let midnight = |day: i64| moment(unix(zone, day * DAY, Twice::First), 0);
    match text {
        b"now" => return Some(Label::from_unix(now)),
        b"today" => return Some(midnight(today)),
        b"yesterday" => return Some(midnight(today - 1)),
        [b'@', ..] => return Label::from_hex(text),
        _ => {}
    }
    let clock = |day: i64| {
        let mut text = Reader(text);
        let (seconds, nanoseconds) = text.clock()?;
        let civil = Civil { shown: day * DAY + seconds, nanoseconds, offset: text.offset() };
        text.0.is_empty().then(|| civil.label(zone, twice))
    };
    date(text)
        .map(|civil| civil.label(zone, twice))
        .or_else(|| clock(today).filter(|label| *label <= Label::from_unix(now)))
        .or_else(|| clock(today - 1))
        .or_else(|| ago(text).map(|ago| Label::from_unix(now.saturating_sub(ago))))
        .or_else(|| epoch(text))
}

/// A date, alone or with a time.
fn date(text: &[u8]) -> Option<Civil> {
    let mut text = Reader(text);
    let shown = text.date()? * DAY;
    if text.0.is_empty() {
        return Some(Civil { shown, nanoseconds: 0, offset: None });
    }
    if !text.take(b'T') && !text.take(b' ') {
        return None;
    }
    let (seconds, nanoseconds) = text.clock()?;
    text.take(b' ');
    let offset = text.offset();
    text.0.is_empty().then_some(Civil { shown: shown + seconds, nanoseconds, offset })
}

/// Numbers with units: `1h30m`.
fn ago(mut text: &[u8]) -> Option<Duration> {
    let mut seconds = 0_u64;
    if text.is_empty() {
        return None;
    }
    while !text.is_empty() {
        let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = text.split_at(length);
        let (unit, rest) = rest.split_first()?;
        let (_, each) = UNITS.iter().find(|(letter, _)| letter == unit)?;
        seconds = seconds.checked_add(number::whole(digits)?.checked_mul(*each)?)?;
        text = rest;
    }
    Some(Duration::from_secs(seconds))
}

fn epoch(text: &[u8]) -> Option<Label> {
    let point = text.iter().position(|byte| *byte == b'.');
    let (seconds, fraction) = text.split_at(point.unwrap_or(text.len()));
    let nanoseconds = match fraction {
        [] => 0,
        [_, digits @ ..] => {
            let mut digits = Reader(digits);
            digits.fraction().filter(|_| digits.0.is_empty())?
        }
    };
    if !(9..=12).contains(&seconds.len()) {
        return None;
    }
    Some(Label::from_unix(Duration::new(number::whole(seconds)?, nanoseconds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tai64nlocal::rules::Rules;
    use proptest::prelude::*;

    /// 2026-11-23 22:15:01 UTC; an hour later in Berlin.
    const NOW: i64 = 1_795_472_101;

    fn seconds(text: &str, rules: &str) -> Option<i64> {
        let zone = Zone::Rules(Rules::parse(rules.as_bytes()).expect("rules"));
        let now = Duration::new(NOW.cast_unsigned(), 0);
        parse(text.as_bytes(), now, &zone, Twice::First).map(Label::unix_seconds)
    }

    #[test]
    fn what_people_type() {
        for (text, expected) in [
            ("@400000006b04baef00000000", NOW),
            ("now", NOW),
            ("2026-11-23 23:15:01", NOW),
            ("2026-11-23 23:15", NOW - 1),
            ("2026-11-23T23:15:01", NOW),
            ("2026-11-23T22:15:01Z", NOW),
            ("2026-11-23 22:15:01 Z", NOW),
            ("2026-11-23T22:15:01.999999+00:00", NOW),
            ("2026-11-23T17:15:01-0500", NOW),
            ("23:15:01", NOW),
            ("23:15", NOW - 1),
            ("23:16", NOW + 59 - 86_400),
            ("00:00", NOW - 83_701),
            ("22:15Z", NOW - 1),
            ("2026-11-23", NOW - 83_701),
            ("today", NOW - 83_701),
            ("yesterday", NOW - 83_701 - 86_400),
            ("10m", NOW - 600),
            ("2h", NOW - 7200),
            ("3d", NOW - 3 * 86_400),
            ("1w", NOW - 7 * 86_400),
            ("1h30m5s", NOW - 5405),
            ("0s", NOW),
            ("100w100w", NOW - 200 * 604_800),
            ("1795472101", NOW),
            ("1795472101.123456", NOW),
        ] {
            assert_eq!(seconds(text, "CET-1CEST,M3.5.0,M10.5.0/3"), Some(expected), "{text}");
        }
    }

    #[test]
    fn more_than_there_was_is_the_beginning() {
        assert_eq!(seconds("9999w", "UTC0"), Some(0));
        assert_eq!(seconds("1960-01-01", "UTC0"), Some(0));
    }

    #[test]
    fn what_means_nothing() {
        for text in [
            "",
            " ",
            "x",
            "10",
            "10x",
            "m",
            "-10m",
            "10m ",
            "10 m",
            "1.5h",
            "22",
            "22:",
            "25:00",
            "2:15",
            "22:15:01:02",
            "2026-11-31",
            "2026-11-23 ",
            "2026-11-23x",
            "2026-11-23 22",
            "@",
            "@400000006b04baef",
            "@400000006B04BAEF00000000",
            "tomorrow",
            "1795472101.",
            "99999999999999999999w",
            "9223372036854775807w2w",
        ] {
            assert_eq!(seconds(text, "UTC0"), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_came_twice() {
        let zone = Zone::Rules(Rules::parse(b"CET-1CEST,M3.5.0,M10.5.0/3").expect("rules"));
        let parse = |twice| {
            let label =
                parse(b"2024-10-27 02:30", Duration::new(NOW.cast_unsigned(), 0), &zone, twice);
            label.expect("a time").unix_seconds()
        };
        assert_eq!(parse(Twice::Second) - parse(Twice::First), 3600);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_time_or_none(text in prop::collection::vec(any::<u8>(), 0..40)) {
            parse(&text, Duration::from_secs(5), &Zone::Utc, Twice::First);
        }

        #[test]
        fn a_clock_alone_is_within_the_last_day(hour in 0..24, minute in 0..60) {
            let time = seconds(&format!("{hour:02}:{minute:02}"), "ABC-5:30").expect("a time");
            prop_assert!((NOW - 86_400..=NOW).contains(&time));
        }
    }
}
