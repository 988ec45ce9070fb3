//! Base64 (RFC 4648), as AUTH has it: no byte too many, and no secret left behind.

use crate::secret::Secret;
use alloc::vec::Vec;
use common::base64;

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
            bits = bits << 6 | base64::value(*byte).ok_or(Malformed)?;
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

/// Encodes what is no secret.
#[must_use]
pub fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    base64::encode(bytes, &mut text);
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
