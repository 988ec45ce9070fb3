//! What the fuzzer runs here: see fuzz/.

use crate::multilog::line::{HEAD, Lines, Sink};
use crate::multilog::pattern;
use crate::multilog::script::{self, Action};
use crate::multilog::stamp::{Form, Stamps};
use crate::multilog::{finished, wildcard};
use crate::splogger::line as splogger;
use crate::tai64nlocal::lines::Lines as Labels;
use crate::tai64nlocal::local::LocalTime;
use crate::tai64nlocal::rules::Rules;
use crate::tai64nlocal::tzif::TzFile;
use common::tai64n::Label;
use core::time::Duration;
use pieces::Pieces;
use std::convert::Infallible;
use std::ffi::CString;
use sys::{Args, Env};

#[path = "../../fuzz/pieces.rs"]
mod pieces;
#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

/// A pattern, a newline, and a text: fnmatch's stars are tried in every way; without stars and marks, both kinds of
/// pattern are what they are.
pub fn pattern(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (pattern, text) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let found = wildcard::matches(pattern, text);
    let stars = pattern.iter().filter(|byte| **byte == b'*').count();
    if stars <= 4 && text.len() <= 24 {
        assert_eq!(found, every_way(pattern, text));
    }
    let simple = pattern::matches(pattern, text);
    if stars == 0 {
        assert_eq!(simple, pattern == text);
    }
    if simple {
        assert!(text.len() + stars >= pattern.len());
    }
}

fn every_way(pattern: &[u8], text: &[u8]) -> bool {
    if let [b'*', rest @ ..] = pattern {
        return (0..=text.len()).any(|skipped| every_way(rest, &text[skipped..]));
    }
    if pattern.is_empty() {
        return text.is_empty();
    }
    match (wildcard::one(pattern), text) {
        (Some((element, rest)), [byte, later @ ..]) => {
            element.matches(*byte) && every_way(rest, later)
        }
        (None, _) | (_, []) => false,
    }
}

/// A script, an argument a line: what it asks for is within the bounds.
pub fn script(text: &[u8]) {
    let words = text.split(|byte| *byte == b'\n').map(|word| {
        CString::new(word.iter().copied().filter(|byte| *byte != 0).collect::<Vec<_>>())
    });
    let args: Vec<_> = std::iter::once(Ok(c"multilog".into())).chain(words).collect();
    let args: Vec<CString> = args.into_iter().collect::<Result<_, _>>().expect("no NUL");
    let count = args.len();
    let script = script::read(Args::new(args));
    assert!(script.actions.len() < count);
    for action in script.actions {
        match action {
            Action::Log(settings) => {
                assert!(matches!(settings.directory.to_bytes().first(), Some(b'.' | b'/')));
                assert!((4096..=0x7fff_ffff).contains(&settings.size) && settings.number >= 2);
            }
            Action::Choose { pattern, .. } => drop(pattern.matches(text)),
            Action::Alert | Action::Status(_) => {}
        }
    }
}

/// What a service says, in whatever pieces: multilog keeps every byte, splogger sends every printable one.
pub fn log_lines(data: &[u8]) {
    let pieces = Pieces::of(data);
    let whole = pieces.whole;
    for takes_all in [false, true] {
        let (mut lines, mut kept) = (Lines::new(None), Kept { takes_all, ..Kept::default() });
        pieces.iter().for_each(|piece| lines.feed(piece, || Duration::ZERO, &mut kept));
        assert_eq!(lines.is_in_line(), whole.last().is_some_and(|last| *last != b'\n'));
        let missing: &[u8] = if lines.is_in_line() { b"\n" } else { b"" };
        lines.finish(&mut kept);
        assert_eq!(kept.bytes, [whole, missing].concat());
        assert_eq!(kept.lines, kept.bytes.iter().filter(|byte| **byte == b'\n').count());
    }

    let (mut lines, mut sent) = (splogger::Lines::default(), Vec::new());
    let mut emit = |message: crate::splogger::message::Message| {
        assert!((1..=splogger::FOLD).contains(&message.text.len()));
        if !message.continuation {
            sent.push(Vec::new());
        }
        sent.last_mut().expect("a line").extend_from_slice(&message.text);
    };
    pieces.iter().for_each(|piece| lines.feed(piece, Duration::ZERO, &mut emit));
    lines.finish(&mut emit);
    let printable = |byte: &u8| if matches!(byte, b' '..=b'~') { *byte } else { b'?' };
    let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    assert_eq!(
        sent,
        lines.map(|line| line.iter().map(printable).collect()).collect::<Vec<Vec<_>>>()
    );
}

#[derive(Default)]
struct Kept {
    takes_all: bool,
    bytes: Vec<u8>,
    lines: usize,
}

impl Sink for Kept {
    fn begin(&mut self, bytes: &[u8], seen: usize) {
        assert!(seen <= HEAD && seen <= bytes.len() && !bytes[..seen].contains(&b'\n'));
        self.lines += 1;
        self.bytes.extend_from_slice(bytes);
    }

    fn more(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn takes_all(&self) -> bool {
        self.takes_all
    }

    fn all(&mut self, lines: &[u8]) {
        assert!(lines.ends_with(b"\n") && self.takes_all);
        self.lines += lines.iter().filter(|byte| **byte == b'\n').count();
        self.bytes.extend_from_slice(lines);
    }
}

/// A log that tai64nlocal reads, in whatever pieces: what isn't a label stays, and a label has a time.
pub fn local_times(data: &[u8]) {
    thread_local! {
        static ENV: Env = Env::new(vec![c"TZ=EST5EDT,M3.2.0,M11.1.0".into()]);
    }
    let pieces = Pieces::of(data);
    let mut time = LocalTime::new(ENV.with(|env| *env));
    let mut out = Vec::new();
    let mut labels = Labels::new(|bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok::<(), Infallible>(())
    });
    for piece in pieces.iter() {
        let Ok(()) = labels.convert(piece, |label| time.text(label));
    }
    let Ok(()) = labels.end();
    let mut expected = Vec::new();
    for line in pieces.whole.split_inclusive(|byte| *byte == b'\n') {
        let label = line.get(..25).and_then(Label::from_hex);
        match label.and_then(|label| time.text(label)) {
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

/// The names of the files in a log's directory: the next one comes after all that count, and never more go than
/// there are too many.
pub fn finished(data: &[u8]) {
    let names = data.split(|byte| *byte == b'\n').filter_map(|name| CString::new(name).ok());
    let there: Vec<CString> = names.collect();
    let name = finished::name(Duration::from_secs(1_700_000_000), &there, b"s");
    assert!(!there.contains(&name));
    assert!(name.to_bytes().len() == 27 && Label::from_hex(&name.to_bytes()[..25]).is_some());
    let gone = finished::surplus(&there, 5);
    let counts = |name: &&CString| name.to_bytes().len() >= 25 && name.to_bytes() < b"@z";
    assert_eq!(gone.len(), there.iter().filter(counts).count().saturating_sub(4));
    assert!(gone.iter().all(|name| there.contains(name)));
}

/// Moments, eight bytes each: so many seconds after the one before, or before it, and a fraction. Stamps that are made of each other
/// are what each would be alone, and say the moment that they are of.
pub fn stamps(data: &[u8]) {
    thread_local! {
        static ENV: Env = Env::new(vec![c"TZ=EST5EDT,M3.2.0,M11.1.0".into()]);
    }
    let env = ENV.with(|env| *env);
    let forms = [Form::Label, Form::Epoch, Form::Utc, Form::Local];
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
                Form::Label => {
                    assert_eq!(text.as_bytes(), Label::from_unix(moment).to_hex());
                    continue;
                }
                Form::Epoch => {
                    let (unix, digits) = text.split_once('.').expect("a dot");
                    (unix.parse().expect("a number"), digits)
                }
                Form::Utc | Form::Local => told(text),
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

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("pattern", super::pattern);
        replay("script", super::script);
        replay("log-lines", super::log_lines);
        replay("local-times", super::local_times);
        replay("zone", super::zone);
        replay("finished", super::finished);
        replay("stamps", super::stamps);
    }
}
