//! Sequences: so many literals, then so many bytes that were there before (RFC 8878, section 3.1.1.3.2).

use super::bits::Bits;
use super::fse::{Frequencies, Table};
use alloc::vec::Vec;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequence {
    pub(super) literals: u32,
    /// 3 at least.
    pub(super) length: u32,
    /// The distance and 3 more, or which of the last three it is.
    pub(super) offset: u32,
}

/// The last three distances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recent(pub(super) [u32; 3]);

impl Recent {
    /// Those at the beginning of a frame.
    pub(super) const FIRST: Self = Self([1, 4, 8]);

    /// How a sequence tells the distance after so many literals. It becomes the latest one.
    pub(super) fn take(&mut self, distance: u32, literals: u32) -> u32 {
        let [first, second, third] = self.0;
        // Right behind another sequence, the latest distance would only have made that one longer.
        let known = if literals > 0 { self.0 } else { [second, third, first - 1] };
        let index = known.iter().position(|known| *known == distance && distance > 0);
        self.0 = match index.map(|index| index + usize::from(literals == 0)) {
            Some(0) => self.0,
            Some(1) => [second, first, third],
            Some(_) | None => [distance, first, second],
        };
        index.map_or(distance + 3, |index| index as u32 + 1)
    }
}

/// The codes from where on they stand for more than one number, and the bits that tell which.
const LITERALS: (u32, &[u32]) =
    (16, &[1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
const LENGTHS: (u32, &[u32]) =
    (32, &[1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);

/// The code of a number, and what else there is to say, with how many bits.
fn code(number: u32, (first, widths): (u32, &[u32])) -> (u8, u32, u32) {
    if number < first {
        return (number.to_le_bytes()[0], 0, 0);
    }
    let (mut code, mut base) = (first, first);
    for width in widths {
        if number - base < 1 << width {
            return (code.to_le_bytes()[0], number - base, *width);
        }
        base += 1 << width;
        code += 1;
    }
    // Not in a block of 128 KiB.
    (code.to_le_bytes()[0], 0, 0)
}

fn offset_code(offset: u32) -> (u8, u32, u32) {
    let width = offset.ilog2();
    (width.to_le_bytes()[0], offset - (1 << width), width)
}

/// A sequence in codes.
struct Coded {
    literals: (u8, u32, u32),
    offset: (u8, u32, u32),
    length: (u8, u32, u32),
}

impl Coded {
    fn add_rest(&self, bits: &mut Bits<'_>) {
        for (_, rest, width) in [self.literals, self.length, self.offset] {
            bits.add(rest, width);
        }
    }
}

/// Writes the section of sequences of a block.
pub(super) fn sequences(sequences: &[Sequence], out: &mut Vec<u8>) {
    let count = u32::try_from(sequences.len()).unwrap_or(u32::MAX).to_le_bytes();
    match sequences.len() {
        0..128 => out.push(count[0]),
        128..0x7f00 => out.extend_from_slice(&[count[1] | 0x80, count[0]]),
        longer => {
            out.push(255);
            out.extend_from_slice(&(longer - 0x7f00).to_le_bytes()[..2]);
        }
    }
    let coded: Vec<Coded> = sequences
        .iter()
        .map(|sequence| Coded {
            literals: code(sequence.literals, LITERALS),
            offset: offset_code(sequence.offset),
            length: code(sequence.length - 3, LENGTHS),
        })
        .collect();
    let Some((last, others)) = coded.split_last() else { return };
    let modes = out.len();
    out.push(0);
    let (literals, mode) = table(coded.iter().map(|coded| coded.literals.0), 9, out);
    out[modes] |= mode << 6;
    let (offset, mode) = table(coded.iter().map(|coded| coded.offset.0), 8, out);
    out[modes] |= mode << 4;
    let (length, mode) = table(coded.iter().map(|coded| coded.length.0), 9, out);
    out[modes] |= mode << 2;

    // What is read first is written last.
    let mut bits = Bits::new(out);
    let mut literals_state = literals.begin(last.literals.0);
    let mut offset_state = offset.begin(last.offset.0);
    let mut length_state = length.begin(last.length.0);
    last.add_rest(&mut bits);
    for coded in others.iter().rev() {
        offset.step(&mut offset_state, coded.offset.0, &mut bits);
        length.step(&mut length_state, coded.length.0, &mut bits);
        literals.step(&mut literals_state, coded.literals.0, &mut bits);
        coded.add_rest(&mut bits);
    }
    length.end(length_state, &mut bits);
    offset.end(offset_state, &mut bits);
    literals.end(literals_state, &mut bits);
    bits.close();
}

/// The table for these codes, which is described in `out`, and how it is.
fn table(codes: impl Iterator<Item = u8>, largest: u32, out: &mut Vec<u8>) -> (Table, u8) {
    let mut counts = [0; 64];
    for code in codes {
        counts[usize::from(code)] += 1;
    }
    let mut kinds = (0..64_u8).filter(|code| counts[usize::from(*code)] > 0);
    if let (Some(only), None) = (kinds.next(), kinds.next()) {
        out.push(only);
        return (Table::of_one(only), 1);
    }
    let frequencies = Frequencies::of(&counts, largest);
    frequencies.describe(out);
    (Table::new(&frequencies), 2)
}
