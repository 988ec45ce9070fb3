//! Distinguished names as text, in the two forms that scripts know: `/C=DE/CN=fred` as OpenSSL's
//! one-line form and LibreSSL have it, and `CN=fred,C=DE` as RFC 4514 and mod_ssl have it.

use crate::certificate::next;
use crate::der::element;

/// Attribute types (X.520, RFC 4519), by their DER.
const TYPES: [(&[u8], &str); 12] = [
    (&[0x55, 4, 3], "CN"),
    (&[0x55, 4, 4], "SN"),
    (&[0x55, 4, 5], "serialNumber"),
    (&[0x55, 4, 6], "C"),
    (&[0x55, 4, 7], "L"),
    (&[0x55, 4, 8], "ST"),
    (&[0x55, 4, 10], "O"),
    (&[0x55, 4, 11], "OU"),
    (&[0x55, 4, 12], "title"),
    (&[0x55, 4, 42], "GN"),
    (&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 1], "emailAddress"),
    (&[9, 0x92, 0x26, 0x89, 0x93, 0xF2, 0x2C, 0x64, 1, 25], "DC"),
];

/// The attributes of a name, in their order: type and value. What has no type that is known here
/// is called `?`.
pub(crate) fn attributes(mut name: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some(mut set) = next(&mut name) {
        while let Some((attribute, rest)) = element(set.contents) {
            set.contents = rest;
            let mut parts = attribute.contents;
            let (Some(kind), Some(value)) = (next(&mut parts), next(&mut parts)) else { break };
            let kind =
                TYPES.iter().find(|(der, _)| *der == kind.contents).map_or("?", |(_, text)| *text);
            found.push((kind, printable(value.contents)));
        }
    }
    found
}

/// `/C=DE/CN=fred`
pub(crate) fn one_line(name: &[u8]) -> Vec<u8> {
    let parts = attributes(name).into_iter();
    parts.flat_map(|(kind, value)| [b"/", kind.as_bytes(), b"=", &value].concat()).collect()
}

/// `CN=fred,C=DE`: the last one first, and what means something there behind a backslash.
pub(crate) fn reversed(name: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for (kind, value) in attributes(name).into_iter().rev() {
        if !text.is_empty() {
            text.push(b',');
        }
        text.extend([kind.as_bytes(), b"="].concat());
        for byte in value {
            if matches!(byte, b',' | b'+' | b'"' | b'\\' | b'<' | b'>' | b';') {
                text.push(b'\\');
            }
            text.push(byte);
        }
    }
    text
}

/// Control characters could break the lines of whoever logs a name.
fn printable(value: &[u8]) -> Vec<u8> {
    value.iter().map(|byte| if byte.is_ascii_control() { b'?' } else { *byte }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// C=DE, then O and CN.
    const NAME: &[u8] = b"\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02DE\
        \x31\x0c\x30\x0a\x06\x03\x55\x04\x0a\x0c\x03A,B\
        \x31\x0d\x30\x0b\x06\x03\x55\x04\x03\x0c\x04f\nrd";

    #[test]
    fn both_forms() {
        assert_eq!(one_line(NAME), b"/C=DE/O=A,B/CN=f?rd");
        assert_eq!(reversed(NAME), b"CN=f?rd,O=A\\,B,C=DE");
        assert_eq!(one_line(b""), b"");
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = one_line(&bytes);
            prop_assert!(!reversed(&bytes).contains(&b'\n'));
        }
    }
}
