//! Asking the other end whose connection it is (IDENT, RFC 1413).

pub(crate) mod answer;

use crate::socket;
use alloc::vec::Vec;
use answer::Answer;
use common::decimal;
use core::net::SocketAddr;
use core::time::Duration;
use sys::net::{RecvFlags, SendFlags, recv, send};
use sys::poll::PollFlags;
use sys::{Errno, OwnedFd};

/// Where hosts that tell such things listen.
const PORT: u16 = 113;

/// Who has the remote end of a connection, in the remote host's words: any bytes but blanks and
/// control characters, 257 at most; empty if it won't tell. `None` if it says nothing before the
/// deadline on the monotonic clock.
#[must_use]
pub fn ask(local: SocketAddr, remote: SocketAddr, deadline: Duration) -> Option<Vec<u8>> {
    converse(local, remote, deadline).ok().flatten()
}

fn converse(
    local: SocketAddr,
    remote: SocketAddr,
    deadline: Duration,
) -> Result<Option<Vec<u8>>, Errno> {
    let (mut from, mut to) = (local, remote);
    from.set_port(0);
    to.set_port(PORT);
    let socket = socket::open(to)?;
    // The question is about connections between the same two addresses.
    sys::net::bind(&socket, &from)?;
    socket::connect(&socket, to, deadline)?;
    write(&socket, &question(local.port(), remote.port()), deadline)?;
    let (mut answer, mut buffer) = (Answer::default(), [0; 256]);
    loop {
        socket::wait(&socket, PollFlags::IN, deadline)?;
        match recv(&socket, &mut buffer[..], RecvFlags::empty()) {
            Ok((0, _)) => return Ok(None),
            Ok((length, _)) => {
                if let Some(who) = answer.take(&buffer[..length]) {
                    return Ok(Some(who));
                }
                if answer.is_too_long() {
                    return Ok(None);
                }
            }
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// `THEIRS , OURS`: the host that is asked comes first.
fn question(ours: u16, theirs: u16) -> Vec<u8> {
    let (theirs, ours) = (decimal(theirs.into()), decimal(ours.into()));
    [theirs.as_bytes(), b" , ", ours.as_bytes(), b"\r\n"].concat()
}

fn write(socket: &OwnedFd, mut bytes: &[u8], deadline: Duration) -> Result<(), Errno> {
    while !bytes.is_empty() {
        socket::wait(socket, PollFlags::OUT, deadline)?;
        match send(socket, bytes, SendFlags::NOSIGNAL) {
            Ok(length) => bytes = &bytes[length..],
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question() {
        assert_eq!(question(1025, 80), b"80 , 1025\r\n");
    }
}
