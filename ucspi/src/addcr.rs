//! addcr: puts a carriage return before each newline.

use crate::filter;
use alloc::vec::Vec;
use common::{Exit, Failure};
use sys::{Args, Env};

/// `addcr`: copies standard input to standard output, with a CR before each LF, also where one stands
/// already. A last line without LF gets none. Arguments mean nothing.
///
/// # Errors
/// Trouble with reading or writing: 111, without a word, as with the original.
pub fn run(_: Args, _: Env) -> Result<Exit, Failure> {
    filter::run(add, |_| {})
}

pub(crate) fn add(input: &[u8], output: &mut Vec<u8>) {
    for line in input.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) => {
                output.extend_from_slice(text);
                output.extend_from_slice(b"\r\n");
            }
            None => output.extend_from_slice(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_newline_gets_one_and_nothing_else_does() {
        for (input, expected) in [
            (&b"a\nb\n"[..], &b"a\r\nb\r\n"[..]),
            (b"\n\n", b"\r\n\r\n"),
            (b"a\r\n", b"a\r\r\n"),
            (b"partial", b"partial"),
            (b"", b""),
        ] {
            let mut output = Vec::new();
            add(input, &mut output);
            assert_eq!(output, expected);
        }
    }
}
