//! Base64 (RFC 4648), for PEM: nothing that passes through stays in memory.

use zeroize::Zeroizing;

/// A base64 decoder that is fed byte by byte. Wipes what it holds, also where its output grows.
#[derive(Default)]
pub(super) struct Decoder {
    bits: Zeroizing<u32>,
    count: u8,
    padding: u8,
    out: Zeroizing<Vec<u8>>,
}

impl Decoder {
    /// Takes one character; blanks count for nothing. `None`: it has no business here.
    pub(super) fn push(&mut self, byte: u8) -> Option<()> {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                self.padding += 1;
                return (self.padding <= 2).then_some(());
            }
            b' ' | b'\t' => return Some(()),
            _ => return None,
        };
        if self.padding > 0 {
            return None;
        }
        *self.bits = *self.bits << 6 | u32::from(value);
        self.count += 1;
        if self.count == 4 {
            let [_, first, second, third] = self.bits.to_be_bytes();
            self.extend(&[first, second, third]);
            self.count = 0;
        }
        Some(())
    }

    /// What was encoded; `None` if characters are missing at its end.
    pub(super) fn finish(mut self) -> Option<Zeroizing<Vec<u8>>> {
        match (self.count, self.padding) {
            (0, 0) => {}
            (2, 2) => {
                let [_, _, _, bits] = (*self.bits >> 4).to_be_bytes();
                self.extend(&[bits]);
            }
            (3, 1) => {
                let [_, _, first, second] = (*self.bits >> 2).to_be_bytes();
                self.extend(&[first, second]);
            }
            _ => return None,
        }
        Some(self.out)
    }

    fn extend(&mut self, bytes: &[u8]) {
        if self.out.capacity() - self.out.len() < bytes.len() {
            // Growing in place would leave a copy behind that nobody wipes.
            let mut larger = Vec::with_capacity((2 * self.out.capacity()).max(2048));
            larger.extend_from_slice(&self.out);
            self.out = Zeroizing::new(larger);
        }
        self.out.extend_from_slice(bytes);
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends `bytes` to `text`, with padding.
pub(super) fn encode(bytes: &[u8], text: &mut Vec<u8>) {
    for group in bytes.chunks(3) {
        let mut whole = [0; 4];
        whole[1..=group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes(whole);
        for place in 0..4 {
            let value = bits >> (18 - 6 * place) & 63;
            text.push(if place <= group.len() { ALPHABET[value as usize] } else { b'=' });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Option<Vec<u8>> {
        let mut decoder = Decoder::default();
        text.bytes().try_for_each(|byte| decoder.push(byte))?;
        decoder.finish().map(|bytes| bytes.to_vec())
    }

    /// RFC 4648, section 10.
    #[test]
    fn the_examples_of_the_rfc() {
        let table = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in table {
            let mut text = Vec::new();
            encode(plain.as_bytes(), &mut text);
            assert_eq!(text, encoded.as_bytes());
            assert_eq!(decoded(encoded).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn what_is_no_base64() {
        for text in
            ["A", "AA", "AAA", "AA=", "A===", "====", "AA=A", "AA==A", "A%AA", "AAAA=", "AA==="]
        {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
