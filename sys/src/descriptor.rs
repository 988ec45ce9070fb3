//! Reading and writing descriptors whole, and descriptors that are only known by number.

use crate::poll::{PollFd, PollFlags, poll};
use crate::raw;
use rustix::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd, retry_on_intr};

/// Reads once, again when a signal interrupts. `Ok(0)` is the end of the file.
///
/// # Errors
/// What read(2) says, `EINTR` excepted.
pub fn read(fd: impl AsFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    retry_on_intr(|| rustix::io::read(fd.as_fd(), &mut *buffer))
}

/// Reads into `buffer` what the file has from byte `offset` on. 0 is the end of file.
///
/// # Errors
/// What pread(2) says, `EINTR` excepted.
pub fn read_at(fd: impl AsFd, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    retry_on_intr(|| rustix::io::pread(fd.as_fd(), &mut *buffer, offset))
}

/// Reads from byte `offset` on until `buffer` is full or the file ends, and gives how much that was.
///
/// # Errors
/// What pread(2) says, `EINTR` excepted.
pub fn read_whole_at(fd: impl AsFd, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    let mut count = 0;
    while count < buffer.len() {
        match read_at(fd.as_fd(), &mut buffer[count..], offset + count as u64)? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

/// Writes all of `bytes` to the file from byte `offset` on.
///
/// # Errors
/// What pwrite(2) says, `EINTR` excepted, and `ENOSPC` for a file that takes nothing; part of `bytes`
/// may be written by then.
pub fn write_all_at(fd: impl AsFd, bytes: &[u8], offset: u64) -> Result<(), Errno> {
    let mut count = 0;
    while count < bytes.len() {
        let at = offset + count as u64;
        match retry_on_intr(|| rustix::io::pwrite(fd.as_fd(), &bytes[count..], at))? {
            0 => return Err(Errno::NOSPC),
            more => count += more,
        }
    }
    Ok(())
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

/// Takes possession of descriptor `number`, with which the program was started, and makes it
/// close-on-exec. `None` if it isn't open, or is close-on-exec already: then it is one that this
/// process has opened itself (ours always are), or has taken possession of before. So no descriptor
/// gets two owners. The standard streams are never taken.
#[must_use]
pub fn adopt(number: i32) -> Option<OwnedFd> {
    if number <= 2 {
        return None;
    }
    let fd = borrow(number)?;
    if fcntl_getfd(fd).ok()?.contains(FdFlags::CLOEXEC) {
        return None;
    }
    fcntl_setfd(fd, FdFlags::CLOEXEC).ok()?;
    // SAFETY: the descriptor is open, and nobody's: what this process opens is close-on-exec from
    // its first moment on, and so is, from now on, this one.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Closes every descriptor but the standard ones and those with these numbers, at most 8: for a forked child that does
/// one thing until it ends, and has inherited what isn't its business.
///
/// Whoever else in this process has a descriptor that isn't named finds it closed, and may find
/// another file under its number: no such object may be used, or dropped, any more.
///
/// # Errors
/// `ENOSYS`: a kernel before 5.9.
pub fn close_all_but(kept: &[i32]) -> Result<(), Errno> {
    let mut numbers = [u32::MAX; 9];
    for (place, number) in numbers.iter_mut().zip(kept) {
        *place = u32::try_from(*number).unwrap_or(u32::MAX);
    }
    numbers.sort_unstable();
    let mut first = 3;
    for number in numbers {
        if number > first {
            raw::close_range(first, number - 1)?;
        }
        first = first.max(number.saturating_add(1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::{AsRawFd, IntoRawFd};
    use rustix::pipe::{PipeFlags, pipe_with};

    #[test]
    fn what_is_not_kept_is_closed() {
        use crate::fork::{Fork, exit, fork};
        use crate::process::{WaitOptions, waitpid};
        let pipes = [0, 1].map(|_| pipe_with(PipeFlags::CLOEXEC).expect("a pipe"));
        match fork().expect("a process") {
            Fork::Parent(pid) => {
                let (_, status) = waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap();
                assert_eq!(status.exit_status(), Some(0));
            }
            Fork::Child => {
                let kept = [pipes[1].0.as_raw_fd(), pipes[0].1.as_raw_fd()];
                let closed = close_all_but(&kept).is_ok();
                let all = [&pipes[0].0, &pipes[0].1, &pipes[1].0, &pipes[1].1];
                let open = all.map(|fd| borrow(fd.as_raw_fd()).is_some());
                exit(u8::from(!closed || open != [false, true, true, false]));
            }
        }
    }

    #[test]
    fn a_descriptor_is_taken_possession_of_once() {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
        assert!(adopt(writer.as_raw_fd()).is_none(), "close-on-exec: our own");
        let number = reader.into_raw_fd();
        fcntl_setfd(borrow(number).expect("open"), FdFlags::empty()).expect("fcntl");
        let adopted = adopt(number).expect("inherited");
        assert!(fcntl_getfd(&adopted).expect("fcntl").contains(FdFlags::CLOEXEC));
        assert!(adopt(number).is_none(), "has an owner now");
        assert!(adopt(2).is_none() && adopt(-1).is_none() && adopt(1_000_000).is_none());
    }
}
