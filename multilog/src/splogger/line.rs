//! From bytes to messages: the pure part.

use super::message::{Message, Priority};
use crate::pieces::pieces;
use alloc::vec::Vec;
use core::time::Duration;

/// A traditional message has room for so much of a line; the rest follows in another. (Some daemons cut, or
/// once crashed on, messages of more than 1024 bytes.)
pub(crate) const FOLD: usize = 799;

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
    as_is: Text,
    /// The most that a message holds, at least 4.
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
    pub(crate) fn new(text: Text, room: usize) -> Self {
        Self { as_is: text, room, text: Vec::new(), line: None }
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
            if self.as_is == Text::Escaped && *first < b' ' {
                if self.room - self.text.len() < 4 {
                    self.flush(emit);
                }
                self.text.extend([b'#', b'0', b'0' + (first >> 3), b'0' + (first & 7)]);
                part = rest;
            } else {
                let plain = match self.as_is {
                    Text::Escaped => part.iter().take_while(|byte| **byte >= b' ').count(),
                    Text::Printable | Text::Whole => part.len(),
                };
                let (now, later) = part.split_at(plain.min(self.room - self.text.len()));
                match self.as_is {
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
        let whole = match self.as_is {
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOON: Duration = Duration::from_secs(43_200);

    fn read(chunks: &[&[u8]]) -> Vec<Message> {
        let (mut lines, mut messages) = (Lines::new(Text::Printable, FOLD), Vec::new());
        for chunk in chunks {
            lines.feed(chunk, NOON, |message| messages.push(message));
        }
        lines.finish(|message| messages.push(message));
        assert!(!lines.is_in_line());
        messages
    }

    fn texts(input: &[u8]) -> Vec<String> {
        let text = |message: Message| String::from_utf8(message.text).expect("ASCII");
        read(&[input]).into_iter().map(text).collect()
    }

    #[test]
    fn lines_become_messages_and_blank_ones_none() {
        assert_eq!(texts(b"one\n\n\ntwo\n"), ["one", "two"]);
        assert_eq!(texts(b""), [""; 0]);
        assert_eq!(texts(b"\n"), [""; 0]);
        assert_eq!(texts(b" \n"), [" "]);
    }

    #[test]
    fn a_final_line_needs_no_newline() {
        assert_eq!(texts(b"one\ntwo"), ["one", "two"]);
    }

    #[test]
    fn what_is_not_printable_is_a_question_mark() {
        assert_eq!(texts(b"a\tb\0c\x7f\xc3\xa9 ~\r\n"), ["a?b?c??? ~?"]);
    }

    #[test]
    fn long_lines_are_folded_at_799() {
        for (length, pieces) in [
            (798, vec![798]),
            (799, vec![799]),
            (800, vec![799, 1]),
            (1598, vec![799, 799]),
            (1600, vec![799, 799, 2]),
        ] {
            let line = [&b"x".repeat(length)[..], b"\nnext\n"].concat();
            let messages = read(&[&line]);
            let (next, messages) = messages.split_last().expect("a message");
            assert_eq!(messages.iter().map(|m| m.text.len()).collect::<Vec<_>>(), pieces);
            let expected: Vec<bool> = (0..pieces.len()).map(|index| index > 0).collect();
            assert_eq!(messages.iter().map(|m| m.continuation).collect::<Vec<_>>(), expected);
            assert!(!next.continuation, "the next line is a line of its own");
        }
    }

    #[test]
    fn all_of_a_long_line_has_the_priority_of_its_beginning() {
        let line = [b"warning: ", &b"alert:".repeat(300)[..]].concat();
        assert!(read(&[&line]).iter().all(|message| message.priority == Priority::Warning));
        // A piece that happens to begin with the word doesn't count.
        let line = [&b"x".repeat(FOLD)[..], b"alert: "].concat();
        assert_eq!(read(&[&line])[1].priority, Priority::Info);
    }

    fn folded(text: Text, room: usize, line: &[u8]) -> Vec<Vec<u8>> {
        let (mut lines, mut texts) = (Lines::new(text, room), Vec::new());
        lines.feed(line, NOON, |message| texts.push(message.text));
        lines.finish(|message| texts.push(message.text));
        texts
    }

    #[test]
    fn control_characters_are_written_in_octal() {
        assert_eq!(
            folded(Text::Escaped, 99, b"a\tb\0c\x1f\x7f\xe9\n"),
            [b"a#011b#000c#037\x7f\xe9"]
        );
        assert_eq!(folded(Text::Whole, 99, b"a\tb\0c\x1f\x7f\xe9\n"), [b"a\tb\0c\x1f\x7f\xe9"]);
        // None is torn.
        assert_eq!(folded(Text::Escaped, 6, b"abc\tdef"), [&b"abc"[..], b"#011de", b"f"]);
        assert_eq!(folded(Text::Escaped, 4, b"\t\t"), [b"#011", b"#011"]);
    }

    #[test]
    fn no_character_is_torn() {
        for text in [Text::Escaped, Text::Whole] {
            let cut = |line: &str| {
                let texts = folded(text, 5, line.as_bytes());
                texts
                    .into_iter()
                    .map(|text| String::from_utf8(text).expect("UTF-8"))
                    .collect::<Vec<_>>()
            };
            assert_eq!(cut("abcdé"), ["abcd", "é"]);
            assert_eq!(cut("abcdeé"), ["abcde", "é"]);
            assert_eq!(cut("abc\u{20ac}def"), ["abc", "\u{20ac}de", "f"]);
            assert_eq!(cut("ab\u{1f600}cd"), ["ab", "\u{1f600}c", "d"]);
            assert_eq!(cut("ab\u{20ac}\u{20ac}"), ["ab\u{20ac}", "\u{20ac}"]);
            // What is no UTF-8 anyway goes on.
            assert_eq!(folded(text, 5, b"\xe2\xe2\xe2\xe2\xe2\xe2").concat(), b"\xe2".repeat(6));
            assert_eq!(folded(text, 5, &b"\x80".repeat(7)).concat(), b"\x80".repeat(7));
        }
    }

    #[test]
    fn the_stamp_is_the_first_bytes() {
        let (mut lines, mut stamps) = (Lines::new(Text::Printable, FOLD), Vec::new());
        for (second, chunk) in [(1, &b"on"[..]), (2, b"e\n\nt"), (3, b"wo"), (4, b"\nthree\n")] {
            let now = Duration::from_secs(second);
            lines.feed(chunk, now, |message| stamps.push(message.stamp.as_secs()));
        }
        assert_eq!(stamps, [1, 2, 4]);
    }

    fn input() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![4 => Just(b'x'), 1 => Just(b'\n'), 2 => any::<u8>()];
        let piece = prop_oneof![
            prop::collection::vec(byte, 0..60),
            (700_usize..1700).prop_map(|length| b"y".repeat(length)),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn how_the_input_is_cut_changes_nothing(input in input(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9)) {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([input.len()]) {
                chunks.push(&input[from..cut]);
                from = cut;
            }
            prop_assert_eq!(read(&chunks), read(&[&input]));
        }

        #[test]
        fn no_byte_is_lost_however_little_the_room(input in input(), room in 4_usize..40, split in any::<prop::sample::Index>()) {
            let (mut lines, mut joined) = (Lines::new(Text::Whole, room), Vec::new());
            let mut emit = |message: Message| {
                assert!((1..=room).contains(&message.text.len()));
                if !message.continuation {
                    joined.push(b'\n');
                }
                joined.extend(message.text);
            };
            let (before, after) = input.split_at(split.index(input.len() + 1));
            lines.feed(before, NOON, &mut emit);
            lines.feed(after, NOON, &mut emit);
            lines.finish(&mut emit);
            let lines: Vec<u8> = input
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .flat_map(|line| [b"\n", line].concat())
                .collect();
            prop_assert_eq!(joined, lines);
        }

        #[test]
        fn no_byte_is_lost(input in input()) {
            let mut joined = Vec::new();
            for message in read(&[&input]) {
                prop_assert!((1..=FOLD).contains(&message.text.len()));
                if !message.continuation {
                    joined.push(Vec::new());
                }
                joined.last_mut().expect("a first piece comes first").extend(message.text);
            }
            let lines: Vec<Vec<u8>> = input
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
                .map(|line| line.iter().map(|byte| printable(*byte)).collect())
                .collect();
            prop_assert_eq!(joined, lines);
        }
    }
}
