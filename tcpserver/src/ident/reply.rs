//! An answer, byte by byte: `40123 , 25 : USERID : UNIX : joe`.

/// What is between the third colon and the end of the line is cut after so many bytes, as in the
/// original.
const LONGEST_INFO: usize = 257;

/// Who says more than this without an end of line, says nothing.
const LONGEST_REPLY: usize = 8192;

/// What has come of an answer.
#[derive(Debug, Default)]
pub(super) struct Reply {
    length: usize,
    colons: u8,
    info: Vec<u8>,
}

/// What follows from some bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// There is no end of line yet.
    More,
    /// This is the answer.
    Done(Vec<u8>),
    /// There is no end to it.
    TooMuch,
}

impl Reply {
    /// Takes bytes as they come. Everything up to the third colon is passed over, whatever it is, as
    /// in the original: it is the same host that would have to lie there. Blanks are passed over,
    /// too; a control character becomes a `?`.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Step {
        for byte in bytes {
            self.length += 1;
            match byte {
                b'\n' => return Step::Done(std::mem::take(&mut self.info)),
                _ if self.length >= LONGEST_REPLY => return Step::TooMuch,
                b' ' | b'\t' | b'\r' => {}
                b':' if self.colons < 3 => self.colons += 1,
                _ if self.colons < 3 || self.info.len() >= LONGEST_INFO => {}
                byte if byte.is_ascii_control() => self.info.push(b'?'),
                byte => self.info.push(*byte),
            }
        }
        Step::More
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(text: &[u8]) -> Step {
        Reply::default().take(text)
    }

    fn info(text: &[u8]) -> Vec<u8> {
        match whole(text) {
            Step::Done(info) => info,
            other @ (Step::More | Step::TooMuch) => panic!("{other:?}"),
        }
    }

    #[test]
    fn answers() {
        for (text, expected) in [
            (&b"40123 , 25 : USERID : UNIX : joe\r\n"[..], &b"joe"[..]),
            (b"40123,25:ERROR:NO-USER\r\n", b""),
            (b"1,2:userid:other:a b:c\n", b"ab:c"),
            (b"1,2:USERID:UNIX:a\0b\x1b\x7f\xff\r\nmore", b"a?b??\xff"),
            (b":::x\n", b"x"),
            (b"\n", b""),
            (b"nothing\n", b""),
        ] {
            assert_eq!(info(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn without_an_end_there_is_no_answer() {
        assert_eq!(whole(b"1,2:USERID:UNIX:joe"), Step::More);
        assert_eq!(whole(&[b'x'; LONGEST_REPLY - 1]), Step::More);
        assert_eq!(whole(&[b'x'; LONGEST_REPLY]), Step::TooMuch);
        let long = [&b":::"[..], &[b'x'; 3000], b"\n"].concat();
        assert_eq!(info(&long), [b'x'; LONGEST_INFO]);
    }

    proptest! {
        #[test]
        fn pieces_are_as_the_whole(text: Vec<u8>, piece in 1_usize..9) {
            let mut reply = Reply::default();
            let steps: Vec<_> = text.chunks(piece).map(|piece| reply.take(piece)).collect();
            let first = steps.into_iter().find(|step| *step != Step::More).unwrap_or(Step::More);
            prop_assert_eq!(first, whole(&text));
        }

        #[test]
        fn nothing_odd_is_handed_on(text: Vec<u8>) {
            if let Step::Done(info) = whole(&[&b":::"[..], &text, b"\n"].concat()) {
                prop_assert!(info.iter().all(|byte| !byte.is_ascii_control() && *byte != b' '));
            }
        }
    }
}
