//! Ranges of numbers in addresses: `10.0.3-5.` is `10.0.3.`, `10.0.4.` and `10.0.5.`.

use alloc::vec::Vec;
use common::{decimal, number};

/// An address with a range, or without.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Range<'a> {
    before: &'a [u8],
    /// The first number and the last.
    numbers: Option<(u64, u64)>,
    after: &'a [u8],
}

impl<'a> Range<'a> {
    /// Reads an address. The numbers to the left and right of its first `-` reach to the next dot or the
    /// end; none at all is 0. `None` if they aren't numbers. With a `=` or `@` in it, it has no range.
    pub(super) fn parse(address: &'a [u8]) -> Option<Self> {
        let dash = address.iter().position(|byte| *byte == b'-');
        let Some(dash) = dash.filter(|_| !address.iter().any(|byte| matches!(byte, b'=' | b'@')))
        else {
            return Some(Self { before: address, numbers: None, after: b"" });
        };
        let (left, right) = (&address[..dash], &address[dash + 1..]);
        let start = left.iter().rposition(|byte| *byte == b'.').map_or(0, |dot| dot + 1);
        let end = right.iter().position(|byte| *byte == b'.').unwrap_or(right.len());
        let numbers = (octet(&left[start..])?, octet(&right[..end])?);
        Some(Self { before: &left[..start], numbers: Some(numbers), after: &right[end..] })
    }

    /// The addresses. No number beyond 255 is one of an address.
    pub(super) fn addresses(&self) -> impl Iterator<Item = Vec<u8>> {
        let plain = self.numbers.is_none().then(|| self.before.to_vec());
        let numbers = self.numbers.into_iter().flat_map(|(first, last)| first..=last.min(255));
        plain.into_iter().chain(
            numbers.map(|number| [self.before, decimal(number).as_bytes(), self.after].concat()),
        )
    }
}

/// A number; beyond 64 bits it wraps, as with the original.
fn octet(text: &[u8]) -> Option<u64> {
    match number::ulong(text) {
        Some((number, digits)) => (digits == text.len()).then_some(number),
        None => text.is_empty().then_some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(address: &str) -> Option<Vec<String>> {
        let range = Range::parse(address.as_bytes())?;
        Some(range.addresses().map(|key| String::from_utf8(key).expect("ASCII")).collect())
    }

    #[test]
    fn ranges_are_counted_out() {
        for (address, expected) in [
            ("1.2.3.4", &["1.2.3.4"][..]),
            ("", &[""]),
            ("1.2.3.37-39", &["1.2.3.37", "1.2.3.38", "1.2.3.39"]),
            ("10.2-3.", &["10.2.", "10.3."]),
            ("1-2.3-4.5", &["1.3-4.5", "2.3-4.5"]),
            ("1.253-999999", &["1.253", "1.254", "1.255"]),
            ("1.300-301", &[]),
            ("9-5", &[]),
            ("1.-2", &["1.0", "1.1", "1.2"]),
            ("1.0-", &["1.0"]),
            ("1.01-02.", &["1.1.", "1.2."]),
            ("18446744073709551617-2", &["1", "2"]),
            ("joe@1.2.3.4-5", &["joe@1.2.3.4-5"]),
            ("=a-b", &["=a-b"]),
        ] {
            assert_eq!(all(address).expect(address), expected, "{address}");
        }
        let all: Vec<_> = all("0-18446744073709551615.").expect("a range");
        assert_eq!((all.len(), all[255].as_str()), (256, "255."));
    }

    #[test]
    fn what_is_no_number_is_no_range() {
        for address in ["a-b", "1-2x", "1.a3-4", "1-2-3", "1 -2"] {
            assert_eq!(all(address), None, "{address}");
        }
    }
}
