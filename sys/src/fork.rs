//! fork(2) and _exit(2), for a child that goes on with the same program (the TLS relay).

use crate::raw;
use rustix::io::Errno;
use rustix::process::Pid;

/// Which of the two processes this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fork {
    /// The new one.
    Child,
    /// The one that called, with the new one's id.
    Parent(Pid),
}

/// Splits the process in two. Ours have one thread each, so the child may go on with anything.
///
/// # Errors
/// `EAGAIN` (too many processes), `ENOMEM`.
pub fn fork() -> Result<Fork, Errno> {
    Ok(raw::fork()?.map_or(Fork::Child, Fork::Parent))
}

/// Ends the process at once with this exit code; nothing is flushed, nothing runs at exit.
pub fn exit(code: u8) -> ! {
    raw::exit(i32::from(code))
}
