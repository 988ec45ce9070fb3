//! Handing open descriptors to another process, over a local socket.

use alloc_crate::vec::Vec;
use core::mem::MaybeUninit;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::{Errno, IoSlice, IoSliceMut};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// At most so many at once.
const MOST: usize = 4;

/// Sends `bytes`, and copies of these descriptors with them, at most 4.
///
/// # Errors
/// As sendmsg(2); `EMFILE`: too many.
pub fn send(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Errno::MFILE);
    }
    loop {
        match sendmsg(&socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            outcome => return outcome.map(drop),
        }
    }
}

/// Receives bytes, and the descriptors that come with them, which are close-on-exec. Gives how many bytes: none at
/// the end.
///
/// # Errors
/// As recvmsg(2), `EINTR` excepted.
pub fn receive(socket: impl AsFd, bytes: &mut [u8]) -> Result<(usize, Vec<OwnedFd>), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let mut parts = [IoSliceMut::new(bytes)];
        match recvmsg(&socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            outcome => break outcome?,
        }
    };
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    Ok((received.bytes, fds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
    use rustix::pipe::{PipeFlags, pipe_with};

    #[test]
    fn what_is_handed_over_is_open() {
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).expect("a pair");
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
        send(&ours, b"x", &[reader.as_fd(), writer.as_fd()]).expect("sent");
        drop((reader, writer));
        let mut byte = [0];
        let (count, fds) = receive(&theirs, &mut byte).expect("received");
        assert_eq!((count, byte, fds.len()), (1, *b"x", 2));
        crate::write_all(&fds[1], b"y").expect("written");
        assert_eq!(crate::read(&fds[0], &mut byte), Ok(1));
        drop(ours);
        assert_eq!(receive(&theirs, &mut byte).expect("the end").0, 0);
    }
}
