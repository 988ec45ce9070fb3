//! A file of lines, read through one small buffer: `/etc/passwd` of a big host has megabytes.

use crate::Errno;
use crate::fs::{Mode, OFlags, open};
use alloc_crate::{vec, vec::Vec};
use core::ffi::CStr;

/// Whether what was read must not stay in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Public,
    /// Overwritten once it was looked at.
    Secret,
}

/// A line longer than this is nothing that an administrator wrote.
const MAX_LINE: usize = 1 << 20;

const FIRST_BUFFER: usize = 4096;

/// Shows each line of the file, without its newline, to `see`, until that gives something. A last
/// line without newline is a line.
///
/// # Errors
/// What open(2) and read(2) say; `EFBIG` for a line of more than 1 MiB.
pub(super) fn lines<T>(
    path: &CStr,
    kind: Kind,
    mut see: impl FnMut(&[u8]) -> Option<T>,
) -> Result<Option<T>, Errno> {
    let fd = open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::empty())?;
    let mut buffer = vec![0; FIRST_BUFFER];
    let mut held = 0;
    let outcome = loop {
        if held == buffer.len() {
            if held >= MAX_LINE {
                break Err(Errno::FBIG);
            }
            let mut larger = vec![0; held * 2];
            larger[..held].copy_from_slice(&buffer);
            if kind == Kind::Secret {
                forget(&mut buffer);
            }
            buffer = larger;
        }
        let more = match crate::read(&fd, &mut buffer[held..]) {
            Ok(more) => more,
            Err(errno) => break Err(errno),
        };
        if more == 0 {
            break Ok(if held == 0 { None } else { see(&buffer[..held]) });
        }
        let filled = held + more;
        let mut start = 0;
        let mut found = None;
        // Only what was just read can hold a newline that wasn't seen yet.
        while let Some(length) = memchr::memchr(b'\n', &buffer[start.max(held)..filled]) {
            let end = start.max(held) + length;
            found = see(&buffer[start..end]);
            start = end + 1;
            if found.is_some() {
                break;
            }
        }
        if found.is_some() {
            break Ok(found);
        }
        buffer.copy_within(start..filled, 0);
        held = filled - start;
    };
    if kind == Kind::Secret {
        forget(&mut buffer);
    }
    outcome
}

/// Overwrites what must not stay in memory.
pub(super) fn forget(bytes: &mut Vec<u8>) {
    bytes.fill(0);
    // Without a reader, the compiler may take the writes for useless.
    core::hint::black_box(bytes);
}
