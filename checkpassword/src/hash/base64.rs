//! crypt's base 64: least significant bits first, digits `./0-9A-Za-z`.

const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The value of a digit.
#[must_use]
pub fn digit(byte: u8) -> Option<u32> {
    let value = match byte {
        b'.'..=b'9' => byte - b'.',
        b'A'..=b'Z' => byte - b'A' + 12,
        b'a'..=b'z' => byte - b'a' + 38,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Whether `text` has only digits; nothing at all has.
#[must_use]
pub fn is_base64(text: &str) -> bool {
    text.bytes().all(|byte| digit(byte).is_some())
}

/// The number that `text` is, at most five digits of it.
#[must_use]
pub fn number(text: &str) -> Option<u32> {
    if text.len() > 5 {
        return None;
    }
    text.bytes().rev().try_fold(0, |number, byte| Some(number << 6 | digit(byte)?))
}

/// The bytes behind `text`; `None` if it isn't what [`encode`] makes of any.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let bits = group.iter().rev().try_fold(0, |bits, byte| Some(bits << 6 | digit(*byte)?))?;
        let whole = group.len() * 6 / 8;
        if whole == 0 || bits >> (8 * whole) != 0 {
            return None;
        }
        bytes.extend_from_slice(&bits.to_le_bytes()[..whole]);
    }
    Some(bytes)
}

/// `bytes` as text.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut bits = group.iter().rev().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        for _ in 0..(group.len() * 8).div_ceil(6) {
            text.push(char::from(DIGITS[(bits & 63) as usize]));
            bits >>= 6;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_digit_has_its_value() {
        for (value, byte) in DIGITS.iter().enumerate() {
            assert_eq!(digit(*byte), u32::try_from(value).ok());
        }
        let digits = (0..=u8::MAX).filter(|byte| digit(*byte).is_some()).count();
        assert_eq!(digits, 64);
    }

    #[test]
    fn what_no_bytes_make_is_refused() {
        assert_eq!(decode("a/"), Some(vec![0x66]));
        for text in ["a", "ab", "abcde", "ab$d"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_begin_with_their_low_bits() {
        assert_eq!(number("/...."), Some(1));
        assert_eq!(number("./..."), Some(64));
        assert_eq!(number("......"), None);
        assert_eq!(number("$...."), None);
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            let text = encode(&bytes);
            prop_assert!(is_base64(&text));
            prop_assert_eq!(decode(&text), Some(bytes));
        }
    }
}
