//! Domain names, as the wire has them (RFC 1035, section 3.1) and as people write them.

use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;

/// A name takes no more bytes on the wire, with the length byte of each label and the root's.
pub const LONGEST_NAME: usize = 255;

/// A label takes no more bytes.
pub const LONGEST_LABEL: usize = 63;

/// A domain name: labels, each after its length, up to the root's empty one. Two names are equal
/// if they differ in the case of ASCII letters only.
#[derive(Clone)]
pub struct DomainName(Vec<u8>);

impl DomainName {
    /// The root, to which labels are appended.
    pub(crate) fn root() -> Self {
        Self(Vec::from([0]))
    }

    /// Reads `mail.example`; a dot at its end changes nothing, and empty labels are passed over, as
    /// in the original. `\.` is a dot within a label, and `\056`, three octal digits, any byte.
    /// Bytes outside ASCII go into the query as they are: nothing is turned into Punycode. `None`
    /// for a label beyond 63 bytes or a name beyond 255.
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let mut name = Self::root();
        let mut label = Vec::new();
        let mut rest = text;
        while let [byte, after @ ..] = rest {
            rest = after;
            match byte {
                b'.' => {
                    name.append(&label)?;
                    label.clear();
                }
                b'\\' => {
                    let (escaped, after) = escaped(rest)?;
                    label.push(escaped);
                    rest = after;
                }
                _ => label.push(*byte),
            }
        }
        name.append(&label)?;
        Some(name)
    }

    /// The name under which the DNS has the names of `address`: `1.2.0.192.in-addr.arpa`.
    #[must_use]
    pub fn of_address(address: IpAddr) -> Self {
        let mut name = Self::root();
        // At most 32 labels of a byte and two more: this always fits.
        match address.to_canonical() {
            IpAddr::V4(address) => {
                for octet in address.octets().iter().rev() {
                    let _ = name.append(common::decimal(u64::from(*octet)).as_bytes());
                }
                let _ = name.append(b"in-addr");
            }
            IpAddr::V6(address) => {
                for octet in address.octets().iter().rev() {
                    for half in [octet & 15, octet >> 4] {
                        let _ = name.append(&[b"0123456789abcdef"[usize::from(half)]]);
                    }
                }
                let _ = name.append(b"ip6");
            }
        }
        let _ = name.append(b"arpa");
        name
    }

    /// Appends a label before the root; an empty one changes nothing.
    pub(crate) fn append(&mut self, label: &[u8]) -> Option<()> {
        if label.is_empty() {
            return Some(());
        }
        let length = u8::try_from(label.len()).ok()?;
        if label.len() > LONGEST_LABEL || self.0.len() + 1 + label.len() > LONGEST_NAME {
            return None;
        }
        self.0.pop();
        self.0.push(length);
        self.0.extend_from_slice(label);
        self.0.push(0);
        Some(())
    }

    /// The name as it stands in a message, without compression.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        &self.0
    }

    /// The name as the original puts it into an environment variable: in lower case, and every byte
    /// but letters, digits, `-` and `_` as `\056`, so that nothing in an answer can pass for
    /// anything else.
    #[must_use]
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.0.len());
        for label in self.labels() {
            if !text.is_empty() {
                text.push(b'.');
            }
            for byte in label {
                match byte.to_ascii_lowercase() {
                    plain @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') => text.push(plain),
                    other => text.extend_from_slice(&[
                        b'\\',
                        b'0' + (other >> 6),
                        b'0' + ((other >> 3) & 7),
                        b'0' + (other & 7),
                    ]),
                }
            }
        }
        if text.is_empty() {
            text.push(b'.');
        }
        text
    }

    fn labels(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        core::iter::from_fn(move || {
            let (length, after) = rest.split_first()?;
            let (label, after) = after.split_at_checked(usize::from(*length))?;
            rest = after;
            (!label.is_empty()).then_some(label)
        })
    }
}

impl PartialEq for DomainName {
    fn eq(&self, other: &Self) -> bool {
        // A length is at most 63, below every letter: folding the case changes none.
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for DomainName {}

impl fmt::Debug for DomainName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(core::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// What stands after a backslash, and the rest.
fn escaped(text: &[u8]) -> Option<(u8, &[u8])> {
    let (first, rest) = text.split_first()?;
    if !is_octal(*first) {
        return Some((*first, rest));
    }
    let digits = text.iter().take(3).take_while(|byte| is_octal(**byte)).count();
    let (digits, rest) = text.split_at(digits);
    let number = digits.iter().fold(0_u32, |number, digit| number * 8 + u32::from(digit - b'0'));
    Some((u8::try_from(number).ok()?, rest))
}

fn is_octal(byte: u8) -> bool {
    (b'0'..=b'7').contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> DomainName {
        DomainName::from_text(text.as_bytes()).expect("a name")
    }

    fn text(name: &DomainName) -> String {
        String::from_utf8(name.text()).expect("ASCII")
    }

    #[test]
    fn names_as_people_write_them() {
        for (typed, wire, shown) in [
            ("mail.example", &b"\x04mail\x07example\0"[..], "mail.example"),
            ("Mail.Example.", b"\x04Mail\x07Example\0", "mail.example"),
            ("a..b", b"\x01a\x01b\0", "a.b"),
            ("y\\056z", b"\x03y.z\0", "y\\056z"),
            ("y\\.z\\", b"", ""),
            ("a\\.b.c", b"\x03a.b\x01c\0", "a\\056b.c"),
            ("a\\1x", b"\x03a\x01x\0", "a\\001x"),
            ("a b:%", b"\x05a b:%\0", "a\\040b\\072\\045"),
            ("é", b"\x02\xC3\xA9\0", "\\303\\251"),
            (".", b"\0", "."),
            ("", b"\0", "."),
        ] {
            match DomainName::from_text(typed.as_bytes()) {
                Some(name) => {
                    assert_eq!((name.wire(), text(&name).as_str()), (wire, shown), "{typed}");
                }
                None => assert!(wire.is_empty(), "{typed}"),
            }
        }
        assert_eq!(DomainName::from_text(b"\\777"), None, "beyond a byte");
    }

    #[test]
    fn bounds_are_the_standards() {
        let label = |length| "x".repeat(length);
        assert!(DomainName::from_text(label(63).as_bytes()).is_some());
        assert!(DomainName::from_text(label(64).as_bytes()).is_none());
        let long = |last| [label(63), label(63), label(63), label(last)].join(".");
        assert_eq!(name(&long(61)).wire().len(), 255);
        assert!(DomainName::from_text(long(62).as_bytes()).is_none());
    }

    #[test]
    fn addresses_have_names() {
        let of = |text: &str| text_of(text.parse().expect("an address"));
        fn text_of(address: IpAddr) -> String {
            text(&DomainName::of_address(address))
        }
        assert_eq!(of("192.0.2.10"), "10.2.0.192.in-addr.arpa");
        assert_eq!(of("::ffff:192.0.2.10"), "10.2.0.192.in-addr.arpa");
        assert_eq!(
            of("2001:db8::567:89ab"),
            "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }

    #[test]
    fn case_does_not_count() {
        assert_eq!(name("A.b"), name("a.B"));
        assert_ne!(name("a.b"), name("a.c"));
        assert_ne!(name("a.b"), name("a\\056b"));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(typed in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(name) = DomainName::from_text(&typed) {
                prop_assert!(name.wire().len() <= LONGEST_NAME);
                prop_assert_eq!(DomainName::from_text(&name.text()), Some(name));
            }
        }
    }
}
