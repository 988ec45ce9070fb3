//! File names in little memory: 100,000 of a Maildir's in less than half of what their bytes take.
//!
//! The names of a Maildir are alike: numbers that count (time, process, size, inode) between texts
//! that hardly ever change (the host's name, `,S=`). So a name is kept as the number of its *form*,
//! which is the name with a mark in each number's place, and the numbers' digits, two in a byte. What
//! is digits may be hexadecimal, as some delivery programs have them. Forms are few; a name whose form
//! finds no room any more is kept as it is.
//!
//! An encoded name is two bytes, the least significant first: the form's number, with the uppermost bit
//! set for `cur/`; then each number of the name as half bytes, the upper half first: how many digits
//! (1 to 15), and these. For a plain name: its length in a byte, and its bytes.

use crate::maildrop::Place;
use alloc::collections::TryReserveError;
use alloc::vec::Vec;
use core::ffi::CStr;

mod form;

pub use form::{Encoded, Forms};
use form::{head, place_of};

/// The longest file name that Linux has.
pub const LONGEST: usize = 255;

/// No encoded name takes more bytes.
pub const LONGEST_ENCODED: usize = 2 + 1 + LONGEST;

/// A file name, with a NUL behind it.
#[derive(Clone, Copy)]
pub struct FileName {
    bytes: [u8; LONGEST + 1],
    length: usize,
}

impl Default for FileName {
    fn default() -> Self {
        Self { bytes: [0; LONGEST + 1], length: 0 }
    }
}

impl FileName {
    /// The name.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The name, as the kernel takes it.
    #[must_use]
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes[..=self.length]).unwrap_or_default()
    }

    /// The part that no move and no flag changes: what is before `:`.
    #[must_use]
    pub fn unique(&self) -> &[u8] {
        unique(self.as_bytes())
    }

    /// Becomes this name.
    pub fn set(&mut self, name: &[u8]) {
        self.length = name.len().min(LONGEST);
        self.bytes[..self.length].copy_from_slice(&name[..self.length]);
        self.bytes[self.length] = 0;
    }
}

/// The part of a file name that no move and no flag changes: what is before `:`.
#[must_use]
pub fn unique(name: &[u8]) -> &[u8] {
    &name[..memchr::memchr(b':', name).unwrap_or(name.len())]
}

/// Names, one after the other in pieces of memory that never move.
#[derive(Default)]
pub struct Names {
    forms: Forms,
    pieces: Vec<Vec<u8>>,
}

/// The size of a piece: an offset in one takes 16 bits of a name's number, and with what the
/// allocator keeps beside it, it fills one of the 64 KiB that are had from the kernel at once.
const PIECE: usize = 59 * 1024;

impl Names {
    /// Names that are likely to have these forms.
    #[must_use]
    pub fn with_forms(forms: Forms) -> Self {
        Self { forms, pieces: Vec::new() }
    }

    /// The forms that were met so far.
    #[must_use]
    pub fn forms(&self) -> &Forms {
        &self.forms
    }

    /// Adds a file's name, and gives its number here.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn add(&mut self, place: Place, name: &[u8]) -> Result<u32, TryReserveError> {
        let mut encoded = Encoded::default();
        self.forms.encode(place, name, &mut encoded);
        self.add_encoded(encoded.as_bytes())
    }

    /// Adds a name that was encoded with the same forms, and gives its number here.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn add_encoded(&mut self, encoded: &[u8]) -> Result<u32, TryReserveError> {
        if self.pieces.last().is_none_or(|piece| piece.len() + encoded.len() > PIECE) {
            let mut piece = Vec::new();
            piece.try_reserve_exact(PIECE)?;
            self.pieces.try_reserve(1)?;
            self.pieces.push(piece);
        }
        let number = self.pieces.len() - 1;
        let piece = &mut self.pieces[number];
        let offset = piece.len();
        piece.extend_from_slice(encoded);
        // 65,536 pieces are 4 GiB of names: memory has long run out by then.
        Ok((number << 16 | offset) as u32)
    }

    /// The place and the name of this number.
    pub fn get(&self, number: u32, name: &mut FileName) -> Place {
        self.forms.decode(self.encoded(number), name).map_or(Place::New, |(place, _)| place)
    }

    /// The place of the name of this number.
    #[must_use]
    pub fn place(&self, number: u32) -> Place {
        place_of(head(self.encoded(number)).unwrap_or_default())
    }

    /// The name of this number, and whatever follows it.
    #[must_use]
    pub fn encoded(&self, number: u32) -> &[u8] {
        &self.pieces[(number >> 16) as usize][(number & 0xFFFF) as usize..]
    }
}

#[cfg(test)]
mod tests {
    use super::form::{FORMS, FORMS_BYTES};
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::String;

    fn decoded(names: &Names, number: u32) -> (Place, Vec<u8>) {
        let mut name = FileName::default();
        let place = names.get(number, &mut name);
        assert_eq!(name.as_c_str().to_bytes(), name.as_bytes());
        (place, name.as_bytes().to_vec())
    }

    #[test]
    fn what_delivery_programs_call_their_files() {
        for name in [
            "1700000004.4999.mail.example",
            "1700000004.M499912P2137.mail.example,S=4542,W=4642:2,S",
            "1700000004.V801I123abcM200461.mail.example",
            "1700000004.M20046P2137V0000000000000801I00000000000BF3A1_0.mail.example,S=12:2,RS",
            "1700000004.H200461P2137.mail.example,S=123:2,",
            "1700000004_0.2137.host,U=17,FMD5=9c82e4bf72a5e5d10e2ef70b8fe3ae97:2,S",
        ] {
            let mut names = Names::default();
            let number = names.add(Place::Cur, name.as_bytes()).unwrap();
            assert_eq!(decoded(&names, number), (Place::Cur, name.into()));
            assert_eq!(names.place(number), Place::Cur);
            let taken = names.encoded(number).len();
            assert!(taken <= 2 + name.len() * 3 / 5, "{taken} bytes for {name}");
            // Other numbers, of as many digits, are no other form.
            let other = name.replace('4', "5").replace("2137", "1999");
            names.add(Place::New, other.as_bytes()).unwrap();
            assert_eq!(names.forms().iter().count(), 1, "{name}");
        }
    }

    #[test]
    fn names_of_all_lengths_across_many_pieces() {
        let mut names = Names::default();
        let name = |n: usize| format!("{n}.{}", "x".repeat(n % 250));
        let numbers: Vec<_> =
            (0..30_000).map(|n| names.add(Place::New, name(n).as_bytes()).unwrap()).collect();
        assert!(names.pieces.len() > 1);
        for (n, number) in numbers.into_iter().enumerate() {
            assert_eq!(decoded(&names, number), (Place::New, name(n).into_bytes()));
        }
    }

    #[test]
    fn forms_are_bounded() {
        let mut names = Names::default();
        let name = |n: u32| -> String {
            (0..12).map(|bit| if n >> bit & 1 == 1 { 'x' } else { 'y' }).chain(['7']).collect()
        };
        let numbers: Vec<_> =
            (0..4096).map(|n| names.add(Place::Cur, name(n).as_bytes()).unwrap()).collect();
        assert_eq!(names.forms().iter().count(), FORMS);
        for (n, number) in (0..).zip(numbers) {
            assert_eq!(decoded(&names, number).1, name(n).into_bytes());
        }
        let mut names = Names::default();
        for n in 0..4096 {
            names.add(Place::Cur, format!("{}{}", name(n), "z".repeat(200)).as_bytes()).unwrap();
        }
        assert!(names.forms().iter().map(|form| 1 + form.len()).sum::<usize>() <= FORMS_BYTES);
    }

    #[test]
    fn what_is_no_encoded_name() {
        let forms = Forms::parse(b"\x02\x00x\x05/:2,S").unwrap();
        let mut name = FileName::default();
        assert_eq!(forms.decode(b"\x00\x80\x2A\xB0", &mut name), Some((Place::Cur, 4)));
        assert_eq!(name.as_bytes(), b"abx");
        for wrong in [
            &b""[..],
            b"\x00",
            b"\x02\x00\x10",
            b"\x00\x00",
            b"\x00\x00\x20",
            b"\xFF\x7F",
            b"\xFF\x7F\x05abcd",
        ] {
            assert_eq!(forms.decode(wrong, &mut name), None, "{wrong:?}");
        }
        for wrong in [&b"\x02a"[..], b"\x01a\x01a"] {
            assert!(Forms::parse(wrong).is_none());
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(
            names in prop::collection::vec("([0-9a-fA-F]{0,40}|[.:,=MPVI_ä-]){1,6}", 1..20),
        ) {
            let mut kept = Names::default();
            let names: Vec<&[u8]> =
                names.iter().map(|name| &name.as_bytes()[..name.len().min(LONGEST)]).collect();
            let numbers: Vec<_> =
                names.iter().map(|name| kept.add(Place::New, name).unwrap()).collect();
            let written: Vec<u8> = kept
                .forms()
                .iter()
                .flat_map(|form| [&[form.len() as u8], form].concat())
                .collect();
            let again = Forms::parse(&written).expect("our own forms");
            for (name, number) in names.iter().zip(numbers) {
                prop_assert_eq!(&decoded(&kept, number), &(Place::New, name.to_vec()));
                let mut read = FileName::default();
                prop_assert!(again.decode(kept.encoded(number), &mut read).is_some());
                prop_assert_eq!(read.as_bytes(), *name);
            }
        }
    }
}
