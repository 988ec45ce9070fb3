//! Writing Zstandard files (RFC 8878): one frame.

mod bits;
mod fse;
mod huffman;
mod matches;
mod sequences;
mod xxh64;

use alloc::vec::Vec;
use matches::History;
use sequences::Recent;
use sys::Errno;
use xxh64::Xxh64;

/// The magic number; a checksum comes last, and no size is told.
const HEADER: [u8; 5] = [0x28, 0xb5, 0x2f, 0xfd, 4];

/// How far back what was there before may be, as a power of two. Whoever expands the file needs so much memory.
const WINDOW_LOG: u8 = 18;
const WINDOW: usize = 1 << WINDOW_LOG;

/// As large as a block may be.
const BLOCK: usize = 128 * 1024;

/// How a block is.
#[derive(Clone, Copy)]
enum Kind {
    Raw = 0,
    Compressed = 2,
}

/// Compresses what `read` gives, to its end.
///
/// # Errors
/// Those of `read` and `write`.
pub(crate) fn compress(
    mut read: impl FnMut(&mut [u8]) -> Result<usize, Errno>,
    mut write: impl FnMut(&[u8]) -> Result<(), Errno>,
) -> Result<(), Errno> {
    write(&HEADER)?;
    write(&[(WINDOW_LOG - 10) << 3])?;
    let (mut history, mut recent, mut sum) = (History::new(), Recent::FIRST, Xxh64::new());
    let (mut found, mut literals, mut out) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let begin = history.add(|buffer| fill(buffer, &mut read))?;
        let count = history.since(begin).len();
        let is_last = count < BLOCK;
        sum.add(history.since(begin));
        let before = recent;
        found.clear();
        literals.clear();
        out.clear();
        history.search(begin, &mut recent, &mut found, &mut literals);
        huffman::literals(&literals, &mut out);
        sequences::sequences(&found, &mut out);
        if out.len() < count {
            write(&block_header(is_last, Kind::Compressed, out.len()))?;
            write(&out)?;
        } else {
            // Whoever reads it will not have seen these.
            recent = before;
            write(&block_header(is_last, Kind::Raw, count))?;
            write(history.since(begin))?;
        }
        if is_last {
            return write(&sum.sum().to_le_bytes()[..4]);
        }
    }
}

fn block_header(is_last: bool, kind: Kind, size: usize) -> [u8; 3] {
    let size = u32::try_from(size).unwrap_or(0);
    let [a, b, c, _] = (u32::from(is_last) | (kind as u32) << 1 | size << 3).to_le_bytes();
    [a, b, c]
}

/// Fills the buffer. Gives how much of it: less than all at the end.
fn fill(
    buffer: &mut [u8],
    read: &mut impl FnMut(&mut [u8]) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests;
