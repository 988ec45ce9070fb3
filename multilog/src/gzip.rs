//! Writing gzip files (RFC 1952): one member, no name.

use crate::crc32::crc32;
use alloc::boxed::Box;
use alloc::vec;
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress as deflate,
    create_comp_flags_from_zip_params,
};
use sys::Errno;

/// As gzip(1) without options.
const LEVEL: i32 = 6;

/// Deflated, no flags, no time (the file has one), no statement about the effort, Unix.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

/// Read or written at once.
const CHUNK: usize = 16 * 1024;

/// Compresses what `read` gives, to its end.
///
/// # Errors
/// Those of `read` and `write`.
pub(crate) fn compress(
    mut read: impl FnMut(&mut [u8]) -> Result<usize, Errno>,
    mut write: impl FnMut(&[u8]) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let mut state = Box::new(CompressorOxide::new(create_comp_flags_from_zip_params(LEVEL, 0, 0)));
    let (mut input, mut output) = (vec![0; CHUNK], vec![0; CHUNK]);
    let (mut sum, mut length) = (0, 0_u32);
    write(&HEADER)?;
    loop {
        let count = read(&mut input)?;
        let mut rest = &input[..count];
        sum = crc32(sum, rest);
        // Of what is longer than 4 GiB, its low 32 bits.
        length = length.wrapping_add(u32::try_from(count).unwrap_or(0));
        let flush = if count == 0 { TDEFLFlush::Finish } else { TDEFLFlush::None };
        loop {
            let (status, taken, made) = deflate(&mut state, rest, &mut output, flush);
            rest = &rest[taken..];
            write(&output[..made])?;
            match status {
                TDEFLStatus::Done => {
                    write(&sum.to_le_bytes())?;
                    return write(&length.to_le_bytes());
                }
                TDEFLStatus::Okay if rest.is_empty() && made < output.len() && count > 0 => break,
                TDEFLStatus::Okay => {}
                TDEFLStatus::BadParam | TDEFLStatus::PutBufFailed => return Err(Errno::INVAL),
            }
        }
    }
}

#[cfg(test)]
mod tests;
