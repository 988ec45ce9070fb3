//! The pipes between relay and program.

use super::trouble;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::pipe2;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// How much a pipe holds when it is asked for more, in bytes. With the kernel's 64 KiB the two at its ends
/// wait for each other where there is a lot to move: the throughput is a third less.
pub(super) const WIDE: i32 = 256 * 1024;

/// The relay's end of a pipe; it never blocks.
pub(super) struct End {
    fd: OwnedFd,
    asked: bool,
}

impl End {
    /// Asks for a pipe that holds more, once. Not from the start: what all pipes of an account hold is
    /// bounded (`pipe-user-pages-soft`, pipe(7)), and hardly any moves so much. Beyond that bound this one
    /// stays as it is.
    pub(super) fn widen(&mut self) {
        if !self.asked {
            self.asked = true;
            let _ = fcntl(&self.fd, FcntlArg::F_SETPIPE_SZ(WIDE));
        }
    }
}

impl AsFd for End {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// A pipe for the program to read from: its end, which blocks, and ours.
pub(super) fn to_program() -> Result<(OwnedFd, End), String> {
    let (reader, writer) = pipe()?;
    Ok((reader, end(writer)?))
}

/// A pipe for it to write to.
pub(super) fn from_program() -> Result<(OwnedFd, End), String> {
    let (reader, writer) = pipe()?;
    Ok((writer, end(reader)?))
}

/// Any pipe: what to read from, what to write to. Both block.
pub(super) fn pipe() -> Result<(OwnedFd, OwnedFd), String> {
    pipe2(OFlag::O_CLOEXEC).map_err(|error| trouble("create pipe", error))
}

fn end(fd: OwnedFd) -> Result<End, String> {
    fcntl(&fd, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
        .map_err(|error| trouble("set up pipe", error))?;
    Ok(End { fd, asked: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;
    use nix::unistd::write;

    /// How many bytes fit in.
    fn room(end: &End) -> usize {
        let mut room = 0;
        loop {
            match write(end, &[0; 4096]) {
                Ok(count) => room += count,
                Err(error) => {
                    assert_eq!(error, Errno::EAGAIN);
                    return room;
                }
            }
        }
    }

    #[test]
    fn it_holds_more_once_it_was_asked() {
        let (_reader, mut end) = to_program().unwrap();
        let before = room(&end);
        end.widen();
        assert_eq!(before + room(&end), WIDE as usize);
        end.widen();
        assert_eq!(room(&end), 0);
    }
}
