//! What the fuzzer runs here: see fuzz/.

use crate::multilog::compression::Format;
use crate::multilog::journal::place::File;
use crate::multilog::journal::record::{Record, checksum};
use crate::multilog::journal::replay::plan;
use crate::multilog::line::{HEAD, Lines, Sink};
use crate::multilog::pattern;
use crate::multilog::script::{self, Action};
use crate::multilog::{finished, limits, wildcard};
use crate::splogger::destination::{self, Destination};
use crate::splogger::line as splogger;
use crate::splogger::spool::segment::{self, Found};
use crate::splogger::structured;
use crate::svlog::civil::Twice;
use crate::svlog::content::Content;
use crate::svlog::lines::Lines as LogLines;
use crate::svlog::{stamp, time};
use crate::tai64nlocal::labels::Labels;
use crate::tai64nlocal::lines::{Lines as TimeLines, Place, Sought};
use crate::tai64nlocal::local::LocalTime;
use crate::tai64nlocal::reading::{self, LONGEST, Outcome};
use crate::tai64nlocal::rules::Rules;
use crate::tai64nlocal::tzif::TzFile;
use crate::tai64nlocal::zone::Zone;
use crate::wall::{Form, WallClock};
use crate::{gzip, zstandard};
use common::tai64n::Label;
use core::time::Duration;
use pieces::Pieces;
use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::rc::Rc;
use sys::{Args, Env, Errno};

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
    let mut lines = TimeLines::new(place, |first: &[u8], second: &[u8]| {
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

/// The names of the files in a log's directory: the next one comes after all that count, and never more go than
/// there are too many.
pub fn finished(data: &[u8]) {
    let names = data.split(|byte| *byte == b'\n').filter_map(|name| CString::new(name).ok());
    let there: Vec<CString> = names.collect();
    let name = finished::name(Duration::from_secs(1_700_000_000), &there, b"s");
    assert!(!there.contains(&name));
    assert!(name.to_bytes().len() == 27 && Label::from_hex(&name.to_bytes()[..25]).is_some());
    let files = finished::in_order(&there);
    let counts = |name: &&CString| name.to_bytes().len() >= 25 && name.to_bytes() < b"@z";
    let counted = there.iter().filter(counts).count();
    let is_copy = |name: &&CString| Format::stripped(name.to_bytes()).is_some();
    assert!(
        files.len() <= counted && counted <= files.len() + there.iter().filter(is_copy).count()
    );
    assert!(files.is_sorted());
    assert_eq!(limits::too_many(&files, 5), files.len().saturating_sub(4));
    let (age, now) = (Duration::from_secs(1000), Duration::from_secs(1_700_000_000));
    let left = &files[limits::expired(&files, age, now)..];
    assert!(limits::next_expiry(left, age).is_none_or(|next| next > now));
}

/// A journal's record, as it may be found, and the size of a journal: what is read is written as it was, and nothing of the
/// journal is passed over that no record says is done.
pub fn journal_record(data: &[u8]) {
    let read = Record::decode(data);
    // The checksum would keep nearly everything out.
    let mut bytes = data.to_vec();
    if let (Ok(length), true) = (u32::try_from(bytes.len()), bytes.len() > 20) {
        bytes[..8].copy_from_slice(b"mlogjrn1");
        bytes[16..20].copy_from_slice(&length.to_le_bytes());
        let sum = checksum(&bytes[16..]);
        bytes[8..16].copy_from_slice(&sum.to_le_bytes());
    }
    let mended = Record::decode(&bytes);
    for record in [&read, &mended].into_iter().flatten() {
        assert_eq!(Record::decode(&record.encode()).as_ref(), Some(record));
        for place in &record.places {
            let current = File { number: record.begin, size: record.end };
            assert!(place.there(Some(current)) >= place.there(None));
            let mut left = *place;
            left.leave(Some(current));
            assert_eq!(left.there(Some(current)), place.there(Some(current)));
        }
    }
    let size = data.first_chunk().map_or(0, |size| u64::from_le_bytes(*size));
    let found = plan([read, mended], size);
    assert!(found.record.begin <= found.record.end && found.record.end == found.new.start);
    assert!(found.new.start <= found.new.end && found.new.end == size);
}

/// Rules of a time zone, a newline, and a time as an administrator types it: it isn't before 1970, and of two moments
/// that may be meant the first is the first; what begins a line with a stamp reads the same alone.
pub fn svlog_time(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let zone = Rules::parse(&data[..end]).map_or(Zone::Utc, Zone::Rules);
    let text = data.get(end + 1..).unwrap_or_default();
    let now = Duration::new(1_795_472_101, 5);
    let [first, second] =
        [Twice::First, Twice::Second].map(|twice| time::parse(text, now, &zone, twice));
    assert!(first <= second && first.is_some() == second.is_some());
    if let Some(label) = first
        && !text.starts_with(b"@")
    {
        assert!(label >= Label::from_unix(Duration::ZERO) && label.nanoseconds() < 1_000_000_000);
    }
    if let Some(found) = stamp::read(text, &zone) {
        assert!((16..=stamp::LONGEST).contains(&found.length));
        assert_eq!(stamp::read(&text[..found.length], &zone), Some(found));
    }
}

/// The files of a log, each ended by a NUL, in whatever pieces: their lines are those that one gets who has all of it at once.
pub fn svlog_lines(data: &[u8]) {
    let is_stamp = |line: &[u8]| stamp::read(line, &Zone::Utc).is_some();
    let pieces = Pieces::of(data);
    let (mut lines, mut found): (LogLines, Vec<Vec<u8>>) = (LogLines::default(), Vec::new());
    let mut drain = |lines: &mut LogLines| {
        while let Some(piece) = lines.next(is_stamp) {
            if piece.begins {
                found.push(Vec::new());
            }
            found.last_mut().expect("a line").extend_from_slice(lines.bytes(&piece));
            lines.take(&piece);
        }
    };
    for piece in pieces.iter() {
        for part in piece.split_inclusive(|byte| *byte == 0) {
            let bytes = part.strip_suffix(b"\0").unwrap_or(part);
            for bytes in bytes.chunks(1000) {
                lines.room()[..bytes.len()].copy_from_slice(bytes);
                lines.filled(bytes.len());
                drain(&mut lines);
            }
            if bytes.len() < part.len() {
                lines.next_file(is_stamp);
                drain(&mut lines);
            }
        }
    }
    lines.next_file(is_stamp);
    lines.seal();
    drain(&mut lines);
    let mut whole: Vec<u8> = Vec::new();
    for file in pieces.whole.split(|byte| *byte == 0) {
        let torn = whole.last().is_some_and(|last| *last != b'\n');
        if torn && file.split(|byte| *byte == b'\n').next().is_some_and(is_stamp) {
            whole.push(b'\n');
        }
        whole.extend_from_slice(file);
    }
    let expected: Vec<&[u8]> = whole
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
        .collect();
    assert_eq!(found, expected);
}

/// A finished file that claims to be compressed: it is read to its end, or to where it is wrong; from a place on, it is what
/// it was from there on.
pub fn svlog_content(data: &[u8]) {
    const MOST: usize = 1 << 20;
    let file = sys::fs::memfd_create(c"content", sys::fs::MemfdFlags::CLOEXEC).expect("memory");
    sys::write_all(&file, data).expect("written");
    let file = Rc::new(file);
    let read = |start| {
        let (mut all, mut buffer) = (Vec::new(), [0; 999]);
        let mut content = Content::of_finished(file.clone(), start).ok()?;
        while all.len() < MOST {
            match content.read(&mut buffer) {
                Ok(0) => return Some((all, true)),
                Ok(count) => all.extend_from_slice(&buffer[..count]),
                Err(_) => return Some((all, false)),
            }
        }
        None
    };
    if let Some((all, true)) = read(0) {
        let place = all.len() / 2;
        assert_eq!(read(place as u64), Some((all[place..].to_vec(), true)));
    }
}

/// Anything at all, compressed and expanded: the same again, in whatever pieces it was read, and hardly larger on the way.
pub fn compressed(data: &[u8]) {
    let pieces = Pieces::of(data);
    let whole = pieces.whole;
    let mut chunks: Vec<&[u8]> = pieces.iter().filter(|piece| !piece.is_empty()).collect();
    chunks.reverse();
    let read = |buffer: &mut [u8]| {
        let Some(chunk) = chunks.pop() else { return Ok(0) };
        let (now, later) = chunk.split_at(chunk.len().min(buffer.len()));
        buffer[..now.len()].copy_from_slice(now);
        chunks.extend((!later.is_empty()).then_some(later));
        Ok(now.len())
    };
    let mut small = Vec::new();
    let write = |bytes: &[u8]| {
        small.extend_from_slice(bytes);
        Ok(())
    };
    zstandard::compress(read, write).expect("memory");
    assert!(small.len() <= whole.len() + 13 + 3 * (whole.len() / 0x20000));
    let mut back = Vec::new();
    zstandard::decompress(reader(&small), |bytes| back.extend_from_slice(bytes)).expect("whole");
    assert!(back == whole);

    let mut small = Vec::new();
    let write = |bytes: &[u8]| {
        small.extend_from_slice(bytes);
        Ok(())
    };
    gzip::compress(reader(whole), write).expect("memory");
    back.clear();
    gzip::decompress(reader(&small), |bytes| back.extend_from_slice(bytes)).expect("whole");
    assert!(back == whole);
}

fn reader(bytes: &[u8]) -> impl FnMut(&mut [u8]) -> Result<usize, Errno> {
    let mut rest = bytes;
    move |buffer| {
        let (now, later) = rest.split_at(rest.len().min(buffer.len()));
        buffer[..now.len()].copy_from_slice(now);
        rest = later;
        Ok(now.len())
    }
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
        replay("times", super::times);
        replay("zone", super::zone);
        replay("finished", super::finished);
        replay("compressed", super::compressed);
        replay("journal-record", super::journal_record);
        replay("svlog-time", super::svlog_time);
        replay("svlog-lines", super::svlog_lines);
        replay("svlog-content", super::svlog_content);
        replay("forwarding", super::forwarding);
    }
}
