//! tai64nlocal: makes the TAI64N label at the start of a line a local time.

pub(crate) mod calendar;
pub(crate) mod lines;
pub(crate) mod local;
pub(crate) mod rules;
pub(crate) mod tzif;
pub(crate) mod zone;

use crate::tai64n::outlet;
use alloc::vec;
use common::{Exit, Failure};
use lines::Lines;
use local::LocalTime;
use sys::{Args, Env, Errno};

/// As much as a pipe holds.
const INPUT: usize = 64 * 1024;

/// `tai64nlocal`: copies standard input to standard output. Where a line begins with `@` and 24 hexadecimal
/// digits (lower case, as tai64n and multilog write them), it has the local time in their place:
/// `YYYY-MM-DD HH:MM:SS.nnnnnnnnn`. Every other byte goes through as it is. What has arrived is passed
/// on before more is read, but for the beginning of what may be a label. Arguments mean nothing.
///
/// The time zone is that of `$TZ`, read as by the C library, or of /etc/localtime.
///
/// # Errors
/// Trouble with reading or writing: 111, without a word, as with the original.
pub fn run(_: Args, env: Env) -> Result<Exit, Failure> {
    copy(env).map_err(|_| Failure::silent(Exit::TEMPORARY.0))
}

fn copy(env: Env) -> Result<Exit, Errno> {
    let stdin = sys::borrow(0).ok_or(Errno::BADF)?;
    let mut input = vec![0; INPUT];
    let mut time = LocalTime::new(env);
    let mut lines = Lines::new(outlet::to_stdout());
    loop {
        let count = sys::read(stdin, &mut input)?;
        if count == 0 {
            lines.end()?;
            return Ok(Exit::OK);
        }
        lines.convert(&input[..count], |label| time.text(label))?;
    }
}
