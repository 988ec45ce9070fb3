//! A socket that connects while somebody looks at the clock.

use core::net::SocketAddr;
use core::time::Duration;
use sys::clock::monotonic;
use sys::io::fcntl_dupfd_cloexec;
use sys::net::{AddressFamily, SocketFlags, SocketType, socket_with, sockopt};
use sys::poll::{PollFd, PollFlags, poll};
use sys::{Errno, OwnedFd};

/// Where sockets are: beyond what a program may be handed. One in the place of a standard error that is
/// closed would get our messages, one at 6 or 7 would be in the way of the connection's own place.
const PLACE: i32 = 8;

/// A socket for a connection to `remote`. It doesn't block.
pub(crate) fn open(remote: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = match remote {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    fcntl_dupfd_cloexec(socket_with(family, SocketType::STREAM, flags, None)?, PLACE)
}

/// Connects it. `ETIMEDOUT` once the deadline has passed.
pub(crate) fn connect(
    socket: &OwnedFd,
    remote: SocketAddr,
    deadline: Duration,
) -> Result<(), Errno> {
    match sys::net::connect(socket, &remote) {
        Ok(()) => return Ok(()),
        // Interrupted or not, the connection is under way.
        Err(Errno::INPROGRESS | Errno::INTR) => {}
        Err(errno) => return Err(errno),
    }
    wait(socket, PollFlags::OUT, deadline)?;
    sockopt::socket_error(socket)?
}

/// Waits until the socket is ready. `ETIMEDOUT` once the deadline has passed.
pub(crate) fn wait(socket: &OwnedFd, flags: PollFlags, deadline: Duration) -> Result<(), Errno> {
    loop {
        let left = deadline.saturating_sub(monotonic());
        let mut fds = [PollFd::new(socket, flags)];
        match poll(&mut fds, Some(left), None) {
            Ok(0) if left.is_zero() => return Err(Errno::TIMEDOUT),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(()),
            Err(errno) => return Err(errno),
        }
    }
}
