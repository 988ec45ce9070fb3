//! Standard input to standard output, changed on the way.

use alloc::vec::Vec;
use common::{Exit, Failure};
use sys::Errno;

/// As much as a pipe holds, so that a fast writer costs one call for many lines.
const INPUT: usize = 64 * 1024;

/// Reads standard input to its end and writes what `pass` makes of it, and at the end what `end` has
/// left. What has come in is passed on before more is read.
///
/// # Errors
/// Trouble with reading or writing: 111, without a word.
pub(crate) fn run(
    pass: impl FnMut(&[u8], &mut Vec<u8>),
    end: impl FnOnce(&mut Vec<u8>),
) -> Result<Exit, Failure> {
    copy(pass, end).map(|()| Exit::OK).map_err(|_| Failure::silent(Exit::TEMPORARY.0))
}

fn copy(
    mut pass: impl FnMut(&[u8], &mut Vec<u8>),
    end: impl FnOnce(&mut Vec<u8>),
) -> Result<(), Errno> {
    let stdin = sys::borrow(0).ok_or(Errno::BADF)?;
    let stdout = sys::borrow(1);
    let write = |output: &mut Vec<u8>| {
        if !output.is_empty() {
            sys::write_all(stdout.ok_or(Errno::BADF)?, output)?;
            output.clear();
        }
        Ok(())
    };
    let mut input = alloc::vec![0; INPUT];
    // Twice: each byte may be a newline that gets a second one; and a byte that was held back.
    let mut output = Vec::with_capacity(2 * INPUT + 1);
    loop {
        let count = sys::read(stdin, &mut input)?;
        if count == 0 {
            end(&mut output);
            return write(&mut output);
        }
        pass(&input[..count], &mut output);
        write(&mut output)?;
    }
}
