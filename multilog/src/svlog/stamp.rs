//! The stamp at the start of a line, whoever has put it there. Pure.

use super::civil::{Civil, Reader, Twice, moment};
use crate::tai64nlocal::zone::Zone;
use common::calendar::DAY;
use common::tai64n::Label;

/// A moment, and how many bytes of the line say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) label: Label,
    pub(crate) length: usize,
}

/// No stamp is longer.
pub(crate) const LONGEST: usize = 40;

/// The text of a TAI64N label.
const LABEL: usize = 25;

/// The stamp that the line begins with: a TAI64N label (multilog's `t`); seconds since 1970 with
/// microseconds (`T`); or date and time (ISO 8601, or as tai64nlocal writes them), which are local
/// ones unless it says how far from UTC. A blank follows, or nothing at all.
pub(crate) fn read(line: &[u8], zone: &Zone) -> Option<Stamp> {
    let mut text = Reader(&line[..line.len().min(LONGEST)]);
    let label = match text.0.first()? {
        b'@' => {
            let (label, rest) = text.0.split_at_checked(LABEL)?;
            text.0 = rest;
            Label::from_hex(label)?
        }
        b'0'..=b'9' if text.0.get(4) == Some(&b'-') => {
            date_and_time(&mut text)?.label(zone, Twice::First)
        }
        b'0'..=b'9' => epoch(&mut text)?,
        _ => return None,
    };
    let length = LONGEST.min(line.len()) - text.0.len();
    matches!(line.get(length), None | Some(b' ')).then_some(Stamp { label, length })
}

/// `YYYY-MM-DD`, a blank or `T`, and a time to the second.
fn date_and_time(text: &mut Reader<'_>) -> Option<Civil> {
    let days = text.date()?;
    if !text.take(b'T') && !text.take(b' ') {
        return None;
    }
    if text.0.get(5) != Some(&b':') {
        return None;
    }
    let (seconds, nanoseconds) = text.clock()?;
    Some(Civil { shown: days * DAY + seconds, nanoseconds, offset: text.offset() })
}

/// Seconds since 1970, a point, and microseconds.
fn epoch(text: &mut Reader<'_>) -> Option<Label> {
    let length = text.0.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.0.split_at(length);
    // Before 1973, or in thirty thousand years, it is some number that the service has printed.
    if !(9..=12).contains(&length) {
        return None;
    }
    let seconds = digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    text.0 = rest.strip_prefix(b".")?;
    let before = text.0.len();
    let nanoseconds = text.fraction()?;
    (before - text.0.len() == 6).then(|| moment(seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tai64nlocal::rules::Rules;
    use proptest::prelude::*;

    fn zone() -> Zone {
        Zone::Rules(Rules::parse(b"ABC-1").expect("rules"))
    }

    fn stamp(line: &str) -> Option<(i64, u32, usize)> {
        let stamp = read(line.as_bytes(), &zone())?;
        Some((stamp.label.unix_seconds(), stamp.label.nanoseconds(), stamp.length))
    }

    #[test]
    fn every_kind_of_stamp() {
        for (line, expected) in [
            ("@400000003b9aca0a0000162e x", (1_000_000_000, 5678, 25)),
            ("@400000003b9aca0a0000162e", (1_000_000_000, 5678, 25)),
            ("1000000000.000005 x", (1_000_000_000, 5000, 17)),
            ("2001-09-09T01:46:40.000005Z x", (1_000_000_000, 5000, 27)),
            ("2001-09-09T01:46:40Z x", (1_000_000_000, 0, 20)),
            ("2001-09-09T03:46:40.000005+02:00 x", (1_000_000_000, 5000, 32)),
            ("2001-09-09T02:46:40 x", (1_000_000_000, 0, 19)),
            ("2001-09-09 02:46:40.000005678 x", (1_000_000_000, 5678, 29)),
        ] {
            assert_eq!(stamp(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn what_is_no_stamp() {
        for line in [
            "",
            " @400000003b9aca0a0000162e",
            "@400000003b9aca0a0000162",
            "@400000003b9aca0a0000162eX",
            "@400000003B9ACA0A0000162E x",
            "1000000000 x",
            "1000000000.00005 x",
            "1000000000.0000050 x",
            "12345678.000005 x",
            "10.000005 x",
            "2001-09-09 x",
            "2001-09-09 01:46 x",
            "2001-09-31 01:46:40 x",
            "2001-09-09T01:46:40.000005Zx",
            "2001-09-09_01:46:40",
        ] {
            assert_eq!(stamp(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_stamp_or_none(line in prop::collection::vec(any::<u8>(), 0..60)) {
            read(&line, &zone());
        }

        #[test]
        fn what_follows_the_stamp_changes_nothing(
            line in "(@4000000[0-9a-f]{17}|[0-9]{9,11}\\.[0-9]{6}|20[0-9]{2}-0[1-9]-[0-2][0-9][T ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|\\+0[0-9]:00)?)",
            rest in " .{0,50}",
        ) {
            let alone = stamp(&line);
            prop_assert!(alone.is_none_or(|(.., length)| length == line.len()));
            prop_assert_eq!(stamp(&(line + &rest)), alone);
        }
    }
}
