//! Stamps and times, there and back.

use super::pieces::Pieces;
use crate::multilog::stamp::{Form as StampForm, Stamps};
use crate::tai64nlocal::labels::Labels;
use crate::tai64nlocal::lines::{Lines, Place, Sought};
use crate::tai64nlocal::local::LocalTime;
use crate::tai64nlocal::reading::{self, LONGEST, Outcome};
use crate::tai64nlocal::rules::Rules;
use crate::tai64nlocal::tzif::TzFile;
use crate::wall::{Form, WallClock};
use common::tai64n::Label;
use core::time::Duration;
use std::convert::Infallible;
use std::ffi::CStr;
use sys::Env;

/// The rules of a zone that has summers.
const ZONE: &CStr = c"TZ=EST5EDT,M3.2.0,M11.1.0";

fn env() -> Env {
    thread_local! {
        static ENV: Env = Env::new(vec![ZONE.into()]);
    }
    ENV.with(|env| *env)
}

fn clock() -> WallClock {
    WallClock::local(env(), Form::Spaced)
}

fn apart() -> LocalTime {
    LocalTime::new(env()).apart()
}

/// What tai64nlocal makes of these pieces.
fn converted(pieces: &Pieces<'_>, place: Place, sought: &mut impl Sought) -> Vec<u8> {
    let (mut out, mut kept) = (Vec::new(), Vec::new());
    let mut lines = Lines::new(place, |first: &[u8], second: &[u8]| {
        out.extend_from_slice(first);
        out.extend_from_slice(second);
        Ok::<(), Infallible>(())
    });
    for piece in pieces.iter() {
        kept.extend_from_slice(piece);
        let Ok(done) = lines.convert(&kept, false, sought);
        kept.drain(..done);
        assert!(kept.len() <= LONGEST);
    }
    let Ok(done) = lines.convert(&kept, true, sought);
    assert_eq!(done, kept.len());
    out
}

/// A log that tai64nlocal reads, in whatever pieces: what isn't a label stays, and a label has a time.
pub fn local_times(data: &[u8]) {
    let pieces = Pieces::of(data);
    let mut time = LocalTime::new(env());
    let out = converted(&pieces, Place::Start, &mut time);
    let mut expected = Vec::new();
    for line in pieces.whole.split_inclusive(|byte| *byte == b'\n') {
        let text = line.first_chunk().and_then(|label| time.text(label));
        let is_label = line.get(..25).and_then(Label::from_hex).is_some();
        assert!(is_label || text.is_none());
        match text {
            Some(text) => {
                let text = text.as_ref();
                assert!((26..=36).contains(&text.len()) && text.is_ascii());
                expected.extend_from_slice(text);
                expected.extend_from_slice(&line[25..]);
            }
            None => expected.extend_from_slice(line),
        }
    }
    assert_eq!(out, expected);

    // The same in whatever pieces, wherever labels are looked for; and `-a` leaves none that there could be a time for.
    let whole = Pieces::whole(pieces.whole);
    for place in [Place::Field(1), Place::Field(2), Place::Anywhere] {
        let mut time = apart();
        assert_eq!(converted(&pieces, place, &mut time), converted(&whole, place, &mut time));
    }
    let (mut at, mut expected) = (0, Vec::new());
    while let Some(byte) = pieces.whole.get(at) {
        let (before, rest) = pieces.whole.split_at(at);
        let is_apart = !before.last().is_some_and(u8::is_ascii_hexdigit)
            && !rest.get(25).is_some_and(u8::is_ascii_hexdigit);
        match rest.first_chunk().filter(|_| is_apart).and_then(|label| time.text(label)) {
            Some(text) => {
                expected.extend_from_slice(text.as_ref());
                at += 25;
            }
            None => {
                expected.push(*byte);
                at += 1;
            }
        }
    }
    let mut apart = apart();
    assert_eq!(converted(&pieces, Place::Anywhere, &mut apart), expected);
}

/// Times that tai64nlocal reads, in whatever pieces: the same labels whatever they are, and each has the time again that
/// it was made of, unless that had another form.
pub fn times(data: &[u8]) {
    let pieces = Pieces::of(data);
    let whole = Pieces::whole(pieces.whole);
    for place in [Place::Start, Place::Field(1), Place::Field(2), Place::Anywhere] {
        let out = converted(&pieces, place, &mut Labels::new(clock()));
        assert_eq!(out, converted(&whole, place, &mut Labels::new(clock())));
    }
    let mut at = 0;
    while at < pieces.whole.len() {
        let text = &pieces.whole[at..];
        at += 1;
        let Outcome::Time(time, length) = reading::read(text, true) else { continue };
        assert!((14..=LONGEST).contains(&length));
        let Some(label) = Labels::new(clock()).label(time) else {
            // Clocks go past it.
            assert!(time.east.is_none());
            continue;
        };
        assert_eq!(label.nanoseconds(), time.nanoseconds);
        if time.east.is_none() && !time.is_leap {
            let mut times = LocalTime::new(env());
            let again = times.text(&label.to_hex()).expect("it was read");
            let Outcome::Time(again, _) = reading::read(again.as_ref(), true) else {
                panic!("no time")
            };
            assert_eq!(again, time);
        }
    }
}

/// A time zone, as a file and as rules: no time is further from UTC than both can say.
pub fn zone(data: &[u8]) {
    let mut asked: Vec<i64> = vec![i64::MIN, -1, 0, 1, 1 << 31, 1 << 40, i64::MAX];
    asked.extend(data.last_chunk().map(|bytes| i64::from_be_bytes(*bytes)));
    let rules = Rules::parse(data);
    let file = TzFile::parse(data);
    for unix in asked {
        if let Some(rules) = &rules {
            let (offset, first, last) = rules.span(unix);
            assert!(offset.abs() <= 7 * 86_400 && first <= unix && unix <= last, "{offset}");
            assert_eq!([first, last].map(|edge| rules.span(edge).0), [offset; 2]);
        }
        if let Some(file) = &file {
            let span = file.span(unix);
            assert!(span.has(unix) && span.offset.seconds.abs() <= 1 << 33);
            assert_eq!(
                [span.first, span.last].map(|edge| file.span(edge).offset),
                [span.offset; 2]
            );
        }
    }
}

/// Moments, eight bytes each: so many seconds after the one before, or before it, and a fraction. Stamps that are made of each other
/// are what each would be alone, and say the moment that they are of.
pub fn stamps(data: &[u8]) {
    thread_local! {
        static ENV: Env = Env::new(vec![c"TZ=EST5EDT,M3.2.0,M11.1.0".into()]);
    }
    let env = ENV.with(|env| *env);
    let forms = [StampForm::Label, StampForm::Epoch, StampForm::Utc, StampForm::Local];
    let mut used = forms.map(|form| Stamps::new(form, env));
    let mut second: u64 = 1_793_488_500;
    for moment in data.chunks_exact(8) {
        let (step, fraction) = moment.split_at(4);
        let [step, fraction] = [step, fraction].map(|half| half.try_into().expect("four bytes"));
        // Most inputs have small steps: to the next minute, hour or day.
        let step = i64::from(i32::from_be_bytes(step));
        let step = if step % 2 == 0 { step / 2 } else { step % 90_000 };
        second = second.saturating_add_signed(step) % (1 << 40);
        let fraction = u32::from_be_bytes(fraction) % 1_000_000_000;
        let moment = Duration::new(second, fraction);
        for (form, used) in forms.into_iter().zip(&mut used) {
            let stamp = used.of(moment).to_vec();
            assert_eq!(stamp, Stamps::new(form, env).of(moment), "{form:?}");
            let text = str::from_utf8(&stamp).expect("ASCII").strip_suffix(' ').expect("a blank");
            let (unix, digits) = match form {
                StampForm::Label => {
                    assert_eq!(text.as_bytes(), Label::from_unix(moment).to_hex());
                    continue;
                }
                StampForm::Epoch => {
                    let (unix, digits) = text.split_once('.').expect("a dot");
                    (unix.parse().expect("a number"), digits)
                }
                StampForm::Utc | StampForm::Local => told(text),
            };
            assert_eq!(unix, second.cast_signed(), "{text}");
            assert_eq!(digits, format!("{:06}", fraction / 1000));
        }
    }
}

/// The seconds since 1970 that an ISO 8601 text tells, and its fraction's digits.
fn told(text: &str) -> (i64, &str) {
    let (date, time) = text.split_once('T').expect("a T");
    let number = |text: &str| text.parse::<i64>().expect("a number");
    let parts: Vec<i64> = date.split('-').map(number).collect();
    let [year, month, day] = parts[..] else { panic!("{date}") };
    let (time, zone) = time.split_at(time.find(['Z', '+', '-']).expect("a zone"));
    let (time, digits) = time.split_once('.').expect("a fraction");
    let seconds = |text: &str| text.split(':').map(number).fold(0, |sum, part| sum * 60 + part);
    let east = match zone.split_at(1) {
        ("Z", _) => 0,
        ("-", offset) => -seconds(offset) * 60,
        (_, offset) => seconds(offset) * 60,
    };
    // Years from March on: the day that may be missing is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let days = year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1 - 719_468;
    (days * 86_400 + seconds(time) - east, digits)
}
