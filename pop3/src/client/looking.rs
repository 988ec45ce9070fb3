//! Seeing what has come and leaving it where it is, so that no more is read than a line.

use super::{Client, Gone, arrived};
use sys::io::retry_on_intr;
use sys::net::{RecvFlags, recv};
use sys::pipe::{PipeFlags, SpliceFlags, pipe_with, tee};
use sys::poll::PollFlags;
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};
use zeroize::Zeroize;

/// What [`Client::read_up_to_line_end`] has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// So many bytes.
    pub count: usize,
    /// A whole line more has come already, and was left where it is.
    pub more: bool,
}

/// How to see what has come and leave it where it is.
pub(super) enum Looking {
    /// The socket shows it.
    AtSocket,
    /// A pipe shows it in another one.
    InPipe { reader: OwnedFd, writer: OwnedFd },
    /// There is no way.
    Blind,
}

impl Client<'_> {
    /// Reads what there is, but nothing beyond the end of a line: what follows may be meant for
    /// the program that takes the descriptor over. Sockets and pipes are looked into first; anything
    /// else is read a byte at a time.
    ///
    /// # Errors
    /// The client is gone.
    pub fn read_up_to_line_end(&mut self, space: &mut [u8]) -> Result<Read, Gone> {
        self.time.wait(self.input, PollFlags::IN)?;
        let Some(looked) = self.looking.look(self.input, space) else {
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
}

impl Looking {
    /// What has come, left where it is; `None` if that can't be seen.
    pub(super) fn look(
        &mut self,
        input: BorrowedFd<'_>,
        space: &mut [u8],
    ) -> Option<Result<usize, Errno>> {
        if let Self::AtSocket = self {
            match retry_on_intr(|| {
                recv(input, &mut *space, RecvFlags::PEEK).map(|(count, _)| count)
            }) {
                Err(Errno::NOTSOCK) => {}
                looked => return Some(looked),
            }
            *self = pipe_with(PipeFlags::CLOEXEC)
                .map_or(Self::Blind, |(reader, writer)| Self::InPipe { reader, writer });
        }
        if let Self::InPipe { reader, writer } = self {
            // Never blocks: there is something in the one, or its end, and nothing in the other.
            match retry_on_intr(|| tee(input, &*writer, space.len(), SpliceFlags::NONBLOCK)) {
                Ok(0) => return Some(Ok(0)),
                Ok(count) => return Some(read_exactly(reader.as_fd(), &mut space[..count])),
                Err(Errno::AGAIN) => return Some(Err(Errno::AGAIN)),
                Err(_) => *self = Self::Blind,
            }
        }
        None
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

#[cfg(test)]
mod tests {
    use super::super::tests::fd;
    use super::*;
    use core::time::Duration;
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::vec;
    use std::vec::Vec;

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
}
