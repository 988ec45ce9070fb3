//! Moments as people and other programs read them: UTC, to the second.

use alloc::vec::Vec;
use common::calendar::{DAY, Date};
use common::decimal;
use common::tai64n::Label;

/// What stands between date and time, and after the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// `2026-11-23 07:41:05 UTC`.
    Text,
    /// `2026-11-23T07:41:05Z` (RFC 3339).
    Machine,
}

/// Appends a moment. One outside the years 0 to 9999 (a label that no clock made) is no moment: false.
pub(crate) fn append(line: &mut Vec<u8>, moment: Label, style: Style) -> bool {
    let seconds = moment.unix_seconds();
    let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    let Some(Date { year, month, day }) = date(days) else { return false };
    let (between, end): (u8, &[u8]) = match style {
        Style::Text => (b' ', b" UTC"),
        Style::Machine => (b'T', b"Z"),
    };
    let fields = [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, between),
        (rest / 3600, 2, b':'),
        (rest / 60 % 60, 2, b':'),
    ];
    for (number, width, after) in fields {
        line.extend_from_slice(decimal(number.unsigned_abs()).padded(width));
        line.push(after);
    }
    line.extend_from_slice(decimal((rest % 60).unsigned_abs()).padded(2));
    line.extend_from_slice(end);
    true
}

/// The day that many days after 1970-01-01, in the years 0 to 9999.
fn date(days: i64) -> Option<Date> {
    (-719_528..=2_932_896).contains(&days).then(|| Date::of(days))
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use proptest::prelude::*;

    fn text(seconds: i64, style: Style) -> Option<String> {
        let mut line = Vec::new();
        let bytes = ((1_u64 << 62) + 10).wrapping_add_signed(seconds).to_be_bytes();
        let mut label = [0; 12];
        label[..8].copy_from_slice(&bytes);
        let written = append(&mut line, Label::from_bytes(label), style);
        assert_eq!(written, !line.is_empty());
        written.then(|| String::from_utf8(line).expect("ASCII"))
    }

    #[test]
    fn known_moments() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (951_868_799, "2000-02-29 23:59:59 UTC"),
            (951_868_800, "2000-03-01 00:00:00 UTC"),
            (1_795_407_439, "2026-11-23 04:17:19 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
            (253_402_300_799, "9999-12-31 23:59:59 UTC"),
            (-62_167_219_200, "0000-01-01 00:00:00 UTC"),
        ] {
            assert_eq!(text(seconds, Style::Text).as_deref(), Some(expected));
        }
        assert_eq!(text(59, Style::Machine).as_deref(), Some("1970-01-01T00:00:59Z"));
        for seconds in [253_402_300_800, -62_167_219_201, i64::MIN, i64::MAX] {
            assert_eq!(text(seconds, Style::Text), None);
        }
    }

    proptest! {
        #[test]
        fn no_label_upsets_it(bytes: [u8; 12]) {
            let mut line = Vec::new();
            let written = append(&mut line, Label::from_bytes(bytes), Style::Machine);
            prop_assert_eq!(line.len(), if written { 20 } else { 0 });
        }

        #[test]
        fn later_moments_read_later(a in 0_u64..250_000_000_000, b in 0_u64..250_000_000_000) {
            let text = |seconds| {
                let mut line = Vec::new();
                append(&mut line, Label::from_unix(Duration::from_secs(seconds)), Style::Text);
                line
            };
            prop_assert_eq!(a.cmp(&b), text(a).cmp(&text(b)));
        }
    }
}
