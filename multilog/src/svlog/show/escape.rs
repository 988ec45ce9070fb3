//! Bytes that strangers have sent, for a terminal. Pure.

use alloc::vec::Vec;

/// Appends text in UTF-8 as it is, but for what controls a terminal, or the order in which it writes: such
/// characters, and bytes that are no UTF-8, become `\x` and two digits each.
pub(super) fn append(bytes: &[u8], out: &mut Vec<u8>) {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let text = &mut [0; 4];
            let text = character.encode_utf8(text).as_bytes();
            if is_harmless(character) {
                out.extend_from_slice(text);
            } else {
                hex(text, out);
            }
        }
        hex(chunk.invalid(), out);
    }
}

fn is_harmless(character: char) -> bool {
    match character {
        '\t' => true,
        // They turn the direction around, or begin a line.
        '\u{61C}' | '\u{200E}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
            false
        }
        _ => !character.is_control(),
    }
}

fn hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        let digits = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
        out.extend_from_slice(&[b'\\', b'x', digits[0], digits[1]]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn escaped(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        append(bytes, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn what_a_terminal_must_not_get() {
        for (bytes, expected) in [
            (&b"a\tb ~"[..], "a\tb ~"),
            ("äöü€😀".as_bytes(), "äöü€😀"),
            (b"\x1b]0;x\x07\x08\r\0\x7f", "\\x1b]0;x\\x07\\x08\\x0d\\x00\\x7f"),
            (b"\x9b31m\xff", "\\x9b31m\\xff"),
            ("\u{9b}31m".as_bytes(), "\\xc2\\x9b31m"),
            ("a\u{202e}b".as_bytes(), "a\\xe2\\x80\\xaeb"),
        ] {
            assert_eq!(escaped(bytes), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_else_gets_through(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let text = escaped(&bytes);
            prop_assert!(text.chars().all(is_harmless) && !text.contains('\n'));
        }
    }
}
