//! What a certificate says (RFC 5280, 4.1), as far as somebody wants to know. Nothing here is
//! believed before the certificate was verified.

use crate::der::{Element, element};

/// A certificate's parts, as the DER in them.
pub(crate) struct Parts<'a> {
    pub(crate) serial: &'a [u8],
    pub(crate) issuer: &'a [u8],
    pub(crate) not_before: &'a [u8],
    pub(crate) not_after: &'a [u8],
    pub(crate) subject: &'a [u8],
    /// What follows the subject.
    rest: &'a [u8],
}

/// `Certificate { tbsCertificate { [0] version, serialNumber, signature, issuer, validity, subject,
/// subjectPublicKeyInfo, ..., [3] extensions } ... }`. `None`: it can't be read.
pub(crate) fn parts(der: &[u8]) -> Option<Parts<'_>> {
    let (whole, _) = element(der)?;
    let (inner, _) = element(whole.contents)?;
    let mut rest = inner.contents;
    let mut serial = next(&mut rest)?;
    if serial.tag == 0xA0 {
        serial = next(&mut rest)?;
    }
    next(&mut rest)?;
    let issuer = next(&mut rest)?.contents;
    let mut validity = next(&mut rest)?.contents;
    let (not_before, not_after) = (next(&mut validity)?.contents, next(&mut validity)?.contents);
    let subject = next(&mut rest)?.contents;
    Some(Parts { serial: serial.contents, issuer, not_before, not_after, subject, rest })
}

/// The host names that a certificate is for (subjectAltName, dNSName), in lower case.
pub(crate) fn hosts(der: &[u8]) -> Vec<Vec<u8>> {
    const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];
    const DNS_NAME: u8 = 0x82;
    let Some(mut names) = extension(der, SUBJECT_ALT_NAME) else { return Vec::new() };
    let mut found = Vec::new();
    while let Some(name) = next(&mut names) {
        if name.tag == DNS_NAME {
            found.push(name.contents.to_ascii_lowercase());
        }
    }
    found
}

/// What is in the sequence that is the value of this extension.
fn extension<'a>(der: &'a [u8], wanted: &[u8]) -> Option<&'a [u8]> {
    let mut rest = parts(der)?.rest;
    loop {
        let part = next(&mut rest)?;
        if part.tag != 0xA3 {
            continue;
        }
        let mut extensions = element(part.contents)?.0.contents;
        loop {
            let mut fields = next(&mut extensions)?.contents;
            if next(&mut fields)?.contents != wanted {
                continue;
            }
            let mut value = next(&mut fields)?;
            // BOOLEAN critical.
            if value.tag == 1 {
                value = next(&mut fields)?;
            }
            return Some(element(value.contents)?.0.contents);
        }
    }
}

/// Takes the next element off the front.
pub(crate) fn next<'a>(rest: &mut &'a [u8]) -> Option<Element<'a>> {
    let (found, after) = element(rest)?;
    *rest = after;
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Pair;
    use proptest::prelude::*;

    #[test]
    fn host_names_are_found() {
        assert_eq!(hosts(&Pair::new("Mail.Example").der), [b"mail.example"]);
        assert_eq!(hosts(b""), [b""; 0]);
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(place in any::<prop::sample::Index>(), value in any::<u8>()) {
            let mut bytes = Pair::new("localhost").der.to_vec();
            let length = bytes.len();
            bytes[place.index(length)] = value;
            let _ = hosts(&bytes);
            bytes.truncate(place.index(length));
            let _ = hosts(&bytes);
        }
    }
}
