//! What a line goes through: patterns, scripts, and lines in whatever pieces.

use super::pieces::Pieces;
use crate::multilog::line::{HEAD, Lines, Sink};
use crate::multilog::pattern as simple;
use crate::multilog::script::{self as scripts, Action};
use crate::multilog::wildcard;
use crate::splogger::line as splogger;
use core::time::Duration;
use std::ffi::CString;
use sys::Args;

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
    let simple = simple::matches(pattern, text);
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
    let script = scripts::read(Args::new(args));
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
