//! An answer that nobody vouches for, in a form that does a terminal no harm.

use crate::client::Rendition;
use crate::delcr;
use alloc::vec::Vec;

/// Leaves out the carriage return before each newline, and shows what isn't printable as `cat -v` does:
/// `^A`, `^?`, `M-a`. Tabs and newlines stay.
#[derive(Default)]
pub(crate) struct Visible {
    held: bool,
    lines: Vec<u8>,
}

impl Rendition for Visible {
    fn pass(&mut self, input: &[u8], output: &mut Vec<u8>) {
        self.lines.clear();
        self.held = delcr::delete(self.held, input, &mut self.lines);
        self.lines.iter().for_each(|byte| show(*byte, output));
    }

    fn end(&mut self, output: &mut Vec<u8>) {
        if self.held {
            show(b'\r', output);
        }
    }
}

fn show(byte: u8, output: &mut Vec<u8>) {
    match byte {
        b'\n' | b'\t' => output.push(byte),
        _ => {
            if byte >= 128 {
                output.extend_from_slice(b"M-");
            }
            match byte & 127 {
                control @ 0..32 => output.extend_from_slice(&[b'^', control + 64]),
                127 => output.extend_from_slice(b"^?"),
                plain => output.push(plain),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(input: &[u8], piece: usize) -> Vec<u8> {
        let (mut visible, mut output) = (Visible::default(), Vec::new());
        input.chunks(piece.max(1)).for_each(|piece| visible.pass(piece, &mut output));
        visible.end(&mut output);
        output
    }

    #[test]
    fn what_is_shown() {
        for (input, expected) in [
            (&b"a\tb\r\nc\n"[..], &b"a\tb\nc\n"[..]),
            (b"\x00\x1b[2J\x7f", b"^@^[[2J^?"),
            (b"\xe9\x89\x8a\xff", b"M-iM-^IM-^JM-^?"),
            (b"a\rb\r", b"a^Mb^M"),
        ] {
            assert_eq!(shown(input, 2), expected, "{}", input.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn nothing_reaches_the_terminal_but_text(input: Vec<u8>, piece in 1_usize..9) {
            let output = shown(&input, piece);
            prop_assert!(output.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b' '..=b'~')));
            prop_assert_eq!(output, shown(&input, input.len()));
        }
    }
}
