//! The client, at the other end of descriptors 0 and 1: a socket under tcpserver, a terminal when
//! an administrator tries things out, pipes in a script.

use core::time::Duration;
use sys::net::{RecvFlags, SendFlags, recv, send};
use sys::poll::{PollFd, PollFlags, poll};
use sys::{BorrowedFd, Errno};
use zeroize::Zeroize;

/// How long a client may say nothing, or take nothing: twice what RFC 1939, section 3, asks for
/// at least, and what the original granted.
pub const PATIENCE: Duration = Duration::from_secs(1200);

/// What a pipe surely takes without blocking, once it takes anything at all (PIPE_BUF).
const PIPE_ROOM: usize = 4096;

/// Why there is no client any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It has closed the connection.
    Closed,
    /// It said nothing, or took nothing, for as long as we wait.
    Idle,
    /// The connection failed.
    Failed(Errno),
}

/// Where replies go.
pub trait Wire {
    /// Sends all of it.
    ///
    /// # Errors
    /// The client is gone.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Gone>;
}

/// Descriptors 0 and 1.
pub struct Client {
    input: BorrowedFd<'static>,
    output: BorrowedFd<'static>,
    input_is_socket: bool,
    output_is_socket: bool,
}

/// What [`Client::read_up_to_line_end`] has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// So many bytes.
    pub count: usize,
    /// A whole line more has come already, and was left where it is.
    pub more: bool,
}

impl Client {
    /// The client that this program was started with; `None` if 0 or 1 isn't open.
    #[must_use]
    pub fn on_standard_descriptors() -> Option<Self> {
        Some(Self {
            input: sys::borrow(0)?,
            output: sys::borrow(1)?,
            input_is_socket: true,
            output_is_socket: true,
        })
    }

    /// Both descriptors, to hand them over.
    #[must_use]
    pub fn descriptors(&self) -> (BorrowedFd<'static>, BorrowedFd<'static>) {
        (self.input, self.output)
    }

    /// Reads what there is, after waiting for something.
    ///
    /// # Errors
    /// The client is gone.
    pub fn read(&mut self, space: &mut [u8]) -> Result<usize, Gone> {
        wait(self.input, PollFlags::IN)?;
        arrived(sys::read(self.input, space))
    }

    /// Reads what there is, but nothing beyond the end of a line: what follows may be meant for
    /// the program that takes the descriptor over. A socket is peeked at first; anything else is
    /// read a byte at a time.
    ///
    /// # Errors
    /// The client is gone.
    pub fn read_up_to_line_end(&mut self, space: &mut [u8]) -> Result<Read, Gone> {
        wait(self.input, PollFlags::IN)?;
        if self.input_is_socket {
            match retried(|| recv(self.input, &mut *space, RecvFlags::PEEK).map(|(count, _)| count))
            {
                Err(Errno::NOTSOCK) => self.input_is_socket = false,
                peeked => {
                    let seen = &mut space[..arrived(peeked)?];
                    if seen.is_empty() {
                        return Ok(Read { count: 0, more: false });
                    }
                    let line = memchr::memchr(b'\n', seen).map_or(seen.len(), |end| end + 1);
                    let more = memchr::memchr(b'\n', &seen[line..]).is_some();
                    // Among what isn't ours may be a password.
                    seen[line..].zeroize();
                    return arrived(sys::read(self.input, &mut seen[..line]))
                        .map(|count| Read { count, more });
                }
            }
        }
        let count = arrived(sys::read(self.input, &mut space[..1]))?;
        Ok(Read { count, more: false })
    }
}

impl Wire for Client {
    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Gone> {
        // Never a call that blocks: a client that takes nothing must not hold us for ever.
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        while !bytes.is_empty() {
            let sent = if self.output_is_socket {
                retried(|| send(self.output, bytes, flags))
            } else {
                wait(self.output, PollFlags::OUT)?;
                retried(|| sys::io::write(self.output, &bytes[..bytes.len().min(PIPE_ROOM)]))
            };
            match sent {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::AGAIN) => wait(self.output, PollFlags::OUT)?,
                Err(Errno::NOTSOCK) if self.output_is_socket => self.output_is_socket = false,
                Err(errno) => return Err(gone(errno)),
            }
        }
        Ok(())
    }
}

fn wait(fd: BorrowedFd<'_>, event: PollFlags) -> Result<(), Gone> {
    loop {
        match poll(&mut [PollFd::from_borrowed_fd(fd, event)], Some(PATIENCE), None) {
            Ok(0) => return Err(Gone::Idle),
            // An error of the descriptor shows in the call that follows.
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Gone::Failed(errno)),
        }
    }
}

fn arrived(read: Result<usize, Errno>) -> Result<usize, Gone> {
    match read {
        Ok(0) => Err(Gone::Closed),
        Ok(count) => Ok(count),
        // Somebody else's descriptor may be non-blocking, and share what comes with us.
        Err(Errno::AGAIN) => Ok(0),
        Err(errno) => Err(gone(errno)),
    }
}

fn gone(errno: Errno) -> Gone {
    match errno {
        Errno::PIPE | Errno::CONNRESET => Gone::Closed,
        errno => Gone::Failed(errno),
    }
}

fn retried<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
