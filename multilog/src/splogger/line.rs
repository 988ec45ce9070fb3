//! From bytes to messages: the pure part.

use super::message::{Message, Priority};
use crate::pieces::pieces;
use alloc::vec::Vec;
use core::time::Duration;

/// A traditional message has room for so much of a line; the rest follows in another. (Some daemons cut, or
/// once crashed on, messages of more than 1024 bytes.)
pub(crate) const FOLD: usize = 799;

/// `#` and three digits.
const ESCAPE: usize = 4;

/// What becomes of a line's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// What isn't printable ASCII becomes `?`.
    Printable,
    /// Control characters become `#` and their number in octal, as the usual receivers write them; RFC 5424,
    /// section 6.4, asks for none. All else stays, and no character is torn.
    Escaped,
    /// All stays, and no character is torn.
    Whole,
}

/// The line that is being read.
pub(crate) struct Lines {
    kind: Text,
    /// The most that a message holds: at least [`ESCAPE`], which is also the longest character.
    room: usize,
    /// What isn't sent yet, less than `room` bytes.
    text: Vec<u8>,
    /// What all messages of the line have in common; `None` between lines.
    line: Option<Line>,
}

struct Line {
    stamp: Duration,
    /// Known once the first message is made.
    sent: Option<Priority>,
}

impl Lines {
    pub(crate) fn new(kind: Text, room: usize) -> Self {
        Self { kind, room, text: Vec::new(), line: None }
    }

    /// Takes what was read at `now`, and emits a message for each line that it ends, and for each
    /// piece of a long one. Blank lines are none.
    pub(crate) fn feed(&mut self, bytes: &[u8], now: Duration, mut emit: impl FnMut(Message)) {
        for piece in pieces(bytes) {
            if !piece.text.is_empty() {
                self.line.get_or_insert(Line { stamp: now, sent: None });
                self.add(piece.text, &mut emit);
            }
            if piece.ends {
                self.finish(&mut emit);
            }
        }
    }

    /// Emits what is there of a line that no newline follows any more.
    pub(crate) fn finish(&mut self, mut emit: impl FnMut(Message)) {
        let text = core::mem::take(&mut self.text);
        self.emit(text, &mut emit);
        self.line = None;
    }

    /// Whether part of a line was read, and its end wasn't.
    pub(crate) fn is_in_line(&self) -> bool {
        self.line.is_some()
    }

    fn add(&mut self, mut part: &[u8], emit: &mut impl FnMut(Message)) {
        while let [first, rest @ ..] = part {
            if self.kind == Text::Escaped && *first < b' ' {
                if self.room - self.text.len() < ESCAPE {
                    self.flush(emit);
                }
                self.text.extend([b'#', b'0', b'0' + (first >> 3), b'0' + (first & 7)]);
                part = rest;
            } else {
                let plain = match self.kind {
                    Text::Escaped => part.iter().take_while(|byte| **byte >= b' ').count(),
                    Text::Printable | Text::Whole => part.len(),
                };
                let (now, later) = part.split_at(plain.min(self.room - self.text.len()));
                match self.kind {
                    Text::Printable => self.text.extend(now.iter().map(|byte| printable(*byte))),
                    Text::Escaped | Text::Whole => self.text.extend_from_slice(now),
                }
                part = later;
            }
            if self.text.len() == self.room {
                self.flush(emit);
            }
        }
    }

    /// Emits what is full, but for the beginning of a character at its end.
    fn flush(&mut self, emit: &mut impl FnMut(Message)) {
        let whole = match self.kind {
            Text::Printable => self.text.len(),
            Text::Escaped | Text::Whole => self.text.len() - torn(&self.text),
        };
        let rest = self.text.split_off(whole);
        let text = core::mem::replace(&mut self.text, rest);
        self.emit(text, emit);
    }

    fn emit(&mut self, text: Vec<u8>, emit: &mut impl FnMut(Message)) {
        let Some(line) = &mut self.line else { return };
        if text.is_empty() {
            return;
        }
        let continuation = line.sent.is_some();
        let priority = *line.sent.get_or_insert_with(|| Priority::of(&text));
        emit(Message { priority, stamp: line.stamp, continuation, text });
    }
}

fn printable(byte: u8) -> u8 {
    if matches!(byte, b' '..=b'~') { byte } else { b'?' }
}

/// How many bytes at the end are the beginning of a character in UTF-8: 0 to 3.
fn torn(text: &[u8]) -> usize {
    let last = &text[text.len().saturating_sub(3)..];
    let Some(at) = last.iter().rposition(|byte| !matches!(byte, 0x80..0xC0)) else { return 0 };
    let there = last.len() - at;
    let needed = match last[at] {
        0xC2..0xE0 => 2,
        0xE0..0xF0 => 3,
        0xF0..0xF5 => 4,
        _ => 1,
    };
    if there < needed { there } else { 0 }
}

#[cfg(test)]
mod tests;
