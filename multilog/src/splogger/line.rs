//! From bytes to messages: the pure part.

use super::message::{Message, Priority};
use crate::pieces::pieces;
use alloc::vec::Vec;
use core::time::Duration;

/// A message has room for so much of a line; the rest follows in another. (Some daemons cut, or
/// once crashed on, messages of more than 1024 bytes.)
pub(crate) const FOLD: usize = 799;

/// The line that is being read.
#[derive(Default)]
pub(crate) struct Lines {
    /// What isn't sent yet, at most [`FOLD`] bytes.
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
    /// Takes what was read at `now`, and emits a message for each line that it ends, and for each
    /// piece of a long one. Blank lines are none. What isn't printable ASCII becomes `?`.
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
        self.flush(&mut emit);
        self.line = None;
    }

    /// Whether part of a line was read, and its end wasn't.
    pub(crate) fn is_in_line(&self) -> bool {
        self.line.is_some()
    }

    fn add(&mut self, mut part: &[u8], emit: &mut impl FnMut(Message)) {
        while !part.is_empty() {
            let (now, later) = part.split_at(part.len().min(FOLD - self.text.len()));
            self.text.extend(now.iter().map(|byte| printable(*byte)));
            if self.text.len() == FOLD {
                self.flush(emit);
            }
            part = later;
        }
    }

    fn flush(&mut self, emit: &mut impl FnMut(Message)) {
        let Some(line) = &mut self.line else { return };
        if self.text.is_empty() {
            return;
        }
        let continuation = line.sent.is_some();
        let priority = *line.sent.get_or_insert_with(|| Priority::of(&self.text));
        let text = core::mem::take(&mut self.text);
        emit(Message { priority, stamp: line.stamp, continuation, text });
    }
}

fn printable(byte: u8) -> u8 {
    if matches!(byte, b' '..=b'~') { byte } else { b'?' }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOON: Duration = Duration::from_secs(43_200);

    fn read(chunks: &[&[u8]]) -> Vec<Message> {
        let (mut lines, mut messages) = (Lines::default(), Vec::new());
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

    #[test]
    fn the_stamp_is_the_first_bytes() {
        let (mut lines, mut stamps) = (Lines::default(), Vec::new());
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
