//! What a TCP socket has been given and its peer hasn't acknowledged.

use rustix::fd::AsFd;
use rustix::io::Errno;
use rustix::ioctl::{Getter, ioctl};

/// SIOCOUTQ, under the name that it has for terminals.
const OUTGOING: rustix::ioctl::Opcode = 0x5411;

/// How many bytes the peer's kernel hasn't acknowledged; the end of the stream counts as one. Right also after the
/// connection broke.
///
/// # Errors
/// As ioctl(2): this isn't such a socket.
pub fn unacknowledged(socket: impl AsFd) -> Result<u64, Errno> {
    // SAFETY: the call stores an `int`, which is what the getter has room for, whatever the descriptor is.
    let count = unsafe { ioctl(socket, Getter::<OUTGOING, i32>::new()) }?;
    Ok(u64::try_from(count).unwrap_or(0))
}
