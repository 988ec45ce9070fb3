//! APOP (RFC 1939) and CRAM-MD5 (RFC 2195): the client shows that it knows the secret without saying it.
//!
//! Both arrive alike, a digest as the password and what it was made with as the timestamp; which of
//! them it is nobody says, and trying both tells. They need the secret itself, so they work only for
//! users whose secret the administrator has chosen to keep in clear.

use ctutils::CtEq;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// The length of a digest in hexadecimal digits.
const LENGTH: usize = 32;

/// Whether `given` is the digest, by either of the two, of `secret` with `timestamp`.
///
/// Never without a timestamp: a digest of nothing but the secret would be as good as the secret, for ever.
#[must_use]
pub fn proves(secret: &[u8], timestamp: &[u8], given: &[u8]) -> bool {
    if secret.is_empty() || timestamp.is_empty() || given.len() != LENGTH {
        return false;
    }
    let given = Zeroizing::new(given.to_ascii_lowercase());
    let apop = hexadecimal(&apop(secret, timestamp));
    let cram = hexadecimal(&cram_md5(secret, timestamp));
    let (apop, cram) = (apop.ct_eq(&given), cram.ct_eq(&given));
    (apop | cram).into()
}

/// MD5 of the timestamp, angle brackets included, and the secret.
fn apop(secret: &[u8], timestamp: &[u8]) -> [u8; 16] {
    Md5::new().chain_update(timestamp).chain_update(secret).finalize().into()
}

/// HMAC-MD5 of the challenge, the secret being the key.
fn cram_md5(secret: &[u8], challenge: &[u8]) -> [u8; 16] {
    // A longer key is hashed, and a shorter one padded, to the block's length: one that can't be refused.
    let mut block = Zeroizing::new([0; 64]);
    if secret.len() > block.len() {
        block[..16].copy_from_slice(&Md5::digest(secret));
    } else {
        block[..secret.len()].copy_from_slice(secret);
    }
    let mut mac = <Hmac<Md5> as KeyInit>::new((&*block).into());
    mac.update(challenge);
    mac.finalize().into_bytes().into()
}

fn hexadecimal(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
    Zeroizing::new(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_rfcs() {
        let timestamp = b"<1896.697170952@dbc.mtview.ca.us>";
        assert!(proves(b"tanstaaf", timestamp, b"c4c9334bac560ecc979e58001b3e22fb"));
        assert!(proves(b"tanstaaf", timestamp, b"C4C9334BAC560ECC979E58001B3E22FB"));
        let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
        assert!(proves(b"tanstaaftanstaaf", challenge, b"b913a602c7eda7a495b4e6e7334d3890"));
        // RFC 2202, case 6: a key longer than a block.
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert!(proves(&[0xaa; 80], text, b"6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"));
    }

    #[test]
    fn what_proves_nothing() {
        // MD5 of "tanstaaf" alone, and of nothing at all.
        for (secret, timestamp, given) in [
            (&b"tanstaaf"[..], &b""[..], &b"ef0b5ba0d2e0c8a0ef1ba2f5f0a1a6a2"[..]),
            (b"", b"", b"d41d8cd98f00b204e9800998ecf8427e"),
            (b"", b"<1.2@h>", b"d41d8cd98f00b204e9800998ecf8427e"),
            (b"tanstaaf", b"<1896.697170952@dbc.mtview.ca.us>", b"c4c9334bac560ecc979e58001b3e22f"),
            (
                b"tanstaaf",
                b"<1896.697170952@dbc.mtview.ca.us>",
                b"c4c9334bac560ecc979e58001b3e22fc",
            ),
            (b"tanstaaf", b"<1896.697170952@dbc.mtview.ca.us>", b"tanstaaf"),
        ] {
            assert!(!proves(secret, timestamp, given), "{}", given.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn only_its_own_secret_and_timestamp_make_a_digest(
            secret in "[!-~]{1,80}", timestamp in "<[!-;=?-~]{1,60}>", other in "[!-~]{1,80}",
        ) {
            let (secret, timestamp, other) = (secret.as_bytes(), timestamp.as_bytes(), other.as_bytes());
            for digest in [apop(secret, timestamp), cram_md5(secret, timestamp)] {
                let digest = hexadecimal(&digest);
                prop_assert!(proves(secret, timestamp, &digest));
                prop_assert!(!proves(secret, &[timestamp, b"x"].concat(), &digest));
                prop_assert_eq!(proves(other, timestamp, &digest), other == secret);
            }
        }
    }
}
