//! Which user a client is, as its host says: the identification protocol (RFC 1413).
//!
//! Whoever has the host says what he likes: that is for logs, and for rules about hosts that are
//! trusted.

mod reply;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, bind, connect, getsockopt, recv,
    send, socket, sockopt,
};
use nix::sys::time::TimeSpec;
use reply::{Reply, Step};
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::Duration;
use sys::clock;

/// Where hosts are asked.
const PORT: u16 = 113;

/// Asks the host of `remote` who has this connection to `local`, until `deadline` on the monotonic
/// clock. Gives what it answers, which may be nothing: an error, or no user's name. `None`: no
/// answer.
#[must_use]
pub fn ask(local: SocketAddr, remote: SocketAddr, deadline: Duration) -> Option<Vec<u8>> {
    let socket = connected(local, remote, deadline)?;
    let question = format!("{} , {}\r\n", remote.port(), local.port());
    // So little always fits into the buffer of a new connection.
    send(socket.as_raw_fd(), question.as_bytes(), MsgFlags::MSG_NOSIGNAL).ok()?;
    let mut reply = Reply::default();
    loop {
        wait(&socket, PollFlags::POLLIN, deadline)?;
        let mut buffer = [0; 512];
        let count = match recv(socket.as_raw_fd(), &mut buffer, MsgFlags::empty()) {
            Ok(0) => return None,
            Ok(count) => count,
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => continue,
            Err(_) => return None,
        };
        match reply.take(&buffer[..count]) {
            Step::More => {}
            Step::Done(info) => return Some(info),
            Step::TooMuch => return None,
        }
    }
}

/// From the address that the client knows: its host knows of no other.
fn connected(local: SocketAddr, remote: SocketAddr, deadline: Duration) -> Option<OwnedFd> {
    let family = if remote.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, None).ok()?;
    let at = |mut address: SocketAddr, port| {
        address.set_port(port);
        SockaddrStorage::from(address)
    };
    bind(socket.as_raw_fd(), &at(local, 0)).ok()?;
    match connect(socket.as_raw_fd(), &at(remote, PORT)) {
        Ok(()) => return Some(socket),
        Err(nix::Error::EINPROGRESS) => {}
        Err(_) => return None,
    }
    wait(&socket, PollFlags::POLLOUT, deadline)?;
    matches!(getsockopt(&socket, sockopt::SocketError), Ok(0)).then_some(socket)
}

fn wait(socket: &OwnedFd, for_what: PollFlags, deadline: Duration) -> Option<()> {
    loop {
        let left = deadline.checked_sub(clock::monotonic())?;
        let mut fds = [PollFd::new(socket.as_fd(), for_what)];
        match ppoll(&mut fds, Some(TimeSpec::from(left)), None) {
            Ok(0) => return None,
            Ok(_) => return Some(()),
            Err(nix::Error::EINTR) => {}
            Err(_) => return None,
        }
    }
}
