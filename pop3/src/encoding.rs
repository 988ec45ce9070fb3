//! A message on its way to the client (RFC 1939, section 3): lines end in CRLF, and one that begins
//! with a dot gets a second one.
//!
//! LF becomes CRLF; CRLF stays as it is; a CR that no LF follows is a byte like any other. A
//! message whose last line has no end is sent as if there were an LF. So a file's size on the wire
//! follows from its bytes alone ([`Size`]), dots that are stuffed not counted.

use alloc::vec::Vec;
use memchr::{memchr, memchr_iter};

/// Encodes a message that comes in pieces.
#[derive(Debug, Clone, Copy)]
pub struct Encoder {
    /// The byte before the next piece; LF before the first.
    last: u8,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { last: b'\n' }
    }
}

impl Encoder {
    /// Appends the next piece, encoded: at most twice its length and one byte more.
    pub fn encode(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let Some(last) = piece.last() else { return };
        out.reserve(2 * piece.len() + 1);
        let mut before = self.last;
        let mut start = 0;
        for end in memchr_iter(b'\n', piece) {
            let line = &piece[start..end];
            if before == b'\n' && line.first() == Some(&b'.') {
                out.push(b'.');
            }
            out.extend_from_slice(line);
            let cr = line.last().map_or(before == b'\r', |last| *last == b'\r');
            out.extend_from_slice(if cr { b"\n" } else { b"\r\n" });
            before = b'\n';
            start = end + 1;
        }
        let rest = &piece[start..];
        if before == b'\n' && rest.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(rest);
        self.last = *last;
    }

    /// Appends what is missing of the last line's end, and the line that ends a reply.
    pub fn finish(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.last {
            b'\n' => b".\r\n",
            b'\r' => b"\n.\r\n",
            _ => b"\r\n.\r\n",
        });
    }
}

/// The octets that a message has on the wire: what [`Encoder`] makes of it, without the dots that
/// it adds and the line that ends the reply.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    octets: u64,
    last: u8,
}

impl Default for Size {
    fn default() -> Self {
        Self { octets: 0, last: b'\n' }
    }
}

impl Size {
    /// Counts the next piece.
    pub fn count(&mut self, piece: &[u8]) {
        let Some(last) = piece.last() else { return };
        let lines = memchr_iter(b'\n', piece);
        let bare = if self.last != b'\r' && memchr(b'\r', piece).is_none() {
            lines.count()
        } else {
            let cr_before = |lf: usize| {
                lf.checked_sub(1).map_or(self.last == b'\r', |before| piece[before] == b'\r')
            };
            lines.filter(|lf| !cr_before(*lf)).count()
        };
        self.octets += (piece.len() + bare) as u64;
        self.last = *last;
    }

    /// The size, when all was counted.
    #[must_use]
    pub fn total(self) -> u64 {
        self.octets
            + match self.last {
                b'\n' => 0,
                b'\r' => 1,
                _ => 2,
            }
    }
}

/// The part of a message that TOP asks for: its header, the empty line after it, and the first
/// lines of its body.
#[derive(Debug, Clone, Copy)]
pub struct Top {
    in_header: bool,
    lines: u64,
    line: Begun,
}

/// What the line that isn't over yet holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    Nothing,
    Cr,
    Text,
}

impl Top {
    /// So many lines of the body.
    #[must_use]
    pub fn new(lines: u64) -> Self {
        Self { in_header: true, lines, line: Begun::Nothing }
    }

    /// How much of the next piece belongs to it. Less than the whole piece: that was all.
    pub fn take(&mut self, piece: &[u8]) -> usize {
        let mut start = 0;
        while start < piece.len() && !self.is_over() {
            let Some(length) = memchr(b'\n', &piece[start..]) else {
                self.note(&piece[start..]);
                return piece.len();
            };
            self.note(&piece[start..start + length]);
            if !self.in_header {
                self.lines -= 1;
            } else if self.line != Begun::Text {
                self.in_header = false;
            }
            self.line = Begun::Nothing;
            start += length + 1;
        }
        start
    }

    /// Whether nothing that follows belongs to it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        !self.in_header && self.lines == 0
    }

    fn note(&mut self, part: &[u8]) {
        self.line = match (self.line, part) {
            (begun, []) => begun,
            (Begun::Nothing, b"\r") => Begun::Cr,
            _ => Begun::Text,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let (mut encoder, mut out) = (Encoder::default(), Vec::new());
        for piece in pieces {
            encoder.encode(piece, &mut out);
        }
        encoder.finish(&mut out);
        out
    }

    fn size(message: &[u8], split: usize) -> u64 {
        let mut size = Size::default();
        size.count(&message[..split]);
        size.count(&message[split..]);
        size.total()
    }

    /// What a client makes of a reply, by the letter of RFC 1939.
    fn decoded(mut wire: &[u8]) -> (Vec<u8>, usize) {
        let (mut message, mut stuffed) = (Vec::new(), 0);
        loop {
            let end = wire.windows(2).position(|two| two == b"\r\n").expect("a line end") + 2;
            let (line, rest) = wire.split_at(end);
            wire = rest;
            if line == b".\r\n" {
                assert_eq!(wire, b"");
                return (message, stuffed);
            }
            stuffed += usize::from(line[0] == b'.');
            message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
    }

    /// What a message is by our rule, a byte at a time.
    fn canonical(file: &[u8]) -> Vec<u8> {
        let mut out: Vec<u8> = Vec::new();
        let end: &[u8] = if matches!(file.last(), None | Some(b'\n')) { b"" } else { b"\n" };
        for byte in file.iter().chain(end) {
            if *byte == b'\n' && out.last() != Some(&b'\r') {
                out.push(b'\r');
            }
            out.push(*byte);
        }
        out
    }

    #[test]
    fn examples() {
        for (file, wire) in [
            (&b""[..], &b".\r\n"[..]),
            (b"\n", b"\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b"a\n", b"a\r\n.\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b"a\r", b"a\r\n.\r\n"),
            (b"a\rb\n", b"a\rb\r\n.\r\n"),
            (b"a\r\r\n", b"a\r\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b".\n.\n..a\n", b"..\r\n..\r\n...a\r\n.\r\n"),
            (b"\0\xFF\n", b"\0\xFF\r\n.\r\n"),
            (b"a.\r.b\n", b"a.\r.b\r\n.\r\n"),
        ] {
            assert_eq!(encoded([file]), wire);
        }
    }

    fn top(message: &[u8], lines: u64, split: usize) -> Vec<u8> {
        let mut top = Top::new(lines);
        let mut out = Vec::new();
        for piece in [&message[..split], &message[split..]] {
            let taken = top.take(piece);
            out.extend_from_slice(&piece[..taken]);
            if taken < piece.len() {
                assert!(top.is_over());
                break;
            }
        }
        out
    }

    #[test]
    fn the_top_of_a_message() {
        for (message, lines, expected) in [
            (&b"a: b\n\n1\n2\n3\n"[..], 0, &b"a: b\n\n"[..]),
            (b"a: b\n\n1\n2\n3\n", 2, b"a: b\n\n1\n2\n"),
            (b"a: b\n\n1\n2\n3\n", 3, b"a: b\n\n1\n2\n3\n"),
            (b"a: b\n\n1\n2\n3", u64::MAX, b"a: b\n\n1\n2\n3"),
            (b"a: b\r\n\r\n1\r\n2\r\n", 1, b"a: b\r\n\r\n1\r\n"),
            (b"a: b\n", 1, b"a: b\n"),
            (b"a: b", 0, b"a: b"),
            (b"\nbody\n", 0, b"\n"),
            (b"a\n\r\r\nb\n\nc\n", 0, b"a\n\r\r\nb\n\n"),
            (b"a\n\n\n\nc\n", 1, b"a\n\n\n"),
            (b"", 0, b""),
        ] {
            for split in 0..=message.len() {
                assert_eq!(top(message, lines, split), expected, "split at {split}");
            }
        }
    }

    /// Bytes among which those that matter are common.
    fn messages() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'.'), Just(b'x'), any::<u8>()];
        prop::collection::vec(byte, 0..60)
    }

    proptest! {
        #[test]
        fn the_client_gets_the_message_and_its_size_is_right(message in messages()) {
            let whole = encoded([&message[..]]);
            let (received, stuffed) = decoded(&whole);
            prop_assert_eq!(&received, &canonical(&message));
            for split in 0..=message.len() {
                prop_assert_eq!(&encoded([&message[..split], &message[split..]]), &whole);
                prop_assert_eq!(size(&message, split), received.len() as u64);
            }
            prop_assert_eq!(size(&message, 0) as usize, whole.len() - stuffed - 3);
            prop_assert_eq!(encoded(message.chunks(1)), whole);
        }

        #[test]
        fn an_encoded_piece_is_at_most_twice_as_long(message in messages()) {
            let mut out = Vec::new();
            Encoder::default().encode(&message, &mut out);
            prop_assert!(out.len() <= 2 * message.len() + 1);
        }
    }
}
