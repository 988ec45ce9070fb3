//! Lines of any content and length, cut in any way by reads and by the room there is.

use super::*;
use crate::cut::{cut_at, input};
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
    assert_eq!(folded(Text::Escaped, 99, b"a\tb\0c\x1f\x7f\xe9\n"), [b"a#011b#000c#037\x7f\xe9"]);
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

proptest! {
    #[test]
    fn how_the_input_is_cut_changes_nothing(input in input(700..1700), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9)) {
        let chunks = cut_at(&input, cuts.iter().map(|cut| cut.index(input.len() + 1)));
        prop_assert_eq!(read(&chunks), read(&[&input]));
    }

    #[test]
    fn no_byte_is_lost_however_little_the_room(input in input(700..1700), room in 4_usize..40, split in any::<prop::sample::Index>()) {
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
    fn no_byte_is_lost(input in input(700..1700)) {
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
