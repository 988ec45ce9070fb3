//! The answer, byte by byte: `80 , 1025 : USERID : UNIX : joe`.

use alloc::vec::Vec;

/// What stands before the user: ports, kind of answer, operating system.
const FIELDS: usize = 3;

/// So much of the user is taken, as in the original.
const LONGEST: usize = 257;

/// RFC 1413 allows 1000 characters.
const LONGEST_ANSWER: usize = 8192;

/// An answer that is coming in.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    colons: usize,
    read: usize,
    who: Vec<u8>,
}

impl Answer {
    /// Takes what came. Gives the user once the line is whole; an empty one if it has none. What comes
    /// before the third colon is passed over, whatever it is: it is the same host that would have to
    /// lie there. A control character becomes a `?`.
    pub(crate) fn take(&mut self, input: &[u8]) -> Option<Vec<u8>> {
        for byte in input {
            self.read += 1;
            match byte {
                b'\n' => return Some(core::mem::take(&mut self.who)),
                b' ' | b'\t' | b'\r' => {}
                b':' if self.colons < FIELDS => self.colons += 1,
                _ if self.colons < FIELDS || self.who.len() == LONGEST => {}
                byte if byte.is_ascii_control() => self.who.push(b'?'),
                byte => self.who.push(*byte),
            }
        }
        None
    }

    /// Whether it is none, having gone on for too long.
    pub(crate) fn is_too_long(&self) -> bool {
        self.read >= LONGEST_ANSWER
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taken(text: &[u8], piece: usize) -> Option<Vec<u8>> {
        let mut answer = Answer::default();
        text.chunks(piece.max(1)).find_map(|piece| answer.take(piece))
    }

    #[test]
    fn answers() {
        let long = [&b"1,2:USERID:UNIX:"[..], &[b'x'; 300], b"\n"].concat();
        for (text, who) in [
            (&b"80 , 1025 : USERID : UNIX : joe\r\n"[..], Some(&b"joe"[..])),
            (b"80,1025:USERID:UNIX:joe:of x\n", Some(b"joe:ofx")),
            (b"80,1025:ERROR:NO-USER\r\n", Some(b"")),
            (b"a:b:c:d\0\x1b\xff\n", Some(b"d??\xff")),
            (b"\n", Some(b"")),
            (b"80,1025:USERID:UNIX:joe", None),
            (b"", None),
            (&long, Some(&[b'x'; LONGEST])),
        ] {
            assert_eq!(taken(text, 5).as_deref(), who, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn nobody_talks_for_ever() {
        let mut answer = Answer::default();
        for _ in 0..32 {
            assert!(!answer.is_too_long());
            assert_eq!(answer.take(&[b'x'; 256]), None);
        }
        assert!(answer.is_too_long());
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            text in prop::collection::vec(prop_oneof![Just(b':'), Just(b'\n'), any::<u8>()], 0..400),
            piece in 1_usize..50,
        ) {
            let who = taken(&text, piece);
            prop_assert_eq!(&who, &taken(&text, text.len()));
            prop_assert!(who.is_none_or(|who| who.len() <= LONGEST));
        }
    }
}
