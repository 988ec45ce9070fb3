//! Forms: what names look like, but for the digits in them; and names that are encoded by them.

use super::{FileName, LONGEST, LONGEST_ENCODED};
use crate::maildrop::Place;
use alloc::vec;
use alloc::vec::Vec;

/// So many forms at most, and so many bytes of them: what is beyond that isn't a Maildir's habit.
pub(super) const FORMS: usize = 1024;
pub(super) const FORMS_BYTES: usize = 24 * 1024;

/// Where digits with `a` to `f` among them stood, and such with `A` to `F`: bytes that no name holds.
const LOWER: u8 = 0;
const UPPER: u8 = b'/';

/// The number of a plain name's form.
const PLAIN: u16 = 0x7FFF;
const CUR: u16 = 0x8000;

/// An encoded name.
pub struct Encoded {
    bytes: [u8; LONGEST_ENCODED],
    length: usize,
    /// The lower half of the last byte is still free.
    half: bool,
}

impl Default for Encoded {
    fn default() -> Self {
        Self { bytes: [0; LONGEST_ENCODED], length: 0, half: false }
    }
}

impl Encoded {
    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// A name has fewer halves than twice its bytes: each digit, and a length before it at most.
    fn push_half(&mut self, half: u8) {
        if self.half {
            self.bytes[self.length - 1] |= half;
        } else {
            self.push(half << 4);
        }
        self.half = !self.half;
    }
}

/// What names look like, but for the digits in them.
#[derive(Default)]
pub struct Forms {
    text: Vec<u8>,
    /// Where in `text` each ends.
    ends: Vec<u16>,
    /// The numbers of forms plus one, at a place that follows from their bytes, or after it.
    table: Vec<u16>,
}

impl Forms {
    /// The forms, as [`parse`](Self::parse) takes them: each with a length before it.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|form| self.form(form))
    }

    /// The forms that were written down one after the other, each with its length before it in a byte.
    ///
    /// # Errors
    /// They can't be: too many, or not whole.
    pub fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut forms = Self::default();
        while let Some((length, rest)) = bytes.split_first() {
            let (form, rest) = rest.split_at_checked(usize::from(*length))?;
            if forms.find(form).is_some() {
                return None;
            }
            forms.learn(form)?;
            bytes = rest;
        }
        Some(forms)
    }

    fn form(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[usize::from(start)..usize::from(self.ends[number])]
    }

    /// Encodes a name, which has at most [`LONGEST`] bytes, in the form that it has.
    pub fn encode(&mut self, place: Place, name: &[u8], encoded: &mut Encoded) {
        let name = &name[..name.len().min(LONGEST)];
        let cur = match place {
            Place::New => 0,
            Place::Cur => CUR,
        };
        encoded.length = 2;
        encoded.half = false;
        let (mut form, mut length) = ([0; LONGEST], 0);
        let mut rest = name;
        let mut in_flags = false;
        while let Some((byte, after)) = rest.split_first() {
            // The 2 before a message's flags is no number that counts.
            in_flags |= *byte == b':';
            let (mark, digits) = if in_flags { (LOWER, 0) } else { digits(rest) };
            form[length] = if digits == 0 { *byte } else { mark };
            length += 1;
            rest = if digits == 0 { after } else { &rest[digits..] };
            if digits > 0 {
                encoded.push_half(digits as u8);
                let run = &name[name.len() - rest.len() - digits..name.len() - rest.len()];
                run.iter().for_each(|digit| encoded.push_half(value(*digit)));
            }
        }
        let form = &form[..length];
        let number = self.find(form).or_else(|| self.learn(form));
        if number.is_none() {
            encoded.length = 2;
            encoded.push(name.len() as u8);
            name.iter().for_each(|byte| encoded.push(*byte));
        }
        encoded.bytes[..2].copy_from_slice(&(number.unwrap_or(PLAIN) | cur).to_le_bytes());
    }

    /// Decodes the name that `encoded` begins with, and says how many bytes it took. `None`: that is none.
    #[must_use]
    pub fn decode(&self, encoded: &[u8], name: &mut FileName) -> Option<(Place, usize)> {
        let head = head(encoded)?;
        if head & !CUR == PLAIN {
            let length = usize::from(*encoded.get(2)?);
            name.set(encoded.get(3..3 + length)?);
            return Some((place_of(head), 3 + length));
        }
        let number = usize::from(head & !CUR);
        if number >= self.ends.len() {
            return None;
        }
        name.length = 0;
        let mut halves = Halves { bytes: &encoded[2..], taken: 0 };
        for byte in self.form(number) {
            let letters = match *byte {
                LOWER => b"0123456789abcdef",
                UPPER => b"0123456789ABCDEF",
                byte => {
                    *name.bytes[..LONGEST].get_mut(name.length)? = byte;
                    name.length += 1;
                    continue;
                }
            };
            let count = usize::from(halves.next()?);
            let digits = name.bytes[..LONGEST].get_mut(name.length..name.length + count)?;
            halves.spell(letters, digits)?;
            name.length += count;
        }
        name.bytes[name.length] = 0;
        Some((place_of(head), 2 + halves.taken.div_ceil(2)))
    }

    /// A form's number.
    fn find(&self, form: &[u8]) -> Option<u16> {
        let mut at = slot(form);
        loop {
            let number = self.table.get(at)?.checked_sub(1)?;
            if self.form(usize::from(number)) == form {
                return Some(number);
            }
            at = (at + 1) % SLOTS;
        }
    }

    /// Gives a form a number, if there is room for it.
    fn learn(&mut self, form: &[u8]) -> Option<u16> {
        let number = self.ends.len() as u16;
        // With its length before it, in a file.
        let taken = self.text.len() + self.ends.len();
        if self.ends.len() == FORMS || taken + form.len() >= FORMS_BYTES {
            return None;
        }
        if self.table.is_empty() {
            self.table = vec![0; SLOTS];
        }
        self.text.extend_from_slice(form);
        self.ends.push(self.text.len() as u16);
        let mut at = slot(form);
        while self.table[at] != 0 {
            at = (at + 1) % SLOTS;
        }
        self.table[at] = number + 1;
        Some(number)
    }
}

/// Twice as many as there can be forms, so that a search soon ends at a free one.
const SLOTS: usize = 2 * FORMS;

fn slot(form: &[u8]) -> usize {
    let hash = form.iter().fold(0_u32, |hash, byte| {
        (hash.rotate_left(5) ^ u32::from(*byte)).wrapping_mul(0x9E37_79B1)
    });
    (hash >> 16) as usize % SLOTS
}

pub(super) fn head(encoded: &[u8]) -> Option<u16> {
    encoded.first_chunk().map(|head| u16::from_le_bytes(*head))
}

pub(super) fn place_of(head: u16) -> Place {
    if head & CUR == 0 { Place::New } else { Place::Cur }
}

/// Which mark stands for the digits that `text` begins with, and how many these are: at most 15, the
/// first of them decimal.
fn digits(text: &[u8]) -> (u8, usize) {
    let mut mark = None;
    let mut count = 0;
    if text.first().is_some_and(u8::is_ascii_digit) {
        for byte in text.iter().take(15) {
            let found = match byte {
                b'0'..=b'9' => mark,
                b'a'..=b'f' => Some(LOWER),
                b'A'..=b'F' => Some(UPPER),
                _ => break,
            };
            if mark.is_some() && found != mark {
                break;
            }
            mark = found;
            count += 1;
        }
    }
    (mark.unwrap_or(LOWER), count)
}

fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

/// Bytes, half by half.
struct Halves<'a> {
    bytes: &'a [u8],
    taken: usize,
}

impl Halves<'_> {
    fn next(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.taken / 2)?;
        let half = if self.taken.is_multiple_of(2) { byte >> 4 } else { byte & 15 };
        self.taken += 1;
        Some(half)
    }

    /// Writes as many as there are digits to be, each as its letter: two of a byte at once.
    fn spell(&mut self, letters: &[u8; 16], digits: &mut [u8]) -> Option<()> {
        let lone = digits.len().min(self.taken % 2);
        let (lone, digits) = digits.split_at_mut(lone);
        for digit in lone {
            *digit = letters[usize::from(self.next()?)];
        }
        let mut pairs = digits.chunks_exact_mut(2);
        let bytes = self.bytes.get(self.taken / 2..self.taken / 2 + pairs.len())?;
        self.taken += 2 * bytes.len();
        for (pair, byte) in (&mut pairs).zip(bytes) {
            pair.copy_from_slice(&[
                letters[usize::from(byte >> 4)],
                letters[usize::from(byte & 15)],
            ]);
        }
        for digit in pairs.into_remainder() {
            *digit = letters[usize::from(self.next()?)];
        }
        Some(())
    }
}
