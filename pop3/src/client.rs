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

/// A client, and how long it may do nothing.
pub struct Client<'a> {
    input: BorrowedFd<'a>,
    output: BorrowedFd<'a>,
    patience: Duration,
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
        Self { input, output, patience, input_is_socket: true, output_is_socket: true }
    }

    /// Reads what there is, after waiting for something.
    ///
    /// # Errors
    /// The client is gone.
    pub fn read(&mut self, space: &mut [u8]) -> Result<usize, Gone> {
        self.wait(self.input, PollFlags::IN)?;
        arrived(sys::read(self.input, space))
    }

    /// Reads what there is, but nothing beyond the end of a line: what follows may be meant for
    /// the program that takes the descriptor over. A socket is peeked at first; anything else is
    /// read a byte at a time.
    ///
    /// # Errors
    /// The client is gone.
    pub fn read_up_to_line_end(&mut self, space: &mut [u8]) -> Result<Read, Gone> {
        self.wait(self.input, PollFlags::IN)?;
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

    fn wait(&self, fd: BorrowedFd<'_>, event: PollFlags) -> Result<(), Gone> {
        loop {
            match poll(&mut [PollFd::from_borrowed_fd(fd, event)], Some(self.patience), None) {
                Ok(0) => return Err(Gone::Idle),
                // An error of the descriptor shows in the call that follows.
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Gone::Failed(errno)),
            }
        }
    }
}

impl Wire for Client<'_> {
    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Gone> {
        // Never a call that blocks: a client that takes nothing must not hold us for ever.
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        while !bytes.is_empty() {
            let sent = if self.output_is_socket {
                retried(|| send(self.output, bytes, flags))
            } else {
                self.wait(self.output, PollFlags::OUT)?;
                retried(|| sys::io::write(self.output, &bytes[..bytes.len().min(PIPE_ROOM)]))
            };
            match sent {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::AGAIN) => self.wait(self.output, PollFlags::OUT)?,
                Err(Errno::NOTSOCK) if self.output_is_socket => self.output_is_socket = false,
                Err(errno) => return Err(gone(errno)),
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;
    use std::vec;
    use std::vec::Vec;

    fn fd(of: &impl AsRawFd) -> BorrowedFd<'_> {
        sys::borrow(of.as_raw_fd()).unwrap()
    }

    /// Pieces that come of `read_up_to_line_end`, until nothing comes for a while.
    fn pieces(client: &mut Client<'_>) -> (Vec<(Vec<u8>, bool)>, Gone) {
        let mut pieces = Vec::new();
        let mut space = [0; 64];
        loop {
            match client.read_up_to_line_end(&mut space) {
                Ok(read) => pieces.push((space[..read.count].to_vec(), read.more)),
                Err(gone) => return (pieces, gone),
            }
        }
    }

    #[test]
    fn a_socket_gives_a_line_at_a_time() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut client = Client::new(fd(&far), fd(&far), Duration::from_millis(20));
        near.write_all(b"user joe\r\npass x\r\nst").unwrap();
        let expected: [(&[u8], bool); 3] =
            [(b"user joe\r\n", true), (b"pass x\r\n", false), (b"st", false)];
        let (pieces_now, gone) = pieces(&mut client);
        assert_eq!(pieces_now, expected.map(|(piece, more)| (piece.to_vec(), more)));
        assert_eq!(gone, Gone::Idle);
        drop(near);
        assert_eq!(pieces(&mut client), (vec![], Gone::Closed));
    }

    #[test]
    fn what_follows_a_line_stays_where_it_is() {
        let (mut near, mut far) = UnixStream::pair().unwrap();
        near.write_all(b"pass x\nstat\n").unwrap();
        drop(near);
        let mut space = [0; 64];
        let patience = Duration::from_secs(20);
        let read = Client::new(fd(&far), fd(&far), patience).read_up_to_line_end(&mut space);
        assert_eq!(read, Ok(Read { count: 7, more: true }));
        assert_eq!(&space[..20], b"pass x\n\0\0\0\0\0\0\0\0\0\0\0\0\0");
        let mut rest = Vec::new();
        far.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"stat\n");
    }

    #[test]
    fn a_pipe_gives_a_byte_at_a_time() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        writer.write_all(b"quit\nx").unwrap();
        let mut client = Client::new(fd(&reader), fd(&reader), Duration::from_millis(20));
        let mut space = [0; 64];
        for byte in b"quit\n" {
            let read = client.read_up_to_line_end(&mut space);
            assert_eq!((read, space[0]), (Ok(Read { count: 1, more: false }), *byte));
        }
        let mut rest = [0; 64];
        assert_eq!(sys::read(fd(&reader), &mut rest), Ok(1));
    }

    #[test]
    fn a_client_that_never_reads_is_let_go() {
        let (_near, far) = UnixStream::pair().unwrap();
        let (_reader, writer) = std::io::pipe().unwrap();
        for output in [fd(&far), fd(&writer)] {
            let mut client = Client::new(output, output, Duration::from_millis(20));
            assert_eq!(client.send(&vec![b'x'; 10_000_000]), Err(Gone::Idle));
        }
    }

    #[test]
    fn a_client_that_has_left() {
        let (near, far) = UnixStream::pair().unwrap();
        drop(near);
        let mut client = Client::new(fd(&far), fd(&far), PATIENCE);
        assert_eq!(client.send(b"+OK\r\n"), Err(Gone::Closed));
        assert_eq!(client.read(&mut [0; 9]), Err(Gone::Closed));
    }

    #[test]
    fn all_of_it_arrives_however_slowly_it_is_taken() {
        let text: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let (mut near, far) = UnixStream::pair().unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let taken = std::thread::spawn(move || {
            let (mut one, mut two) = (Vec::new(), Vec::new());
            near.read_to_end(&mut one).unwrap();
            reader.read_to_end(&mut two).unwrap();
            (one, two)
        });
        Client::new(fd(&far), fd(&far), PATIENCE).send(&text).unwrap();
        drop(far);
        Client::new(fd(&writer), fd(&writer), PATIENCE).send(&text).unwrap();
        drop(writer);
        let (one, two) = taken.join().unwrap();
        assert!(one == text && two == text);
    }
}
