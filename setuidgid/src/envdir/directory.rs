//! The directory's files, each with its first line.

use super::NAME;
use alloc::{vec, vec::Vec};
use common::{Exit, Failure};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use sys::fs::{Access, AtFlags, CWD, Mode, OFlags, RawDir, accessat, open, openat};
use sys::{Errno, OwnedFd};

/// A longer line is read no further: execve(2) refuses a variable of 128 KiB, and says so.
const MAX_LINE: usize = 256 * 1024;

/// Shows each file's name and first line, without its newline, in the order of the directory. The
/// line is `None` if the file is empty, or gone; or a link to nothing, as for the original. Files
/// whose names begin with a dot are left out.
///
/// # Errors
/// A directory or a file that can't be read: 111.
pub(super) fn each_file(
    path: &CStr,
    mut show: impl FnMut(&[u8], Option<&[u8]>),
) -> Result<(), Failure> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = open(path, flags, Mode::empty()).map_err(|errno| unopened(path, errno))?;
    let mut entries = [MaybeUninit::uninit(); 2048];
    let mut entries = RawDir::new(&directory, &mut entries);
    let mut line = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry
            .map_err(|errno| failure(&[b"unable to read directory ", path.to_bytes()], errno))?;
        let name = entry.file_name();
        if name.to_bytes().starts_with(b".") {
            continue;
        }
        match read_first_line(&directory, name, &mut line) {
            Ok(any) => show(name.to_bytes(), any.then_some(&line)),
            Err(Errno::NOENT) => show(name.to_bytes(), None),
            Err(Errno::ACCESS) if !may_enter(path) => return Err(unentered(path, Errno::ACCESS)),
            Err(errno) => {
                let parts: [&[u8]; 4] =
                    [b"unable to read ", path.to_bytes(), b"/", name.to_bytes()];
                return Err(failure(&parts, errno));
            }
        }
    }
    Ok(())
}

/// Whether the file has anything in it at all; if so, `line` is its first line.
fn read_first_line(directory: &OwnedFd, name: &CStr, line: &mut Vec<u8>) -> Result<bool, Errno> {
    // Without NONBLOCK, a FIFO that nobody writes to would keep us for ever.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(directory, name, flags, Mode::empty())?;
    line.clear();
    let mut buffer = vec![0; 256];
    loop {
        let count = sys::read(&file, &mut buffer)?;
        if count == 0 {
            return Ok(!line.is_empty());
        }
        let read = &buffer[..count];
        let end = read.iter().position(|byte| *byte == b'\n');
        line.extend_from_slice(&read[..end.unwrap_or(count)]);
        if end.is_some() || line.len() > MAX_LINE {
            return Ok(true);
        }
    }
}

/// The original enters the directory first, and then reads it: a directory that may not be entered
/// and one that may not be read have different messages.
fn unopened(path: &CStr, errno: Errno) -> Failure {
    if errno == Errno::ACCESS && may_enter(path) {
        return failure(&[b"unable to read directory ", path.to_bytes()], errno);
    }
    unentered(path, errno)
}

fn unentered(path: &CStr, errno: Errno) -> Failure {
    failure(&[b"unable to switch to directory ", path.to_bytes()], errno)
}

fn may_enter(path: &CStr) -> bool {
    accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

fn failure(parts: &[&[u8]], errno: Errno) -> Failure {
    NAME.fatal_errno(Exit::TEMPORARY.0, parts, errno)
}
