//! From bytes to lines, in bounded memory, however long they are: the pure part.

use super::journal::record::{Hand, InHand};
use super::stamp::{Moments, Stamps};
use crate::pieces::pieces;
use alloc::vec::Vec;
use core::time::Duration;
use memchr::memrchr;

/// So much of a line, its stamp included, is what the actions see. Once it is there, they are
/// carried out; what follows goes where the line goes.
pub(crate) const HEAD: usize = 1000;

/// What is done with lines.
pub(crate) trait Sink {
    /// A line begins. `bytes` are its first ones, up to and with the newline if it is no longer than
    /// [`HEAD`]; the actions see the first `seen` of them, which leave the newline out.
    fn begin(&mut self, bytes: &[u8], seen: usize);
    /// It goes on, up to and with its newline.
    fn more(&mut self, bytes: &[u8]);
    /// Whether whatever comes goes everywhere, and nobody looks at it.
    fn takes_all(&self) -> bool;
    /// Whole lines, for one that does.
    fn all(&mut self, lines: &[u8]);
}

/// The line that is being read.
pub(crate) struct Lines {
    stamps: Option<Stamps>,
    moments: Moments,
    state: State,
    /// The beginning of a line whose end, or 1000th character, isn't there yet.
    head: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    /// What was read of the line is in `head`.
    InHead,
    /// The actions were carried out.
    InRest,
}

impl Lines {
    /// Lines that get these stamps.
    pub(crate) fn new(stamps: Option<Stamps>) -> Self {
        let head = Vec::with_capacity(HEAD + 1);
        Self { stamps, moments: Moments::default(), state: State::Between, head }
    }

    /// Goes on where somebody else has stopped.
    pub(crate) fn resume(&mut self, hand: Hand) {
        self.moments = Moments::from(hand.next);
        self.head.clear();
        self.state = match hand.line {
            InHand::Nothing => State::Between,
            InHand::Head(head) => {
                self.head.extend_from_slice(&head);
                State::InHead
            }
            InHand::Rest => State::InRest,
        };
    }

    /// What somebody else needs to know to go on.
    pub(crate) fn hand(&self) -> Hand {
        let line = match self.state {
            State::Between => InHand::Nothing,
            State::InHead => InHand::Head(self.head.clone()),
            State::InRest => InHand::Rest,
        };
        Hand { next: self.moments.next(), line }
    }

    /// Whether part of a line was read, and its end wasn't.
    pub(crate) fn is_in_line(&self) -> bool {
        self.state != State::Between
    }

    /// Takes what was read `now`, which is asked for where there are stamps.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        now: impl FnOnce() -> Duration,
        sink: &mut impl Sink,
    ) {
        if self.stamps.is_some() {
            self.moments.now_is(now());
        }
        let mut rest = bytes;
        for piece in pieces(bytes) {
            let is_plain = self.state == State::Between && self.stamps.is_none();
            if is_plain && sink.takes_all() {
                return self.pass(rest, sink);
            }
            let (whole, later) = rest.split_at(piece.text.len() + usize::from(piece.ends));
            rest = later;
            if is_plain && is_simple(whole, piece.ends) {
                sink.begin(whole, piece.text.len());
                continue;
            }
            self.add(piece.text, sink);
            if piece.ends {
                self.finish(sink);
            }
        }
    }

    /// Hands on all lines at once; what is left is the beginning of one.
    fn pass(&mut self, bytes: &[u8], sink: &mut impl Sink) {
        let (lines, rest) = bytes.split_at(memrchr(b'\n', bytes).map_or(0, |at| at + 1));
        if !lines.is_empty() {
            sink.all(lines);
        }
        if !rest.is_empty() {
            self.add(rest, sink);
        }
    }

    /// Ends the line in hand, if there is one, with a newline.
    pub(crate) fn finish(&mut self, sink: &mut impl Sink) {
        match self.state {
            State::Between => return,
            State::InHead => {
                let seen = self.head.len();
                self.head.push(b'\n');
                sink.begin(&self.head, seen);
            }
            State::InRest => sink.more(b"\n"),
        }
        self.head.clear();
        self.state = State::Between;
    }

    fn add(&mut self, text: &[u8], sink: &mut impl Sink) {
        if self.state == State::Between {
            self.state = State::InHead;
            if let Some(stamps) = &mut self.stamps {
                self.head.extend_from_slice(stamps.of(self.moments.take()));
            }
        }
        let mut text = text;
        if self.state == State::InHead {
            let (fits, rest) = text.split_at(text.len().min(HEAD - self.head.len()));
            self.head.extend_from_slice(fits);
            text = rest;
            if self.head.len() == HEAD {
                sink.begin(&self.head, HEAD);
                self.state = State::InRest;
            }
        }
        if !text.is_empty() {
            sink.more(text);
        }
    }
}

/// Whether a line lies as it is in what was read.
fn is_simple(whole: &[u8], ends: bool) -> bool {
    ends && whole.len() <= HEAD
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cut::{cut_at, input};
    use crate::multilog::stamp::Form;
    use proptest::prelude::*;
    use sys::Env;

    /// Each line, and what the actions saw of it.
    #[derive(Default, Debug, PartialEq, Eq)]
    struct Seen(Vec<(Vec<u8>, Vec<u8>)>);

    /// All bytes, by whichever way they came.
    #[derive(Default)]
    struct Taken(Vec<u8>);

    impl Sink for Taken {
        fn begin(&mut self, bytes: &[u8], _: usize) {
            self.more(bytes);
        }

        fn more(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }

        fn takes_all(&self) -> bool {
            true
        }

        fn all(&mut self, lines: &[u8]) {
            assert!(lines.ends_with(b"\n") && (self.0.is_empty() || self.0.ends_with(b"\n")));
            self.more(lines);
        }
    }

    impl Sink for Seen {
        fn begin(&mut self, bytes: &[u8], seen: usize) {
            if let Some((before, _)) = self.0.last() {
                assert_eq!(before.last(), Some(&b'\n'), "a line begins where another ended");
            }
            self.0.push((bytes.to_vec(), bytes[..seen].to_vec()));
        }

        fn more(&mut self, bytes: &[u8]) {
            self.0.last_mut().expect("it has begun").0.extend_from_slice(bytes);
        }

        fn takes_all(&self) -> bool {
            false
        }

        fn all(&mut self, _: &[u8]) {
            unreachable!("it was told not to");
        }
    }

    fn lines(form: Option<Form>) -> Lines {
        Lines::new(form.map(|form| Stamps::new(form, Env::new(Vec::new()))))
    }

    fn read(form: Option<Form>, chunks: &[&[u8]]) -> Seen {
        let (mut lines, mut seen) = (lines(form), Seen::default());
        for chunk in chunks {
            lines.feed(chunk, || Duration::from_secs(1), &mut seen);
        }
        lines.finish(&mut seen);
        assert!(!lines.is_in_line());
        seen
    }

    #[test]
    fn the_actions_see_a_thousand_characters() {
        for length in [0, 1, 998, 999, 1000, 1001, 1002, 5000] {
            let line = [&b"x".repeat(length)[..], b"\n"].concat();
            let seen = read(None, &[&line, b"y"]);
            let expected = (line.clone(), line[..length.min(1000)].to_vec());
            assert_eq!(seen.0, [expected, (b"y\n".to_vec(), b"y".to_vec())], "{length}");
        }
    }

    #[test]
    fn the_stamp_is_part_of_what_they_see() {
        let seen = read(Some(Form::Epoch), &[&b"x".repeat(2000), b"\n\n"]);
        assert_eq!(seen.0[0].1.len(), 1000);
        assert!(seen.0[0].1.starts_with(b"1.000000 xx"));
        assert_eq!(seen.0[0].0.len(), 9 + 2001);
        assert_eq!(seen.0[1].0, b"1.000000 \n");
    }

    #[test]
    fn the_stamp_is_that_of_the_first_byte() {
        let (mut lines, mut seen) = (lines(Some(Form::Epoch)), Seen::default());
        for (second, chunk) in [(1, &b"on"[..]), (2, b"e\n\nt"), (3, b"wo"), (4, b"\nthree\n")] {
            lines.feed(chunk, || Duration::from_secs(second), &mut seen);
        }
        let texts: Vec<_> = seen.0.iter().map(|(line, _)| line.as_slice()).collect();
        let expected: [&[u8]; 4] =
            [b"1.000000 one\n", b"2.000000 \n", b"2.000000 two\n", b"4.000000 three\n"];
        assert_eq!(texts, expected);
    }

    proptest! {
        #[test]
        fn how_the_input_is_cut_changes_nothing(input in input(900..2100), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..9)) {
            let chunks = cut_at(&input, cuts.iter().map(|cut| cut.index(input.len() + 1)));
            prop_assert_eq!(read(None, &chunks), read(None, &[&input]));
        }

        #[test]
        fn another_goes_on_where_one_stops(input in input(900..2100), at in any::<prop::sample::Index>()) {
            let (before, after) = input.split_at(at.index(input.len() + 1));
            let form = Some(Form::Label);
            let (mut one, mut seen) = (lines(form), Seen::default());
            one.feed(before, || Duration::from_secs(1), &mut seen);
            let mut other = lines(form);
            other.resume(one.hand());
            other.feed(after, || Duration::from_secs(1), &mut seen);
            other.finish(&mut seen);
            prop_assert_eq!(seen, read(form, &[before, after]));
        }

        #[test]
        fn what_nobody_looks_at_is_the_same_in_the_end(input in input(900..2100), chunk in 1_usize..3000) {
            for form in [None, Some(Form::Epoch)] {
                let (mut lines, mut taken) = (lines(form), Taken::default());
                for chunk in input.chunks(chunk) {
                    lines.feed(chunk, || Duration::from_secs(1), &mut taken);
                    // What isn't there yet is kept back.
                    prop_assert_eq!(lines.is_in_line(), !chunk.ends_with(b"\n"));
                }
                lines.finish(&mut taken);
                let chunks: Vec<&[u8]> = input.chunks(chunk).collect();
                let seen: Vec<u8> = read(form, &chunks).0.into_iter().flat_map(|(line, _)| line).collect();
                prop_assert_eq!(taken.0, seen);
            }
        }

        #[test]
        fn no_byte_is_lost(input in input(900..2100)) {
            let joined: Vec<u8> = read(None, &[&input]).0.into_iter().flat_map(|(line, _)| line).collect();
            let mut expected = input;
            if !expected.is_empty() && !expected.ends_with(b"\n") {
                expected.push(b'\n');
            }
            prop_assert_eq!(joined, expected);
        }
    }
}
