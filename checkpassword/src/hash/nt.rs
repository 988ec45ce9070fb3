//! NT hashes (`$3$$`): MD4 of the password, each byte of it widened to sixteen bits. Without salt and done in no time, they
//! protect nobody who reads them; crypt(5) has them for hosts that share passwords with Windows.

use super::Unusable;
use ctutils::CtEq;
use zeroize::Zeroizing;

/// The length of the result, in hexadecimal digits.
const RESULT: usize = 32;

/// A hash of this kind.
#[derive(Debug, Clone, Copy)]
pub struct Nt<'a> {
    result: &'a str,
}

impl<'a> Nt<'a> {
    /// Recognises a hash; `None` if it is of another kind.
    ///
    /// # Errors
    /// Inside: malformed.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Result<Self, Unusable<'a>>> {
        let result = text.strip_prefix("$3$")?;
        let result = result.strip_prefix('$').filter(|result| {
            result.len() == RESULT
                && result.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
        Some(result.map(|result| Self { result }).ok_or(Unusable::Malformed))
    }

    /// Whether `password` leads to this hash.
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        let wide: Zeroizing<Vec<u8>> =
            Zeroizing::new(password.iter().flat_map(|byte| [*byte, 0]).collect());
        let digest = Zeroizing::new(md4(&wide));
        let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
        let computed: Zeroizing<Vec<u8>> = Zeroizing::new(
            digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect(),
        );
        computed.ct_eq(self.result.as_bytes()).into()
    }
}

/// MD4 (RFC 1320), for this alone.
fn md4(message: &[u8]) -> [u8; 16] {
    let mut padded = Zeroizing::new(Vec::with_capacity(message.len() + 72));
    padded.extend_from_slice(message);
    padded.push(0x80);
    // The end is a bit and the length: nine bytes more at least.
    padded.resize((message.len() + 9).next_multiple_of(64), 0);
    let end = padded.len() - 8;
    padded[end..].copy_from_slice(&(message.len() as u64 * 8).to_le_bytes());
    let mut state = [0x6745_2301_u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in padded.chunks_exact(64) {
        let word = |index: usize| {
            let bytes = &block[4 * index..4 * index + 4];
            u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
        };
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..48 {
            let at = step % 16;
            let (mixed, added, index, shift) = match step / 16 {
                0 => ((b & c) | (!b & d), 0, at, [3, 7, 11, 19][at % 4]),
                1 => (
                    (b & c) | (b & d) | (c & d),
                    0x5a82_7999,
                    at % 4 * 4 + at / 4,
                    [3, 5, 9, 13][at % 4],
                ),
                _ => (b ^ c ^ d, 0x6ed9_eba1, REVERSED[at], [3, 9, 11, 15][at % 4]),
            };
            let sum = a.wrapping_add(mixed).wrapping_add(word(index)).wrapping_add(added);
            (a, b, c, d) = (d, sum.rotate_left(shift), b, c);
        }
        for (before, after) in state.iter_mut().zip([a, b, c, d]) {
            *before = before.wrapping_add(after);
        }
    }
    let mut digest = [0; 16];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    digest
}

/// The numbers to 15, with their bits in reverse: the third round's order of words.
const REVERSED: [usize; 16] = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md4_as_in_the_rfc() {
        let digits = "1234567890".repeat(8);
        for (message, digest) in [
            ("", 0x31d6_cfe0_d16a_e931_b73c_59d7_e0c0_89c0_u128),
            ("a", 0xbde5_2cb3_1de3_3e46_245e_05fb_dbd6_fb24),
            ("message digest", 0xd913_0a81_6454_9fe8_1887_4806_e1c7_014b),
            (&digits, 0xe33b_4ddc_9c38_f219_9c3e_7b16_4fcc_0536),
        ] {
            assert_eq!(u128::from_be_bytes(md4(message.as_bytes())), digest, "{message}");
        }
    }

    #[test]
    fn what_libxcrypt_makes() {
        for (password, text) in [
            (&b"secret"[..], "$3$$878d8014606cda29677a44efa1353fc7"),
            (b"", "$3$$31d6cfe0d16ae931b73c59d7e0c089c0"),
            (b"correct horse", "$3$$cfc43211ba8dc470832267827cac1407"),
            (b"p\xc3\xa4", "$3$$a58717eb6a7996f62f37ef5799bc1d22"),
            (b"p\xe4", "$3$$77439b7bb7cfc37b13536c74be59fe90"),
        ] {
            let Some(Ok(hash)) = Nt::parse(text) else { panic!("{text}") };
            assert!(hash.verify(password) && !hash.verify(b"other"), "{text}");
        }
        for text in [
            "$3$",
            "$3$$",
            "$3$878d8014606cda29677a44efa1353fc7",
            "$3$$878D8014606cda29677a44efa1353fc7",
        ] {
            assert!(matches!(Nt::parse(text), Some(Err(Unusable::Malformed))), "{text}");
        }
    }
}
