//! How a service tells that it is ready: by a newline on the descriptor that `notification-fd` names,
//! as under s6.
//!
//! The pipe is `supervise/ready`, a FIFO made anew for each start. The service gets an end of it that
//! is open both ways: so it isn't killed by SIGPIPE when supervise was, and what it has told by then is
//! found by the next supervise, for as long as the service keeps the descriptor open.

use crate::directory::OWNER;
use core::ffi::CStr;
use sys::fs::{self, CWD, FileType, Mode, OFlags};
use sys::pipe::PipeFlags;
use sys::{Errno, OwnedFd};

/// What could be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Nothing yet.
    Nothing,
    /// It is ready.
    Ready,
    /// It won't tell any more.
    Over,
}

/// Makes the pipe for a start: our end, and the service's.
///
/// # Errors
/// Not even a pipe without a name can be made: as pipe(2).
pub fn open(path: &CStr) -> Result<(OwnedFd, OwnedFd), Errno> {
    fifo(path).or_else(|_| {
        let (reader, writer) = sys::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        sys::io::ioctl_fionbio(&reader, true)?;
        Ok((reader, writer))
    })
}

fn fifo(path: &CStr) -> Result<(OwnedFd, OwnedFd), Errno> {
    match fs::unlink(path) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(errno) => return Err(errno),
    }
    fs::mknodat(CWD, path, FileType::Fifo, OWNER, 0)?;
    let reader = listen(path)?;
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok((reader, fs::open(path, flags, Mode::empty())?))
}

/// Our end of the pipe that a predecessor has made.
///
/// # Errors
/// Those of open(2).
pub fn listen(path: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::open(path, flags, Mode::empty())
}

/// Reads what the service has told.
#[must_use]
pub fn hear(pipe: &OwnedFd) -> Heard {
    let mut bytes = [0; 64];
    match sys::read(pipe, &mut bytes) {
        Ok(count @ 1..) if bytes[..count].contains(&b'\n') => Heard::Ready,
        // However much it may chatter, others are heard, too.
        Ok(1..) | Err(Errno::AGAIN) => Heard::Nothing,
        Ok(0) | Err(_) => Heard::Over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newline_and_nothing_else_is_ready() {
        let (reader, writer) = sys::pipe::pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
        sys::io::ioctl_fionbio(&reader, true).expect("fionbio");
        assert_eq!(hear(&reader), Heard::Nothing);
        sys::write_all(&writer, &[b'x'; 200]).expect("write");
        for _ in 0..5 {
            assert_eq!(hear(&reader), Heard::Nothing);
        }
        sys::write_all(&writer, b"yes\n").expect("write");
        assert_eq!(hear(&reader), Heard::Ready);
        drop(writer);
        assert_eq!(hear(&reader), Heard::Over);
    }
}
