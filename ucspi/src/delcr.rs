//! delcr: takes out the carriage return before each newline.

use crate::filter;
use alloc::vec::Vec;
use common::{Exit, Failure};
use sys::{Args, Env};

/// `delcr`: copies standard input to standard output without the one CR that stands right before a LF.
/// Any other CR stays, the last byte of a last line without LF, too. Arguments mean nothing.
///
/// # Errors
/// Trouble with reading or writing: 111, without a word, as with the original.
pub fn run(_: Args, _: Env) -> Result<Exit, Failure> {
    let held = core::cell::Cell::new(false);
    let delete = |input: &[u8], output: &mut Vec<u8>| held.set(delete(held.get(), input, output));
    let end = |output: &mut Vec<u8>| output.extend(held.get().then_some(b'\r'));
    filter::run(delete, end)
}

/// Passes `input` on. A CR at its end is held back until it is known what follows: whether one was
/// held before, and whether one is now.
pub(crate) fn delete(mut held: bool, input: &[u8], output: &mut Vec<u8>) -> bool {
    for part in input.split_inclusive(|byte| *byte == b'\r') {
        if held && part[0] != b'\n' {
            output.push(b'\r');
        }
        let text = part.strip_suffix(b"\r");
        held = text.is_some();
        output.extend_from_slice(text.unwrap_or(part));
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn deleted(reads: &[&[u8]]) -> Vec<u8> {
        let mut output = Vec::new();
        let held = reads.iter().fold(false, |held, read| delete(held, read, &mut output));
        output.extend(held.then_some(b'\r'));
        output
    }

    #[test]
    fn one_before_a_newline_goes() {
        for (input, expected) in [
            (&b"a\r\nb\n"[..], &b"a\nb\n"[..]),
            (b"\r\r\n\r", b"\r\n\r"),
            (b"a\rb\r\r", b"a\rb\r\r"),
            (b"\r\n", b"\n"),
            (b"", b""),
        ] {
            assert_eq!(deleted(&[input]), expected);
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
            prop_assert_eq!(deleted(&slices), whole.replace("\r\n", "\n").into_bytes());
        }
    }
}
