//! Literals, and their Huffman code (RFC 8878, sections 3.1.1.3.1 and 4.2).

use super::bits::Bits;
use super::fse::{Frequencies, Table};
use alloc::{vec, vec::Vec};

/// No code is longer.
const LONGEST: usize = 11;

/// More weights than that have to be compressed.
const PLAIN_WEIGHTS: usize = 128;

/// Writes the section of literals of a block.
pub(super) fn literals(bytes: &[u8], out: &mut Vec<u8>) {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    if let Some(first) =
        bytes.first().filter(|first| counts[usize::from(**first)] as usize == bytes.len())
    {
        plain_header(1, bytes.len(), out);
        return out.push(*first);
    }
    let begin = out.len();
    // Where there are few, the code costs more than it saves.
    if bytes.len() < 64 || !compress(bytes, &counts, out) {
        out.truncate(begin);
        plain_header(0, bytes.len(), out);
        out.extend_from_slice(bytes);
    }
}

/// Whether it has become less.
fn compress(bytes: &[u8], counts: &[u32; 256], out: &mut Vec<u8>) -> bool {
    let code = Code::new(counts);
    let mut body = Vec::with_capacity(bytes.len());
    if !code.describe(&mut body) {
        return false;
    }
    let (format, width) = match bytes.len() {
        0..256 => (0, 10),
        256..1024 => (1, 10),
        1024..16384 => (2, 14),
        _ => (3, 18),
    };
    if format == 0 {
        code.stream(bytes, &mut body);
    } else {
        let sizes = body.len();
        body.extend_from_slice(&[0; 6]);
        for (index, part) in bytes.chunks(bytes.len().div_ceil(4)).enumerate() {
            let begin = body.len();
            code.stream(part, &mut body);
            if index < 3 {
                let Ok(size) = u16::try_from(body.len() - begin) else { return false };
                body[sizes + 2 * index..][..2].copy_from_slice(&size.to_le_bytes());
            }
        }
    }
    if body.len() + 5 >= bytes.len() {
        return false;
    }
    let header = 2 | format << 2 | (bytes.len() as u64) << 4 | (body.len() as u64) << (4 + width);
    out.extend_from_slice(&header.to_le_bytes()[..(4 + 2 * width) / 8]);
    out.append(&mut body);
    true
}

fn plain_header(kind: u8, length: usize, out: &mut Vec<u8>) {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    let kind = u32::from(kind);
    match length {
        0..32 => out.push((kind | length << 3).to_le_bytes()[0]),
        32..4096 => out.extend_from_slice(&(kind | 1 << 2 | length << 4).to_le_bytes()[..2]),
        _ => out.extend_from_slice(&(kind | 3 << 2 | length << 4).to_le_bytes()[..3]),
    }
}

struct Code {
    /// Of each byte: how many bits its code has, 0 if it doesn't occur, and which.
    of: [(u32, u32); 256],
    longest: u32,
}

impl Code {
    /// Of bytes that were counted: at least two that occur.
    fn new(counts: &[u32; 256]) -> Self {
        let lengths = lengths(counts);
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let mut of = [(0, 0); 256];
        let mut next = 0;
        for length in (1..=longest).rev() {
            for byte in (0..256).filter(|byte| lengths[*byte] == length) {
                of[byte] = (length, next);
                next += 1;
            }
            next >>= 1;
        }
        Self { of, longest }
    }

    /// Writes what the code is built from: the weights of all bytes but the last that occurs. `false` if that can't be
    /// written.
    fn describe(&self, out: &mut Vec<u8>) -> bool {
        let last = self.of.iter().rposition(|(length, _)| *length > 0).unwrap_or(0);
        let weight = |length: u32| if length == 0 { 0 } else { self.longest + 1 - length };
        let weights = self.of[..last].iter().map(|(length, _)| weight(*length).to_le_bytes()[0]);
        let weights: Vec<u8> = weights.collect();
        let mut compressed = Vec::new();
        if compress_weights(&weights, &mut compressed)
            && compressed.len() < PLAIN_WEIGHTS
            && (compressed.len() < weights.len().div_ceil(2) || weights.len() > PLAIN_WEIGHTS)
        {
            out.push(compressed.len().to_le_bytes()[0]);
            out.append(&mut compressed);
            return true;
        }
        if weights.len() > PLAIN_WEIGHTS {
            return false;
        }
        out.push((127 + weights.len()).to_le_bytes()[0]);
        out.extend(weights.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)));
        true
    }

    /// Writes the code of all bytes, to be read from its end.
    fn stream(&self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut bits = Bits::new(out);
        for byte in bytes.iter().rev() {
            let (length, code) = self.of[usize::from(*byte)];
            bits.add(code, length);
        }
        bits.close();
    }
}

/// Two states take turns. `false` if there is nothing to choose between.
fn compress_weights(weights: &[u8], out: &mut Vec<u8>) -> bool {
    let mut counts = [0; LONGEST + 1];
    for weight in weights {
        counts[usize::from(*weight)] += 1;
    }
    if weights.len() < 3 || counts.iter().filter(|count| **count > 0).count() < 2 {
        return false;
    }
    let frequencies = Frequencies::of(&counts, 6);
    let table = Table::new(&frequencies);
    frequencies.describe(out);
    let mut bits = Bits::new(out);
    // The reader begins with the first, and takes turns: the last two are where the states begin.
    let last = weights.len() - 1;
    let mut states = [0, 0];
    states[last % 2] = table.begin(weights[last]);
    states[(last - 1) % 2] = table.begin(weights[last - 1]);
    for index in (0..last - 1).rev() {
        table.step(&mut states[index % 2], weights[index], &mut bits);
    }
    table.end(states[1], &mut bits);
    table.end(states[0], &mut bits);
    bits.close();
    true
}

/// How long each byte's code is, so that all together is as short as it can be with no code longer than [`LONGEST`]:
/// the package-merge algorithm (Larmore and Hirschberg 1990).
fn lengths(counts: &[u32; 256]) -> [u32; 256] {
    let mut bytes: Vec<usize> = (0..256).filter(|byte| counts[*byte] > 0).collect();
    bytes.sort_unstable_by_key(|byte| (counts[*byte], *byte));
    let mut levels: Vec<Vec<bool>> = Vec::with_capacity(LONGEST);
    let mut previous: Vec<u32> = Vec::new();
    for _ in 0..LONGEST {
        let mut packages = previous.chunks_exact(2).map(|pair| pair[0] + pair[1]).peekable();
        let mut leaves = bytes.iter().map(|byte| counts[*byte]).peekable();
        let (mut weights, mut is_leaf) = (vec![], vec![]);
        loop {
            let leaf_first = match (leaves.peek(), packages.peek()) {
                (Some(leaf), Some(package)) => leaf <= package,
                (leaf, _) => leaf.is_some(),
            };
            let Some(weight) = (if leaf_first { leaves.next() } else { packages.next() }) else {
                break;
            };
            weights.push(weight);
            is_leaf.push(leaf_first);
        }
        previous = weights;
        levels.push(is_leaf);
    }
    let mut lengths = [0; 256];
    let mut needed = 2 * bytes.len() - 2;
    for is_leaf in levels.iter().rev() {
        let leaves = is_leaf[..needed].iter().filter(|is_leaf| **is_leaf).count();
        bytes[..leaves].iter().for_each(|byte| lengths[*byte] += 1);
        needed = 2 * (needed - leaves);
    }
    lengths
}
