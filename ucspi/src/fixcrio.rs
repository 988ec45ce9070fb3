//! fixcrio: puts a carriage return before each newline that a program reads or writes without one.

use crate::between::{self, Passage};
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use sys::{Args, Env};

/// `fixcrio PROGRAM ARGUMENTS`: becomes the program, and lets a child copy its input and output; a LF
/// without a CR before it gets one, in both directions.
///
/// # Errors
/// Wrong usage: 100. No pipe or process to be had, a program that can't be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    between::run(Name("fixcrio"), args, env, |_| (Fix::default(), Fix::default()))
}

/// Whether the byte before was a CR.
#[derive(Default)]
pub(crate) struct Fix(bool);

impl Passage for Fix {
    /// Twice as much is what a pipe takes at once.
    const READ: usize = 2048;

    fn pass(&mut self, input: &[u8], output: &mut Vec<u8>) {
        for line in input.split_inclusive(|byte| *byte == b'\n') {
            let text = line.strip_suffix(b"\n").unwrap_or(line);
            output.extend_from_slice(text);
            let after_cr = text.last().map_or(self.0, |last| *last == b'\r');
            let ended = text.len() < line.len();
            if ended {
                output.extend_from_slice(if after_cr { b"\n" } else { b"\r\n" });
            }
            self.0 = after_cr && !ended;
        }
    }

    fn end(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fixed(reads: &[&[u8]]) -> Vec<u8> {
        let (mut fix, mut output) = (Fix::default(), Vec::new());
        for read in reads {
            fix.pass(read, &mut output);
        }
        output
    }

    #[test]
    fn a_newline_without_one_gets_one() {
        for (reads, expected) in [
            (&[&b"a\nb\r\nc"[..]][..], &b"a\r\nb\r\nc"[..]),
            (&[b"\n\n"], b"\r\n\r\n"),
            (&[b"a\r", b"\n"], b"a\r\n"),
            (&[b"a\r", b"b\n"], b"a\rb\r\n"),
            (&[b"\r\r\n", b"\n\r"], b"\r\r\n\r\n\r"),
        ] {
            assert_eq!(fixed(reads), expected);
        }
    }

    proptest! {
        #[test]
        fn it_doesnt_matter_how_the_input_is_cut(
            reads in prop::collection::vec(prop::collection::vec(0_u8..3, 0..6), 0..6)
        ) {
            let reads: Vec<Vec<u8>> = reads
                .into_iter()
                .map(|read| read.iter().map(|byte| b"\r\nx"[usize::from(*byte)]).collect())
                .collect();
            let slices: Vec<&[u8]> = reads.iter().map(Vec::as_slice).collect();
            let whole = String::from_utf8(reads.concat()).expect("ASCII");
            let expected = whole.replace("\r\n", "\n").replace('\n', "\r\n");
            prop_assert_eq!(fixed(&slices), expected.into_bytes());
        }
    }
}
