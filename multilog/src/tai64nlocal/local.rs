//! A label as people read it.

use crate::wall::WallClock;
use common::decimal;
use common::tai64n::Label;
use sys::Env;

/// The host's idea of local time.
pub(crate) struct LocalTime {
    clock: WallClock,
}

impl LocalTime {
    pub(crate) fn new(env: Env) -> Self {
        Self { clock: WallClock::local(env, b' ') }
    }

    /// `YYYY-MM-DD HH:MM:SS.nnnnnnnnn`; `None` if the year can't be written. As with the original, a
    /// year has as many digits as it needs, and so have nanoseconds beyond a second.
    pub(crate) fn text(&mut self, label: Label) -> Option<Text> {
        let mut text = Text { bytes: [0; LONGEST], length: 0 };
        text.put(self.clock.text(label.unix_seconds())?);
        text.put(b".");
        text.put(decimal(label.nanoseconds().into()).padded(9));
        Some(text)
    }
}

/// `2147483647-12-31 23:59:60.4294967295`.
const LONGEST: usize = 36;

/// A time's text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Text {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(zone: &std::ffi::CStr, labels: &[&str]) -> Vec<Option<String>> {
        let mut time = LocalTime::new(Env::new(vec![zone.into()]));
        let text = |label: &&str| {
            let label = Label::from_hex(label.as_bytes()).expect("a label");
            time.text(label).map(|text| String::from_utf8(text.as_ref().to_vec()).expect("ASCII"))
        };
        labels.iter().map(text).collect()
    }

    #[test]
    fn labels_as_people_read_them() {
        let told = texts(
            c"TZ=EST5EDT,M4.1.0,M10.5.0",
            &[
                "@4000000037c219bf2ef02e94",
                "@4000000037c219bf00000001",
                "@4000000037c219bf3b9aca00",
                "@400000000000000a00000000",
                "@400000000000000900000000",
            ],
        );
        let expected = [
            "1999-08-24 00:04:05.787492500",
            "1999-08-24 00:04:05.000000001",
            "1999-08-24 00:04:05.1000000000",
            "1969-12-31 19:00:00.000000000",
            "1969-12-31 18:59:59.000000000",
        ];
        assert_eq!(told, expected.map(|text| Some(text.to_owned())));
    }

    #[test]
    fn years_that_cannot_be_written() {
        // 0000-01-01, 10000-01-01 and 2147483647-12-31, and the seconds before and after.
        let label = |unix: i64| {
            let seconds = unix.wrapping_add((1 << 62) + 10).cast_unsigned();
            format!("@{seconds:016x}00000000")
        };
        for (unix, expected) in [
            (-62_167_219_201, None),
            (-62_167_219_200, Some("0-01-01 00:00:00.000000000")),
            (253_402_300_800, Some("10000-01-01 00:00:00.000000000")),
            (67_767_976_233_532_799, Some("2147483647-12-31 23:59:59.000000000")),
            (67_767_976_233_532_800, None),
            (i64::MAX, None),
            (i64::MIN, None),
        ] {
            assert_eq!(texts(c"TZ=", &[&label(unix)]), [expected.map(str::to_owned)], "{unix}");
        }
        assert_eq!(texts(c"TZ=ABC-1", &[&label(i64::MAX)]), [None]);
    }
}
