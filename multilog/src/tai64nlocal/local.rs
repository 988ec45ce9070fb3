//! A label as people read it.

use super::lines::{Found, Sought};
use crate::iso::Mark;
use crate::wall::{Form, WallClock, nine_digits};
use common::decimal;
use sys::Env;

/// The text of a label: `@` and 24 digits, 16 of them for the seconds.
const LABEL: usize = 25;
const SECONDS: usize = 17;

/// `2147483647-12-31 23:59:60.4294967295`, and after nine digits at most, the difference to UTC.
const LONGEST: usize = 48;

/// Turns labels into local times, or those of UTC.
pub(crate) struct LocalTime {
    clock: WallClock,
    /// With ISO 8601, what comes after the digits.
    mark: Option<Mark>,
    /// Whether a label has to stand apart: no other hexadecimal digit may come just before it, or after.
    is_apart: bool,
    /// The beginning of the label that came last, of which the text is: lines of a log share their seconds.
    seconds: Option<[u8; SECONDS]>,
    text: Text,
    /// Where in the text the nanoseconds are.
    fraction: usize,
    /// The length of a text with nine digits of them.
    length: usize,
}

/// A time's text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl AsRef<[u8]> for Text {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl LocalTime {
    /// The local time of this environment, `YYYY-MM-DD HH:MM:SS.nnnnnnnnn`.
    pub(crate) fn new(env: Env) -> Self {
        Self::of(WallClock::local(env, Form::Spaced), None)
    }

    /// UTC, in the same form.
    pub(crate) fn utc() -> Self {
        Self::of(WallClock::utc(Form::Spaced), None)
    }

    /// Local time as `YYYY-MM-DDTHH:MM:SS.nnnnnnnnn+hh:mm`.
    pub(crate) fn iso(env: Env) -> Self {
        Self::of(WallClock::local(env, Form::Iso), Some(Mark::local()))
    }

    /// UTC as `YYYY-MM-DDTHH:MM:SS.nnnnnnnnnZ`.
    pub(crate) fn iso_utc() -> Self {
        Self::of(WallClock::utc(Form::Iso), Some(Mark::utc()))
    }

    fn of(clock: WallClock, mark: Option<Mark>) -> Self {
        let text = Text { bytes: [0; LONGEST], length: 0 };
        Self { clock, mark, is_apart: false, seconds: None, text, fraction: 0, length: 0 }
    }

    /// The same, but of labels that have to stand apart.
    pub(crate) fn apart(self) -> Self {
        Self { is_apart: true, ..self }
    }

    /// The time of this label; `None` if it is none, or it has no such form. As with the original, a year has as
    /// many digits as it needs, and so have nanoseconds beyond a second. (ISO 8601 has neither.)
    #[inline]
    pub(crate) fn text(&mut self, label: &[u8; LABEL]) -> Option<&Text> {
        if self.seconds.as_ref().is_none_or(|seconds| label[..SECONDS] != *seconds) {
            self.turn(label)?;
        }
        let nanoseconds = hexadecimal(&label[SECONDS..])? as u32;
        if nanoseconds > 999_999_999 {
            return self.beyond_a_second(nanoseconds);
        }
        self.text.length = self.length;
        self.text.bytes[self.fraction..self.fraction + 9]
            .copy_from_slice(&nine_digits(nanoseconds));
        Some(&self.text)
    }

    fn turn(&mut self, label: &[u8; LABEL]) -> Option<()> {
        self.seconds = None;
        let digits = label.strip_prefix(b"@")?;
        let unix = common::tai64n::unix_seconds(hexadecimal(&digits[..SECONDS - 1])?);
        let text = self.clock.text(unix)?;
        self.fraction = text.len() + 1;
        self.text.bytes[..text.len()].copy_from_slice(text);
        self.text.bytes[text.len()] = b'.';
        self.length = self.fraction + 9;
        if let Some(mark) = &mut self.mark {
            let mark = mark.text(self.clock.span(unix).offset);
            self.text.bytes[self.length..self.length + mark.len()].copy_from_slice(mark);
            self.length += mark.len();
        }
        self.seconds = label.first_chunk().copied();
        Some(())
    }

    #[cold]
    fn beyond_a_second(&mut self, nanoseconds: u32) -> Option<&Text> {
        if self.mark.is_some() {
            return None;
        }
        let digits = decimal(nanoseconds.into());
        let digits = digits.as_bytes();
        self.text.length = self.fraction + digits.len();
        self.text.bytes[self.fraction..self.text.length].copy_from_slice(digits);
        Some(&self.text)
    }
}

impl Sought for LocalTime {
    fn may_begin(_: u8, byte: u8) -> bool {
        byte == b'@'
    }

    fn next(_: u8, bytes: &[u8]) -> Option<usize> {
        memchr::memchr(b'@', bytes)
    }

    #[inline]
    fn find(&mut self, before: u8, bytes: &[u8], ends: bool) -> Found<'_> {
        if self.is_apart && before.is_ascii_hexdigit() {
            return Found::Nothing;
        }
        let Some((label, rest)) = bytes.split_first_chunk() else {
            let is_begun = bytes.iter().zip(0..).all(|(byte, place)| fits(place, *byte));
            return if is_begun && !ends { Found::Perhaps } else { Found::Nothing };
        };
        if self.is_apart {
            match rest.first() {
                None if !ends => return Found::Perhaps,
                Some(next) if next.is_ascii_hexdigit() => return Found::Nothing,
                None | Some(_) => {}
            }
        }
        self.text(label).map_or(Found::Nothing, |text| Found::Text(LABEL, text.as_ref()))
    }
}

/// Whether a label can have this byte there.
fn fits(place: usize, byte: u8) -> bool {
    if place == 0 { byte == b'@' } else { VALUES[usize::from(byte)] < 16 }
}

/// The number that up to 16 hexadecimal digits are, in lower case.
#[inline]
fn hexadecimal(digits: &[u8]) -> Option<u64> {
    let (mut number, mut all) = (0, 0);
    for digit in digits {
        let value = VALUES[usize::from(*digit)];
        number = number << 4 | u64::from(value);
        all |= value;
    }
    (all < 16).then_some(number)
}

/// The value of each byte as a digit; more than 15 if it is none.
const VALUES: [u8; 256] = {
    let mut values = [0xF0; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;
    use common::tai64n::Label;
    use proptest::prelude::*;
    use std::ffi::CStr;

    fn zone(text: &CStr) -> Env {
        Env::new(vec![text.into()])
    }

    fn spaced(text: &CStr) -> LocalTime {
        LocalTime::new(zone(text))
    }

    fn texts(mut times: LocalTime, labels: &[&str]) -> Vec<Option<String>> {
        let text = |label: &&str| {
            let text = times.text(label.as_bytes().try_into().expect("a label"));
            text.map(|text| String::from_utf8(text.as_ref().to_vec()).expect("ASCII"))
        };
        labels.iter().map(text).collect()
    }

    const LABELS: [&str; 8] = [
        "@4000000037c219bf2ef02e94",
        "@4000000037c219bf00000001",
        "@4000000037c219bf3b9aca00",
        "@4000000037c219bf00000002",
        "@400000000000000a00000000",
        "@400000000000000900000000",
        "@400000000000000900000zoo",
        "@4000000z0000000900000000",
    ];

    #[test]
    fn labels_as_people_read_them() {
        let expected = [
            "1999-08-24 00:04:05.787492500",
            "1999-08-24 00:04:05.000000001",
            "1999-08-24 00:04:05.1000000000",
            "1999-08-24 00:04:05.000000002",
            "1969-12-31 19:00:00.000000000",
            "1969-12-31 18:59:59.000000000",
        ];
        let expected = expected.map(|text| Some(text.to_owned())).into_iter().chain([None, None]);
        let told = texts(spaced(c"TZ=EST5EDT,M4.1.0,M10.5.0"), &LABELS);
        assert_eq!(told, expected.collect::<Vec<_>>());
    }

    #[test]
    fn labels_as_programs_read_them() {
        let local = LocalTime::iso(zone(c"TZ=EST5EDT,M4.1.0,M10.5.0"));
        let expected = [
            Some("1999-08-24T00:04:05.787492500-04:00"),
            Some("1999-08-24T00:04:05.000000001-04:00"),
            None,
            Some("1999-08-24T00:04:05.000000002-04:00"),
            Some("1969-12-31T19:00:00.000000000-05:00"),
        ];
        assert_eq!(texts(local, &LABELS[..5]), expected.map(|text| text.map(str::to_owned)));
        let utc = texts(LocalTime::iso_utc(), &LABELS[..1]);
        assert_eq!(utc, [Some("1999-08-24T04:04:05.787492500Z".to_owned())]);
    }

    #[test]
    fn years_that_cannot_be_written() {
        // 0000-01-01, 10000-01-01 and 2147483647-12-31, and the seconds before and after.
        let label = |unix: i64| {
            let seconds = unix.wrapping_add((1 << 62) + 10).cast_unsigned();
            format!("@{seconds:016x}00000000")
        };
        for (unix, expected, iso) in [
            (-62_167_219_201, None, None),
            (-62_167_219_200, Some("0-01-01 00:00:00"), Some("0000-01-01T00:00:00")),
            (253_402_300_799, Some("9999-12-31 23:59:59"), Some("9999-12-31T23:59:59")),
            (253_402_300_800, Some("10000-01-01 00:00:00"), None),
            (67_767_976_233_532_799, Some("2147483647-12-31 23:59:59"), None),
            (67_767_976_233_532_800, None, None),
            (i64::MAX, None, None),
            (i64::MIN, None, None),
        ] {
            let expected = expected.map(|text| format!("{text}.000000000"));
            assert_eq!(texts(spaced(c"TZ="), &[&label(unix)]), [expected], "{unix}");
            let iso = iso.map(|text| format!("{text}.000000000Z"));
            assert_eq!(texts(LocalTime::iso_utc(), &[&label(unix)]), [iso], "{unix}");
        }
        assert_eq!(texts(spaced(c"TZ=ABC-1"), &[&label(i64::MAX)]), [None]);
    }

    /// What is found: the length, or why not.
    fn found(is_apart: bool, before: u8, text: &str, ends: bool) -> Result<usize, &'static str> {
        let mut time = if is_apart { LocalTime::utc().apart() } else { LocalTime::utc() };
        match time.find(before, text.as_bytes(), ends) {
            Found::Nothing => Err("nothing"),
            Found::Perhaps => Err("perhaps"),
            Found::Text(length, _) => Ok(length),
        }
    }

    #[test]
    fn what_a_label_is() {
        let label = LABELS[0];
        for (text, expected) in [
            (label.to_owned(), Ok(25)),
            (format!("{label}2"), Ok(25)),
            (label.to_uppercase(), Err("nothing")),
            (format!("@{label}"), Err("nothing")),
            (label[1..].to_owned() + "00", Err("nothing")),
            (label[..24].to_owned() + "\n", Err("nothing")),
            (label[..24].to_owned(), Err("perhaps")),
            ("@".to_owned(), Err("perhaps")),
            ("@4g".to_owned(), Err("nothing")),
        ] {
            assert_eq!(found(false, b'0', &text, false), expected, "{text}");
        }
        assert_eq!(found(false, b'\n', &label[..24], true), Err("nothing"));
        for (before, text, expected) in [
            (b'[', format!("{label}]"), Ok(25)),
            (b'g', format!("{label}.s"), Ok(25)),
            (b'@', format!("{label}@"), Ok(25)),
            (b' ', label.to_owned(), Err("perhaps")),
            (b'f', format!("{label} "), Err("nothing")),
            (b'0', "@".to_owned(), Err("nothing")),
            (b' ', format!("{label}F"), Err("nothing")),
        ] {
            assert_eq!(found(true, before, &text, false), expected, "{text}");
        }
        assert_eq!(found(true, b' ', label, true), Ok(25));
    }

    proptest! {
        #[test]
        fn what_is_kept_is_what_stays_the_same(
            labels in prop::collection::vec("[@\0]40000000[03]0c21(9bf|9c0)[0-3][0-9a-f]{6}[0-9a-g]", 1..9)
        ) {
            let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
            let known = texts(spaced(c"TZ=CET-1"), &labels);
            let anew: Vec<_> =
                labels.iter().flat_map(|label| texts(spaced(c"TZ=CET-1"), &[label])).collect();
            let is_label: Vec<bool> =
                labels.iter().map(|label| Label::from_hex(label.as_bytes()).is_some()).collect();
            prop_assert_eq!(known.iter().map(Option::is_some).collect::<Vec<_>>(), is_label);
            prop_assert_eq!(known, anew);
        }
    }
}
