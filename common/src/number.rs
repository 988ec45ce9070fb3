//! Numbers as the originals read and write them: unsigned, decimal, no sign, no blanks.

/// The decimal number that `text` begins with, and how many digits it has; `None` if there is no
/// digit. A number beyond 64 bits wraps, as in the originals.
#[must_use]
pub fn ulong(text: &[u8]) -> Option<(u64, usize)> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = text[..digits]
        .iter()
        .fold(0_u64, |number, digit| number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    (digits > 0).then_some((number, digits))
}

/// The decimal number that `text` is, to the last byte; `None` for anything else, and beyond 64
/// bits.
#[must_use]
pub fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

/// A number's decimal digits, without `core::fmt` and its weight.
#[derive(Clone, Copy)]
pub struct Decimal {
    digits: [u8; 20],
    first: usize,
}

/// The digits of `number`.
#[must_use]
pub fn decimal(mut number: u64) -> Decimal {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return Decimal { digits, first };
        }
    }
}

impl Decimal {
    /// The digits, without leading zeros.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.digits[self.first..]
    }

    /// The digits, with leading zeros up to `width` (at most 20).
    #[must_use]
    pub fn padded(&self, width: usize) -> &[u8] {
        &self.digits[self.first.min(self.digits.len().saturating_sub(width))..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ulong_reads_what_it_can() {
        assert_eq!(ulong(b"12x"), Some((12, 2)));
        assert_eq!(ulong(b"-1"), None);
        assert_eq!(ulong(b""), None);
        assert_eq!(ulong(b"18446744073709551617"), Some((1, 20)));
    }

    #[test]
    fn whole_refuses_what_is_not_a_number() {
        for text in [&b""[..], b"+1", b" 1", b"1 ", b"0x1", b"18446744073709551616"] {
            assert_eq!(whole(text), None);
        }
        assert_eq!(whole(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(whole(b"007"), Some(7));
    }

    #[test]
    fn padding_only_widens() {
        assert_eq!(decimal(42).padded(6), b"000042");
        assert_eq!(decimal(1_234_567).padded(6), b"1234567");
    }

    proptest! {
        #[test]
        fn decimal_digits_read_back(number: u64) {
            let digits = decimal(number);
            prop_assert_eq!(whole(digits.as_bytes()), Some(number));
            let text = number.to_string();
            prop_assert_eq!(digits.as_bytes(), text.as_bytes());
        }
    }
}
