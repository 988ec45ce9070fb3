//! Base64 (RFC 4648), for PEM: nothing that passes through stays in memory.

use common::base64;
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
            b'=' => {
                self.padding += 1;
                return (self.padding <= 2).then_some(());
            }
            b' ' | b'\t' => return Some(()),
            byte => base64::value(byte)?,
        };
        if self.padding > 0 {
            return None;
        }
        *self.bits = *self.bits << 6 | value;
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
            base64::encode(plain.as_bytes(), &mut text);
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
