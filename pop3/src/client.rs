//! The client, at the other end of descriptors 0 and 1: a socket under tcpserver, pipes where TLS is
//! between us, a terminal when an administrator tries things out.

mod looking;
mod sending;
mod time;

pub use looking::Read;
pub use sending::Wire;

use core::time::Duration;
use looking::Looking;
use sys::net::{Shutdown, shutdown};
use sys::poll::{PollFd, PollFlags, poll};
use sys::{BorrowedFd, Errno};
use time::Time;
use zeroize::Zeroize;

/// How long a client may say nothing, or take nothing: what RFC 1939, section 3, asks for at least.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// The most that [`Client::discard`] throws away.
const DISCARDED: usize = 1024 * 1024;

/// Why there is no client any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It has closed the connection.
    Closed,
    /// It said nothing, or took nothing, for as long as we wait, or it has taken all the time that
    /// there is.
    Idle,
    /// The connection failed.
    Failed(Errno),
}

/// A client, and how long it may do nothing.
pub struct Client<'a> {
    input: BorrowedFd<'a>,
    output: BorrowedFd<'a>,
    time: Time,
    looking: Looking,
    output_is_socket: bool,
}

impl Client<'static> {
    /// The client that this program was started with; `None` if 0 or 1 isn't open.
    #[must_use]
    pub fn on_standard_descriptors() -> Option<Self> {
        Some(Self::new(sys::borrow(0)?, sys::borrow(1)?, PATIENCE))
    }
}

impl<'a> Client<'a> {
    /// A client that is read from `input` and written to by `output`.
    #[must_use]
    pub fn new(input: BorrowedFd<'a>, output: BorrowedFd<'a>, patience: Duration) -> Self {
        // The first call on either that says it is none settles it.
        let looking = Looking::AtSocket;
        let time = Time { patience, end: None };
        Self { input, output, time, looking, output_is_socket: true }
    }

    /// One that has until `end` (on the monotonic clock) for all that it wants, and may do nothing
    /// for no longer than `patience`.
    #[must_use]
    pub fn until(self, end: Duration, patience: Duration) -> Self {
        Self { time: Time { patience, end: Some(end) }, ..self }
    }

    /// Reads what there is, after waiting for something.
    ///
    /// # Errors
    /// The client is gone.
    pub fn read(&mut self, space: &mut [u8]) -> Result<usize, Gone> {
        self.time.wait(self.input, PollFlags::IN)?;
        arrived(sys::read(self.input, space))
    }

    /// Tells the client, where it is a socket's, that nothing more comes: it needn't wait for the end of
    /// all processes that have the connection.
    pub fn say_no_more(&self) {
        let _ = shutdown(self.output, Shutdown::Write);
    }

    /// Reads what there is by `deadline`, on the monotonic clock.
    ///
    /// # Errors
    /// The client is gone.
    pub fn read_by(&mut self, deadline: Duration, space: &mut [u8]) -> Result<usize, Gone> {
        self.time.by(deadline).wait(self.input, PollFlags::IN)?;
        arrived(sys::read(self.input, space))
    }

    /// Throws away what has come so far, up to a megabyte.
    ///
    /// # Errors
    /// The client is gone, or can't stop talking.
    pub fn discard(&mut self) -> Result<(), Gone> {
        let (mut space, mut discarded) = ([0; 4096], 0);
        while discarded < DISCARDED {
            match poll(
                &mut [PollFd::from_borrowed_fd(self.input, PollFlags::IN)],
                Some(Duration::ZERO),
                None,
            ) {
                Ok(0) => return Ok(()),
                Ok(_) => match arrived(sys::read(self.input, &mut space))? {
                    0 => return Ok(()),
                    count => {
                        space[..count].zeroize();
                        discarded += count;
                    }
                },
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Gone::Failed(errno)),
            }
        }
        Err(Gone::Failed(Errno::NOBUFS))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    pub(super) fn fd(of: &impl AsRawFd) -> BorrowedFd<'_> {
        sys::borrow(of.as_raw_fd()).unwrap()
    }

    #[test]
    fn what_has_come_is_thrown_away() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut client = Client::new(fd(&far), fd(&far), PATIENCE);
        assert_eq!(client.discard(), Ok(()));
        near.write_all(&[b'x'; 10_000]).unwrap();
        assert_eq!(client.discard(), Ok(()));
        near.write_all(b"y").unwrap();
        let mut space = [0; 9];
        let read = client.read_up_to_line_end(&mut space);
        assert_eq!((read, space[0]), (Ok(Read { count: 1, more: false }), b'y'));
        drop(near);
        assert_eq!(client.discard(), Err(Gone::Closed));
    }

    #[test]
    fn a_client_that_has_left() {
        let (near, far) = UnixStream::pair().unwrap();
        drop(near);
        let mut client = Client::new(fd(&far), fd(&far), PATIENCE);
        assert_eq!(client.send(b"+OK\r\n"), Err(Gone::Closed));
        assert_eq!(client.read(&mut [0; 9]), Err(Gone::Closed));
    }
}
