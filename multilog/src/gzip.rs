//! gzip files (RFC 1952): one member, no name.

use crate::crc32::crc32;
use alloc::boxed::Box;
use alloc::vec;
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress as deflate,
    create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZFlush, MZStatus};
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

/// Gives `see` what was compressed by [`compress`].
///
/// # Errors
/// Those of `read`; `EINVAL` for what [`compress`] can't have made.
pub(crate) fn decompress(
    mut read: impl FnMut(&mut [u8]) -> Result<usize, Errno>,
    mut see: impl FnMut(&[u8]),
) -> Result<(), Errno> {
    let mut state = InflateState::new_boxed(DataFormat::Raw);
    let (mut input, mut output) = (vec![0; CHUNK], vec![0; 2 * CHUNK]);
    let mut filled = fill(&mut input, 0, &mut read)?;
    if !input[..filled].starts_with(&HEADER) {
        return Err(Errno::INVAL);
    }
    let mut from = HEADER.len();
    let (mut sum, mut length) = (0, 0_u32);
    loop {
        let result = inflate(&mut state, &input[from..filled], &mut output, MZFlush::None);
        from += result.bytes_consumed;
        let made = &output[..result.bytes_written];
        sum = crc32(sum, made);
        length = length.wrapping_add(u32::try_from(made.len()).unwrap_or(0));
        see(made);
        let is_done = match result.status {
            Ok(MZStatus::StreamEnd) => true,
            Ok(MZStatus::Ok) => false,
            Ok(MZStatus::NeedDict) | Err(_) => return Err(Errno::INVAL),
        };
        // What comes after the compressed bytes must be there as a whole, and nothing else.
        if is_done || from == filled {
            input.copy_within(from..filled, 0);
            let left = filled - from;
            filled = fill(&mut input, left, &mut read)?;
            from = 0;
            if is_done {
                let trailer = [sum.to_le_bytes(), length.to_le_bytes()].concat();
                return if input[..filled] == trailer { Ok(()) } else { Err(Errno::INVAL) };
            }
            if filled == 0 {
                return Err(Errno::INVAL);
            }
        }
    }
}

/// Fills the buffer, of which `filled` bytes are. Gives how many it has: less than all at the end.
fn fill(
    buffer: &mut [u8],
    mut filled: usize,
    read: &mut impl FnMut(&mut [u8]) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
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
