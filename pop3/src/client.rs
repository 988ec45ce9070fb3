//! The client, at the other end of descriptors 0 and 1: a socket under tcpserver, pipes where TLS is
//! between us, a terminal when an administrator tries things out.

use core::time::Duration;
use sys::net::{RecvFlags, SendFlags, Shutdown, recv, send, shutdown};
use sys::pipe::{PipeFlags, SpliceFlags, pipe_with, tee};
use sys::poll::{PollFd, PollFlags, poll};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};
use zeroize::Zeroize;

/// How long a client may say nothing, or take nothing: what RFC 1939, section 3, asks for at least.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// The most that [`Client::discard`] throws away.
const DISCARDED: usize = 1024 * 1024;

/// What a pipe surely takes without blocking, once it takes anything at all (PIPE_BUF).
const PIPE_ROOM: usize = 4096;

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
    end: Option<Duration>,
    looking: Looking,
    output_is_socket: bool,
}

/// How to see what has come and leave it where it is.
enum Looking {
    /// The socket shows it.
    AtSocket,
    /// A pipe shows it in another one.
    InPipe { reader: OwnedFd, writer: OwnedFd },
    /// There is no way.
    Blind,
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
        let looking = Looking::AtSocket;
        Self { input, output, patience, end: None, looking, output_is_socket: true }
    }

    /// One that has until `end` (on the monotonic clock) for all that it wants, and may do nothing
    /// for no longer than `patience`.
    #[must_use]
    pub fn until(self, end: Duration, patience: Duration) -> Self {
        Self { patience, end: Some(end), ..self }
    }

    /// Reads what there is, after waiting for something.
    ///
    /// # Errors
    /// The client is gone.
    pub fn read(&mut self, space: &mut [u8]) -> Result<usize, Gone> {
        self.wait(self.input, PollFlags::IN, None)?;
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
        let end = self.end;
        self.end = Some(end.map_or(deadline, |end| end.min(deadline)));
        let read = self.read(space);
        self.end = end;
        read
    }

    /// Reads what there is, but nothing beyond the end of a line: what follows may be meant for
    /// the program that takes the descriptor over. Sockets and pipes are looked into first; anything
    /// else is read a byte at a time.
    ///
    /// # Errors
    /// The client is gone.
    pub fn read_up_to_line_end(&mut self, space: &mut [u8]) -> Result<Read, Gone> {
        self.wait(self.input, PollFlags::IN, None)?;
        let Some(looked) = self.look(space) else {
            let count = arrived(sys::read(self.input, &mut space[..1]))?;
            return Ok(Read { count, more: false });
        };
        let seen = &mut space[..arrived(looked)?];
        if seen.is_empty() {
            return Ok(Read { count: 0, more: false });
        }
        let line = memchr::memchr(b'\n', seen).map_or(seen.len(), |end| end + 1);
        let more = memchr::memchr(b'\n', &seen[line..]).is_some();
        // Among what isn't ours may be a password.
        seen[line..].zeroize();
        arrived(sys::read(self.input, &mut seen[..line])).map(|count| Read { count, more })
    }

    /// What has come, left where it is; `None` if that can't be seen.
    fn look(&mut self, space: &mut [u8]) -> Option<Result<usize, Errno>> {
        if let Looking::AtSocket = self.looking {
            match retried(|| recv(self.input, &mut *space, RecvFlags::PEEK).map(|(count, _)| count))
            {
                Err(Errno::NOTSOCK) => {}
                looked => return Some(looked),
            }
            self.looking = pipe_with(PipeFlags::CLOEXEC)
                .map_or(Looking::Blind, |(reader, writer)| Looking::InPipe { reader, writer });
        }
        if let Looking::InPipe { reader, writer } = &self.looking {
            // Never blocks: there is something in the one, or its end, and nothing in the other.
            match retried(|| tee(self.input, writer, space.len(), SpliceFlags::NONBLOCK)) {
                Ok(0) => return Some(Ok(0)),
                Ok(count) => return Some(read_exactly(reader.as_fd(), &mut space[..count])),
                Err(Errno::AGAIN) => return Some(Err(Errno::AGAIN)),
                Err(_) => self.looking = Looking::Blind,
            }
        }
        None
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

    /// Waits no longer than `deadline`, either.
    fn wait(
        &self,
        fd: BorrowedFd<'_>,
        event: PollFlags,
        deadline: Option<Duration>,
    ) -> Result<(), Gone> {
        let end = self.end.into_iter().chain(deadline).min();
        loop {
            let left = end.map(|end| end.saturating_sub(sys::clock::monotonic()));
            // Who never stops talking has no more time than who says nothing; a last word to it, which
            // comes after its time, still goes out where that takes none.
            if event == PollFlags::IN && left == Some(Duration::ZERO) {
                return Err(Gone::Idle);
            }
            let limit = left.map_or(self.patience, |left| left.min(self.patience));
            match poll(&mut [PollFd::from_borrowed_fd(fd, event)], Some(limit), None) {
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
        // Who takes a byte now and then doesn't hold us for ever, either: all of this is to be taken in
        // the time in which something has to happen.
        let mut deadline = None;
        let patience = self.patience;
        let mut by = move || *deadline.get_or_insert_with(|| sys::clock::monotonic() + patience);
        while !bytes.is_empty() {
            let sent = if self.output_is_socket {
                retried(|| send(self.output, bytes, flags))
            } else {
                self.wait(self.output, PollFlags::OUT, Some(by()))?;
                retried(|| sys::io::write(self.output, &bytes[..bytes.len().min(PIPE_ROOM)]))
            };
            match sent {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::AGAIN) => self.wait(self.output, PollFlags::OUT, Some(by()))?,
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

/// What is in a pipe whose other end is ours.
fn read_exactly(fd: BorrowedFd<'_>, space: &mut [u8]) -> Result<usize, Errno> {
    let mut filled = 0;
    while filled < space.len() {
        match sys::read(fd, &mut space[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
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
    fn a_pipe_gives_a_line_at_a_time() {
        let (reader, mut writer) = std::io::pipe().unwrap();
        let mut client = Client::new(fd(&reader), fd(&reader), Duration::from_millis(20));
        writer.write_all(b"user joe\r\npass").unwrap();
        // In another buffer of the pipe's, as large as they come.
        writer.write_all(&[&b" x\r\nnoop\r\n"[..], &[b'y'; 8000]].concat()).unwrap();
        let mut space = [0; 64];
        for (line, more) in [(&b"user joe\r\n"[..], true), (b"pass x\r\n", true)] {
            let read = client.read_up_to_line_end(&mut space);
            assert_eq!(read, Ok(Read { count: line.len(), more }));
            assert_eq!(&space[..line.len()], line);
            assert!(space[line.len()..].iter().all(|byte| *byte == 0), "what isn't ours");
        }
        let mut rest = [0; 9000];
        assert_eq!(sys::read(fd(&reader), &mut rest), Ok(8006));
        drop(writer);
        assert_eq!(client.read_up_to_line_end(&mut space), Err(Gone::Closed));
    }

    #[test]
    fn where_nothing_can_be_seen_it_is_a_byte_at_a_time() {
        let path = std::env::temp_dir().join(std::format!("pop3-client-{}", std::process::id()));
        std::fs::write(&path, "quit\nx").unwrap();
        let file = std::fs::File::open(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let mut client = Client::new(fd(&file), fd(&file), Duration::from_millis(20));
        let mut space = [0; 64];
        for byte in b"quit\n" {
            let read = client.read_up_to_line_end(&mut space);
            assert_eq!((read, space[0]), (Ok(Read { count: 1, more: false }), *byte));
        }
        let mut rest = [0; 64];
        assert_eq!(sys::read(fd(&file), &mut rest), Ok(1));
    }

    #[test]
    fn time_is_bounded_in_total() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let hour = Duration::from_secs(3600);
        let soon = sys::clock::monotonic() + Duration::from_millis(50);
        let mut client = Client::new(fd(&far), fd(&far), hour).until(soon, hour);
        // It always has something to say.
        near.set_nonblocking(true).unwrap();
        let gone = loop {
            let _ = near.write(&[b'x'; 1000]);
            if let Err(gone) = client.read_up_to_line_end(&mut [0; 9]) {
                break gone;
            }
        };
        assert_eq!(gone, Gone::Idle);
        assert!(sys::clock::monotonic() >= soon);
        assert_eq!(client.send(b"bye"), Ok(()));
        // And where it has nothing to say, that doesn't take an hour.
        let (_near, far) = UnixStream::pair().unwrap();
        let soon = sys::clock::monotonic() + Duration::from_millis(20);
        let mut client = Client::new(fd(&far), fd(&far), hour).until(soon, hour);
        assert_eq!(client.read_up_to_line_end(&mut [0; 9]), Err(Gone::Idle));
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
    fn a_client_that_never_reads_is_let_go() {
        let (_near, far) = UnixStream::pair().unwrap();
        let (_reader, writer) = std::io::pipe().unwrap();
        for output in [fd(&far), fd(&writer)] {
            let mut client = Client::new(output, output, Duration::from_millis(20));
            assert_eq!(client.send(&vec![b'x'; 10_000_000]), Err(Gone::Idle));
        }
    }

    #[test]
    fn a_client_that_takes_a_little_now_and_then_is_let_go() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let sender = std::thread::spawn(move || {
            let mut client = Client::new(fd(&far), fd(&far), Duration::from_millis(200));
            client.send(&vec![b'x'; 1 << 30])
        });
        // It always takes something before the time is over; it would go on so for hours.
        while !sender.is_finished() {
            let _ = near.read_exact(&mut [0; 1000]);
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(sender.join().unwrap(), Err(Gone::Idle));
    }

    #[test]
    fn what_has_to_come_by_a_time() {
        let (mut near, far) = UnixStream::pair().unwrap();
        let mut client = Client::new(fd(&far), fd(&far), Duration::from_secs(3600));
        near.write_all(b"x").unwrap();
        let soon = sys::clock::monotonic() + Duration::from_millis(50);
        let mut read = || client.read_by(soon, &mut [0; 9]);
        assert!(matches!(read(), Ok(1) | Err(Gone::Idle)));
        assert_eq!(read(), Err(Gone::Idle));
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
