//! The client's lines, out of whatever pieces the network delivers them in.

use zeroize::Zeroize;

/// The longest command that is looked at, its line end not counted. RFC 2449, section 4, lets
/// commands have 255 octets with their CRLF; we are more patient than that.
pub const LIMIT: usize = 510;

/// Lines are gathered here; what comes in one piece is answered in one.
const ROOM: usize = 4096;

/// One of the client's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line, without its LF or CRLF.
    Whole(&'a [u8]),
    /// One that was longer than it may be: it was thrown away, to its end.
    TooLong,
}

/// Bytes from the client that aren't yet answered.
pub struct Lines {
    bytes: [u8; ROOM],
    start: usize,
    end: usize,
    /// The line that began before `start` is too long; what still comes of it is thrown away.
    discarding: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self { bytes: [0; ROOM], start: 0, end: 0, discarding: false }
    }
}

impl Lines {
    /// Where to put what the client sends next; never empty once [`next`](Self::next) has given
    /// nothing.
    pub fn space(&mut self) -> &mut [u8] {
        self.bytes.copy_within(self.start..self.end, 0);
        let held = self.end;
        self.end -= self.start;
        self.start = 0;
        // What was answered may have been a password.
        self.bytes[self.end..held].zeroize();
        &mut self.bytes[self.end..]
    }

    /// Notes that so many bytes were put there.
    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// The next line; `None` until more has come.
    #[expect(clippy::should_implement_trait, reason = "the line borrows from us")]
    pub fn next(&mut self) -> Option<Line<'_>> {
        self.next_within(LIMIT)
    }

    /// The same where a line may have `limit` bytes, at most half of what is gathered.
    pub fn next_within(&mut self, limit: usize) -> Option<Line<'_>> {
        let pending = &self.bytes[self.start..self.end];
        let Some(length) = memchr::memchr(b'\n', pending) else {
            // One more than the limit may be the CR of a line that keeps it.
            if self.discarding || pending.len() > limit + 1 {
                self.discarding = true;
                self.start = self.end;
            }
            return None;
        };
        let line = &pending[..length];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.start += length + 1;
        if core::mem::take(&mut self.discarding) || line.len() > limit {
            return Some(Line::TooLong);
        }
        Some(Line::Whole(line))
    }

    /// Forgets all that was held, so that no password stays in memory.
    pub fn wipe(&mut self) {
        self.bytes.zeroize();
        self.start = 0;
        self.end = 0;
        self.discarding = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// What comes out when `input` comes in pieces of these sizes, over and over.
    fn split(input: &[u8], pieces: &[usize]) -> Vec<Option<Vec<u8>>> {
        let (mut lines, mut out, mut rest) = (Lines::default(), Vec::new(), input);
        for piece in pieces.iter().cycle() {
            while let Some(line) = lines.next() {
                out.push(match line {
                    Line::Whole(line) => Some(line.to_vec()),
                    Line::TooLong => None,
                });
            }
            let space = lines.space();
            assert!(!space.is_empty());
            let count = rest.len().min(*piece).min(space.len());
            if count == 0 {
                break;
            }
            space[..count].copy_from_slice(&rest[..count]);
            lines.filled(count);
            rest = &rest[count..];
        }
        out
    }

    #[test]
    fn line_ends() {
        let lines = split(b"a\r\nb\n\r\n\n\r\r\nc\rd\nrest", &[5]);
        let expected: [&[u8]; 6] = [b"a", b"b", b"", b"", b"\r", b"c\rd"];
        assert_eq!(lines, expected.map(|line| Some(line.to_vec())));
    }

    #[test]
    fn a_line_that_is_too_long_is_discarded_to_its_end() {
        for length in [LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 2, ROOM, 3 * ROOM + 7] {
            for end in ["\n", "\r\n"] {
                let line = "x".repeat(length);
                let input = std::format!("noop{end}{line}{end}quit{end}");
                for piece in [1, 2, 509, 4096] {
                    let lines = split(input.as_bytes(), &[piece]);
                    let middle = (length <= LIMIT).then(|| line.clone().into_bytes());
                    assert_eq!(lines, [Some(b"noop".to_vec()), middle, Some(b"quit".to_vec())]);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            input in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'x')], 0..2000),
            pieces in prop::collection::vec(1_usize..700, 1..5),
        ) {
            prop_assert_eq!(split(&input, &pieces), split(&input, &[ROOM]));
        }
    }
}
