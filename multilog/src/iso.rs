//! A moment as ISO 8601 has it, with the difference to UTC.

use crate::tai64nlocal::zone::Offset;
use crate::wall::{Form, WallClock, nine_digits};
use alloc::vec::Vec;
use core::time::Duration;
use sys::Env;

/// The last second of which the year can be written: that of the year 9999, less two days for the zone's sake. No
/// kernel's clock comes near it.
const LATEST: i64 = 253_402_127_999;

/// Moments as `2026-11-23T22:15:01.123456Z`, or with the host's difference to UTC, `2026-11-23T23:15:01.123456+01:00`.
/// The next one in the same second costs the fraction's digits.
pub(crate) struct Iso {
    clock: WallClock,
    mark: Mark,
}

impl Iso {
    /// UTC.
    pub(crate) fn utc() -> Self {
        Self { clock: WallClock::utc(Form::Iso), mark: Mark::utc() }
    }

    /// The local time of this environment: `$TZ`, or /etc/localtime. It is read when the first moment comes.
    pub(crate) fn local(env: Env) -> Self {
        Self { clock: WallClock::local(env, Form::Iso), mark: Mark::local() }
    }

    /// Appends `moment`, the time since 1970, with microseconds (cut off, not rounded).
    pub(crate) fn append(&mut self, moment: Duration, out: &mut Vec<u8>) {
        let unix = i64::try_from(moment.as_secs()).map_or(LATEST, |unix| unix.min(LATEST));
        out.extend_from_slice(self.clock.text(unix).unwrap_or_default());
        out.push(b'.');
        out.extend_from_slice(&nine_digits(moment.subsec_nanos())[..6]);
        out.extend_from_slice(self.mark.text(self.clock.span(unix).offset));
    }
}

/// What says how far a time is from UTC.
pub(crate) struct Mark {
    /// Of which the text is; `None`: `Z`.
    east: Option<i64>,
    text: [u8; LONGEST],
    length: usize,
}

/// `+hhhh:mm:ss`: an hour has as many digits as it needs, which in a zone's file may be any number of 32 bits.
const LONGEST: usize = 13;

impl Mark {
    /// `Z`.
    pub(crate) fn utc() -> Self {
        let mut text = [0; LONGEST];
        text[0] = b'Z';
        Self { east: None, text, length: 1 }
    }

    /// `+00:00`, or what else it then is.
    pub(crate) fn local() -> Self {
        let mut mark = Self { east: Some(0), text: [0; LONGEST], length: 0 };
        mark.set(0);
        mark
    }

    /// The mark of a time with this offset: `+hh:mm`, and `:ss` where local time is that of the sun.
    #[inline]
    pub(crate) fn text(&mut self, offset: Offset) -> &[u8] {
        if self.east.is_some_and(|east| east != offset.east) {
            self.set(offset.east);
        }
        &self.text[..self.length]
    }

    fn set(&mut self, east: i64) {
        self.east = Some(east);
        self.text[0] = if east < 0 { b'-' } else { b'+' };
        self.length = 1;
        let east = east.unsigned_abs();
        self.put(east / 3600);
        self.put_after_colon(east / 60 % 60);
        if !east.is_multiple_of(60) {
            self.put_after_colon(east % 60);
        }
    }

    fn put_after_colon(&mut self, number: u64) {
        self.text[self.length] = b':';
        self.length += 1;
        self.put(number);
    }

    fn put(&mut self, number: u64) {
        let digits = common::decimal(number);
        let digits = digits.padded(2);
        self.text[self.length..self.length + digits.len()].copy_from_slice(digits);
        self.length += digits.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(mut iso: Iso, moments: &[Duration]) -> Vec<String> {
        let text = |moment: &Duration| {
            let mut out = b"before ".to_vec();
            iso.append(*moment, &mut out);
            let text = out.strip_prefix(b"before ").expect("what was there stays");
            String::from_utf8(text.to_vec()).expect("ASCII")
        };
        moments.iter().map(text).collect()
    }

    const MOMENTS: [Duration; 5] = [
        Duration::new(1_793_488_500, 123_456_789),
        Duration::new(1_793_488_500, 999_999_999),
        Duration::new(1_792_890_000, 0),
        Duration::ZERO,
        Duration::MAX,
    ];

    #[test]
    fn utc() {
        let expected = [
            "2026-10-31T23:15:00.123456Z",
            "2026-10-31T23:15:00.999999Z",
            "2026-10-25T01:00:00.000000Z",
            "1970-01-01T00:00:00.000000Z",
            "9999-12-29T23:59:59.999999Z",
        ];
        assert_eq!(texts(Iso::utc(), &MOMENTS), expected);
    }

    #[test]
    fn local_time_with_its_difference() {
        let zone = |text: &std::ffi::CStr| Iso::local(Env::new(vec![text.into()]));
        let berlin = texts(zone(c"TZ=CET-1CEST,M3.5.0,M10.5.0/3"), &MOMENTS[..4]);
        let expected = [
            "2026-11-01T00:15:00.123456+01:00",
            "2026-11-01T00:15:00.999999+01:00",
            "2026-10-25T02:00:00.000000+01:00",
            "1970-01-01T01:00:00.000000+01:00",
        ];
        assert_eq!(berlin, expected);
        let before = Duration::from_secs(1_792_890_000 - 1);
        let both = texts(zone(c"TZ=CET-1CEST,M3.5.0,M10.5.0/3"), &[before, MOMENTS[2], before]);
        let summer = "2026-10-25T02:59:59.000000+02:00";
        assert_eq!(both, [summer, expected[2], summer]);
        for (name, expected) in [
            (c"TZ=", "1970-01-01T00:00:00.000000+00:00"),
            (c"TZ=AAA3:30", "1969-12-31T20:30:00.000000-03:30"),
            (c"TZ=AAA-0:53:28", "1970-01-01T00:53:28.000000+00:53:28"),
            (c"TZ=AAA24:59:59", "1969-12-30T23:00:01.000000-24:59:59"),
        ] {
            assert_eq!(texts(zone(name), &[Duration::ZERO]), [expected]);
        }
    }
}
