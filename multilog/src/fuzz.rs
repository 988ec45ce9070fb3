//! What the fuzzer runs here: see fuzz/.

use crate::multilog::line::{HEAD, Lines, Sink};
use crate::multilog::pattern;
use crate::multilog::script::{self, Action};
use crate::multilog::{finished, wildcard};
use crate::splogger::destination::{self, Destination};
use crate::splogger::line as splogger;
use crate::splogger::spool::segment::{self, Found};
use crate::splogger::structured;
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
    let (mut lines, mut kept) = (Lines::new(None), Kept::default());
    pieces.iter().for_each(|piece| lines.feed(piece, Duration::ZERO, &mut kept));
    assert_eq!(lines.is_in_line(), whole.last().is_some_and(|last| *last != b'\n'));
    let missing: &[u8] = if lines.is_in_line() { b"\n" } else { b"" };
    lines.finish(&mut kept);
    assert_eq!(kept.bytes, [whole, missing].concat());
    assert_eq!(kept.lines, kept.bytes.iter().filter(|byte| **byte == b'\n').count());

    let (mut lines, mut sent) =
        (splogger::Lines::new(splogger::Text::Printable, splogger::FOLD), Vec::new());
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

/// What an administrator writes for splogger, and what lies in a spool: structured data that are taken hold nothing that
/// ends a header; a destination is a name and a port; whatever a segment holds, its records are read to an end, and each
/// is what would be written.
pub fn forwarding(data: &[u8]) {
    if structured::is_valid(data) && data != b"-" {
        let text = std::str::from_utf8(data).expect("UTF-8");
        assert!(text.starts_with('[') && text.ends_with(']') && !text.contains(char::is_control));
        assert!(structured::is_valid(b"[q@1]") && !structured::is_valid(&[data, b" "].concat()));
        assert!(!structured::is_valid(&[data, data].concat()), "no element comes twice");
    }
    if let Ok(Destination::Udp(server) | Destination::Tcp(server) | Destination::Tls(server)) =
        destination::parse(data)
    {
        let host = server.host.to_bytes();
        assert!(server.port != 0 && !host.is_empty() && host.iter().all(u8::is_ascii_graphic));
    }
    let mut rest = data;
    while let Found::Record(length) = segment::record(rest) {
        let (record, later) = rest.split_at(length);
        let mut again = Vec::new();
        segment::put(&record[segment::RECORD..], &mut again);
        assert_eq!(again, record);
        rest = later;
    }
    if let Found::More(needed) = segment::record(rest) {
        assert!(needed > rest.len());
    }
    if let Some(head) = data.first_chunk() {
        assert!(segment::arrived(head).is_none_or(|arrived| arrived >= segment::HEAD));
    }
    if let Some(number) = segment::number(data) {
        assert_eq!(format!("{number:016x}").as_bytes(), data);
    }
    let pieces = Pieces::of(data);
    for (text, room) in [(splogger::Text::Whole, 4), (splogger::Text::Escaped, 9)] {
        let (mut lines, mut sent) = (splogger::Lines::new(text, room), Vec::new());
        let mut emit = |message: crate::splogger::message::Message| {
            assert!((1..=room).contains(&message.text.len()));
            if !message.continuation {
                sent.push(b'\n');
            }
            sent.extend(message.text);
        };
        pieces.iter().for_each(|piece| lines.feed(piece, Duration::ZERO, &mut emit));
        lines.finish(&mut emit);
        let mut expected = Vec::new();
        for line in pieces.whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            expected.push(b'\n');
            for byte in line {
                match (text, byte) {
                    (splogger::Text::Escaped, 0..32) => {
                        expected.extend(format!("#{byte:03o}").bytes());
                    }
                    _ => expected.push(*byte),
                }
            }
        }
        assert_eq!(sent, expected);
    }
}

#[derive(Default)]
struct Kept {
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
            assert!(rules.offset(unix).abs() <= 7 * 86_400, "{}", rules.offset(unix));
        }
        if let Some(file) = &file {
            assert!(file.offset(unix).seconds.abs() <= 1 << 33);
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
        replay("forwarding", super::forwarding);
    }
}
