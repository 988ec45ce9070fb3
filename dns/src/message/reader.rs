//! A message, read from the front: every length is checked against what is there.

use crate::DomainName;

/// Where in a message the reading is.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

/// A name is followed over so many compression pointers; it has at most so many labels.
const MOST_POINTERS: usize = 127;

impl<'a> Reader<'a> {
    pub(super) fn new(message: &'a [u8], at: usize) -> Self {
        Self { message, at }
    }

    pub(super) fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let bytes = self.message.get(self.at..)?.get(..length)?;
        self.at += length;
        Some(bytes)
    }

    pub(super) fn number(&mut self) -> Option<u16> {
        self.bytes(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A name, compressed or not (RFC 1035, section 4.1.4). Each pointer must lead to before
    /// where the part that it ends begins: so none leads in a circle.
    pub(super) fn name(&mut self) -> Option<DomainName> {
        let mut name = DomainName::root();
        let mut part = *self;
        let mut begin = part.at;
        let mut pointers = 0;
        loop {
            let length = part.bytes(1)?[0];
            match length >> 6 {
                0 if length == 0 => break,
                0 => name.append(part.bytes(usize::from(length))?)?,
                3 => {
                    let low = part.bytes(1)?[0];
                    if pointers == 0 {
                        self.at = part.at;
                    }
                    pointers += 1;
                    let target = usize::from(length & 0x3F) << 8 | usize::from(low);
                    if target >= begin || pointers > MOST_POINTERS {
                        return None;
                    }
                    begin = target;
                    part.at = target;
                }
                // Kinds of labels that were tried and given up.
                _ => return None,
            }
        }
        if pointers == 0 {
            self.at = part.at;
        }
        Some(name)
    }

    /// The next `length` bytes as a reader of their own, which still sees what is before them.
    pub(super) fn part(&mut self, length: usize) -> Option<Self> {
        let begin = self.at;
        self.bytes(length)?;
        Some(Self { message: &self.message[..self.at], at: begin })
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.message.len()
    }
}
