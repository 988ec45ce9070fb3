//! The file, whole.

use alloc::vec::Vec;
use core::ffi::CStr;
use sys::fs::{Mode, OFlags, open};
use sys::poll::{PollFd, PollFlags, poll};
use sys::{Errno, OwnedFd};

/// More than execve(2) lets any environment be.
const MAX_SIZE: usize = 8 << 20;

/// All that is in the file at `path`.
///
/// # Errors
/// What open(2) and read(2) say; `EFBIG` for a file of more than 8 MiB.
pub(super) fn read(path: &CStr) -> Result<Vec<u8>, Errno> {
    // Without NONBLOCK, a FIFO that nobody writes to would keep us for ever.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty())?;
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match sys::read(&file, &mut buffer) {
            Ok(0) => return Ok(text),
            Ok(count) => text.extend_from_slice(&buffer[..count]),
            Err(Errno::AGAIN) => wait(&file)?,
            Err(errno) => return Err(errno),
        }
        if text.len() > MAX_SIZE {
            return Err(Errno::FBIG);
        }
    }
}

/// For a pipe that somebody is still writing to: a shell's `<(...)`.
fn wait(file: &OwnedFd) -> Result<(), Errno> {
    match poll(&mut [PollFd::new(file, PollFlags::IN)], None, None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(errno),
    }
}
