//! Local times back into labels.

use super::lines::{Found, Sought};
use super::reading::{Outcome, Reading, read};
use super::zone::{Offset, Span};
use crate::wall::WallClock;
use common::tai64n::Label;

/// Local time is never further from UTC than this, in seconds, nor do clocks jump as far: a day and two hours is all
/// that rules can say.
const REACH: i64 = 2 * 86_400;

/// So many changes of the clocks are looked at within that time, before and after.
const CHANGES: usize = 64;

/// Turns times into labels: those of a clock, and those that say how far from UTC they are.
pub(crate) struct Labels {
    clock: WallClock,
    /// The label that was told last: the lines of a log are in order.
    last: Label,
    text: [u8; 25],
}

impl Labels {
    /// The labels of what this clock showed.
    pub(crate) fn new(clock: WallClock) -> Self {
        Self { clock, last: Label::at(i64::MIN, 0), text: [0; 25] }
    }

    /// The label of a time; `None` for a local time that there never was, as the clocks went past it.
    ///
    /// Local times that there were twice, as the clocks were put back, are taken for the first of the two, unless that
    /// was before the time that was told last: then for the second.
    pub(crate) fn label(&mut self, time: Reading) -> Option<Label> {
        let mut unix = self.moment(time);
        if unix.is_none() && time.is_leap {
            // Where second 60 isn't counted, it is the first of the next minute.
            unix = self.moment(Reading { shown: time.shown + 1, is_leap: false, ..time });
        }
        self.last = Label::at(unix?, time.nanoseconds);
        Some(self.last)
    }

    fn moment(&mut self, time: Reading) -> Option<i64> {
        let near = self.clock.span(time.shown);
        let unix = time.shown - seconds(time, near.offset);
        let is_far_from_changes = near.first <= unix.saturating_sub(2 * REACH)
            && unix.saturating_add(2 * REACH) <= near.last;
        if is_far_from_changes && !time.is_leap {
            return Some(unix);
        }
        let (last, mut first) = (self.last, None);
        for span in self.spans(time.shown) {
            let unix = time.shown - seconds(time, span.offset);
            if span.has(unix) && span.offset.is_leap == time.is_leap {
                if Label::at(unix, time.nanoseconds) >= last {
                    return Some(unix);
                }
                first = first.or(Some(unix));
            }
        }
        first
    }

    /// All that is near this time, in order.
    fn spans(&mut self, shown: i64) -> impl Iterator<Item = Span> {
        let zone = self.clock.zone();
        let mut next = Some(shown - REACH);
        let spans = core::iter::from_fn(move || {
            let span = zone.span(next.filter(|next| *next <= shown + REACH)?);
            next = span.last.checked_add(1);
            Some(span)
        });
        spans.take(CHANGES)
    }
}

/// How far the time that was shown is from the clock that counts seconds, where that is so far from UTC.
fn seconds(time: Reading, offset: Offset) -> i64 {
    time.east.map_or(offset.seconds, |east| east + (offset.seconds - offset.east))
}

impl Sought for Labels {
    fn may_begin(before: u8, byte: u8) -> bool {
        byte.is_ascii_digit() && !before.is_ascii_digit()
    }

    fn find(&mut self, before: u8, bytes: &[u8], ends: bool) -> Found<'_> {
        if before.is_ascii_digit() {
            return Found::Nothing;
        }
        match read(bytes, ends) {
            Outcome::None => Found::Nothing,
            Outcome::Unclear => Found::Perhaps,
            Outcome::Time(time, length) => match self.label(time) {
                None => Found::Nothing,
                Some(label) => {
                    self.text = label.to_hex();
                    Found::Text(length, &self.text)
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::local::LocalTime;
    use super::*;
    use crate::wall::Form;
    use proptest::prelude::*;
    use std::ffi::CStr;
    use sys::Env;

    const BERLIN: &CStr = c"TZ=CET-1CEST,M3.5.0,M10.5.0/3";

    fn env(zone: &CStr) -> Env {
        Env::new(vec![zone.into()])
    }

    fn labels(zone: &CStr) -> Labels {
        Labels::new(WallClock::local(env(zone), Form::Spaced))
    }

    fn label(labels: &mut Labels, text: &str) -> Option<Label> {
        match labels.find(b'\n', text.as_bytes(), true) {
            Found::Text(_, label) => Some(Label::from_hex(label).expect("a label")),
            Found::Nothing => None,
            Found::Perhaps => panic!("it is all there"),
        }
    }

    /// Seconds since 1970, of one time after the other.
    fn told(zone: &CStr, texts: &[&str]) -> Vec<Option<i64>> {
        let mut labels = labels(zone);
        texts.iter().map(|text| label(&mut labels, text).map(Label::unix_seconds)).collect()
    }

    #[test]
    fn times_of_one_zone_and_of_others() {
        assert_eq!(
            told(
                BERLIN,
                &[
                    "1999-08-24 06:04:05.787492500 mark",
                    "1999-08-24T04:04:05Z",
                    "1999-08-24 06:04:05",
                    "1999-08-23T21:04:05-07:00",
                    "1970-01-01 01:00:00",
                    "1969-12-31 23:59:59",
                    "2016-12-31T23:59:60Z",
                    "2017-01-01 00:59:60",
                    "no time",
                ]
            ),
            [
                Some(935_467_445),
                Some(935_467_445),
                Some(935_467_445),
                Some(935_467_445),
                Some(0),
                Some(-3601),
                Some(1_483_228_800),
                Some(1_483_228_800),
                None
            ]
        );
    }

    #[test]
    fn the_hour_that_there_is_twice() {
        // 2026-10-25: from 3 back to 2, at second 1_792_890_000.
        let night = [
            "2026-10-25 02:59:58",
            "2026-10-25 02:59:59",
            "2026-10-25 02:00:00",
            "2026-10-25 02:59:59",
        ];
        let seconds = [1_792_889_998, 1_792_889_999, 1_792_890_000, 1_792_893_599];
        assert_eq!(told(BERLIN, &night), seconds.map(Some));
        // Alone, each is the first.
        assert_eq!(told(BERLIN, &night[2..3]), [Some(1_792_886_400)]);
        // After the time of a day later, too.
        assert_eq!(told(BERLIN, &["2026-10-26 00:00:00", night[0]])[1], Some(seconds[0]));
        // What says which it is, is that.
        assert_eq!(told(BERLIN, &["2026-10-25T02:00:00+01:00"]), [Some(1_792_890_000)]);
    }

    #[test]
    fn the_hour_that_there_never_was() {
        let night = [
            "2026-03-29 01:59:59",
            "2026-03-29 02:00:00",
            "2026-03-29 02:59:59",
            "2026-03-29 03:00:00",
        ];
        let seconds = [Some(1_774_745_999), None, None, Some(1_774_746_000)];
        assert_eq!(told(BERLIN, &night), seconds);
    }

    proptest! {
        #[test]
        fn labels_become_times_and_labels_again(
            mut seconds in prop::collection::vec(prop_oneof![
                -62_000_000_000_i64..4_000_000_000,
                1_792_880_000_i64..1_792_900_000,
                1_774_740_000_i64..1_774_750_000,
            ], 1..30),
            nanoseconds in prop_oneof![0_u32..1_000_000_000, any::<u32>()],
            zone in prop_oneof![
                Just(BERLIN), Just(c"TZ=XXX3EDT4,0/0,J365/23"), Just(c"TZ=AAA-5:45:30"), Just(c"TZ="),
            ],
        ) {
            // Local times, in order: at the end of a summer, what is left out makes a difference only there.
            seconds.sort_unstable();
            let mut times = LocalTime::new(env(zone));
            let mut iso = LocalTime::iso(env(zone));
            let (mut back, mut exact) = (labels(zone), labels(zone));
            for unix in seconds {
                let told = Label::at(unix, nanoseconds);
                let text = times.text(&told.to_hex()).map(|text| String::from_utf8(text.as_ref().to_vec()).unwrap());
                let there = label(&mut back, &text.expect("a year of this calendar")).expect("a time");
                let again = times.text(&there.to_hex()).map(|text| String::from_utf8(text.as_ref().to_vec()).unwrap());
                let text = times.text(&told.to_hex()).map(|text| String::from_utf8(text.as_ref().to_vec()).unwrap());
                prop_assert_eq!(again, text);
                prop_assert!((there.unix_seconds() - unix).abs() <= 3600);
                if let Some(text) = iso.text(&told.to_hex()) {
                    let text = String::from_utf8(text.as_ref().to_vec()).unwrap();
                    prop_assert_eq!(label(&mut exact, &text), Some(told), "{}", text);
                }
            }
        }
    }
}
