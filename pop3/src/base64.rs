//! Base64 (RFC 4648), as AUTH has it: no byte too many, and no secret left behind.

use crate::secret::Secret;
use alloc::vec::Vec;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What can't be decoded: another character, padding in the wrong place, bits that say nothing and
/// are set all the same; or it is longer than the room for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// Decodes `text` into `out`. There is one text for whatever is decoded (RFC 4648, section 3.5).
///
/// # Errors
/// What [`Malformed`] says; then `out` is empty.
pub fn decode<const ROOM: usize>(text: &[u8], out: &mut Secret<ROOM>) -> Result<(), Malformed> {
    out.wipe();
    let decoded = decode_into(text, out);
    if decoded.is_err() {
        out.wipe();
    }
    decoded
}

fn decode_into<const ROOM: usize>(text: &[u8], out: &mut Secret<ROOM>) -> Result<(), Malformed> {
    let (fours, rest) = text.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(Malformed);
    }
    for (nth, four) in fours.iter().enumerate() {
        let padding = four.iter().rev().take_while(|byte| **byte == b'=').count();
        if padding > 2 || padding > 0 && nth + 1 < fours.len() {
            return Err(Malformed);
        }
        let mut bits = 0;
        for byte in &four[..4 - padding] {
            bits = bits << 6 | value(*byte)?;
        }
        let [_, bytes @ ..] = (bits << (6 * padding)).to_be_bytes();
        let (bytes, unsaid) = bytes.split_at(3 - padding);
        if unsaid.iter().any(|byte| *byte != 0) {
            return Err(Malformed);
        }
        bytes.iter().try_for_each(|byte| out.push(*byte)).map_err(|_| Malformed)?;
    }
    Ok(())
}

/// The six bits that a character stands for.
fn value(byte: u8) -> Result<u32, Malformed> {
    Ok(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return Err(Malformed),
    }
    .into())
}

/// Encodes what is no secret.
#[must_use]
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |nth: usize| u32::from(three.get(nth).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for nth in 0..4 {
            text.push(if nth <= three.len() {
                ALPHABET[(bits >> (18 - 6 * nth)) as usize & 63]
            } else {
                b'='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(text: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut out = Secret::<64>::default();
        decode(text, &mut out).map(|()| out.to_vec())
    }

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text.as_bytes());
            assert_eq!(decoded(text.as_bytes()), Ok(bytes.as_bytes().to_vec()));
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "Z", "Zg", "Zg=", "Zg===", "=", "====", "=AAA", "AAA=BBBB", "A===", "Zh==", "Zm9=",
            "Zm 9", "Zm9v\n", "Zm9_", "Zm-v", "*", "Zg==Zg==", "Z=g=",
        ] {
            assert_eq!(decoded(text.as_bytes()), Err(Malformed), "{text}");
        }
        assert_eq!(decoded(&[b'A'; 88]), Err(Malformed), "66 bytes");
        assert_eq!(decoded(&encode(&[7; 64])), Ok([7; 64].to_vec()));
    }

    proptest! {
        #[test]
        fn there_and_back(bytes in prop::collection::vec(any::<u8>(), 0..65)) {
            prop_assert_eq!(decoded(&encode(&bytes)), Ok(bytes));
        }

        #[test]
        fn one_text_for_each(text in "[A-Da-d/+=]{0,12}") {
            if let Ok(bytes) = decoded(text.as_bytes()) {
                prop_assert_eq!(encode(&bytes), text.as_bytes());
            }
        }
    }
}
