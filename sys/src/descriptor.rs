//! Reading and writing descriptors whole, and descriptors that are only known by number.

use crate::poll::{PollFd, PollFlags, poll};
use rustix::fd::{AsFd, BorrowedFd};
use rustix::io::{Errno, fcntl_getfd};

/// Reads once, again when a signal interrupts. `Ok(0)` is the end of the file.
///
/// # Errors
/// What read(2) says, `EINTR` excepted.
pub fn read(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    loop {
        match rustix::io::read(fd.as_fd(), &mut *buffer) {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

/// Writes all of `bytes`, however many writes that takes; on a descriptor that would block, waits.
///
/// # Errors
/// What write(2) says, `EINTR` and `EAGAIN` excepted; part of `bytes` may be written by then.
pub fn write_all(fd: impl AsFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(fd.as_fd(), bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut waited = [PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::OUT)];
                match poll(&mut waited, None, None) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error),
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The descriptor `number`, if it is open: one that the program was started with, or one of the
/// standard library's, whose types a library without std doesn't know.
///
/// The caller keeps it open for as long as the borrow is used; a number that was closed
/// meanwhile gives `EBADF`, or another file's descriptor.
#[must_use]
pub fn borrow(number: i32) -> Option<BorrowedFd<'static>> {
    if number < 0 {
        return None;
    }
    // SAFETY: the number isn't -1, and the system call that follows tells whether it is open. A
    // descriptor is a mere number to the kernel: a stale one harms no memory of this process,
    // which maps no files.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    fcntl_getfd(fd).ok().map(|_| fd)
}
