//! The PROXY protocol, versions 1 and 2: a load balancer in front says whose connection it hands on.
//! <https://www.haproxy.org/download/1.8/doc/proxy-protocol.txt>
//!
//! Whoever may say that, may claim to be anybody: only connections from networks that were named
//! are asked, and such a connection that doesn't begin as it should is dropped.

mod v1;
mod v2;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{MsgFlags, recv};
use nix::sys::time::TimeSpec;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::Duration;
use sys::{Errno, clock};

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// The balancer speaks for itself (to see whether we live), or doesn't know: the connection is
    /// what it is.
    Own,
    /// It speaks for a client.
    For {
        /// The client's end.
        client: SocketAddr,
        /// The end that the client has reached.
        server: SocketAddr,
    },
}

/// Reads the header, and not a byte of what follows, until `deadline` on the monotonic clock.
///
/// # Errors
/// `ETIMEDOUT`; `EPROTO` for anything that isn't a header as it should be, the end of the
/// connection included; what recv(2) says.
pub fn read(stream: &TcpStream, deadline: Duration) -> Result<Header, Errno> {
    header(&mut |buffer, flags| receive(stream, buffer, flags, deadline))
}

/// Takes at least a byte, and no more than fit; with `MSG_PEEK` they stay where they are.
type Receive<'a> = &'a mut dyn FnMut(&mut [u8], MsgFlags) -> Result<usize, Errno>;

/// The same, wherever the bytes come from.
pub(crate) fn header(receive: Receive<'_>) -> Result<Header, Errno> {
    // No header of either version is shorter.
    let mut head = [0; 12];
    let mut length = 0;
    while length < head.len() {
        length += receive(&mut head[length..], MsgFlags::empty())?;
        // Who never meant to send one shouldn't have to wait for the deadline.
        if ![&v1::BEGINNING[..], &v2::SIGNATURE].iter().any(|known| begins(&head[..length], known))
        {
            return Err(Errno::PROTO);
        }
    }
    let header = if head == v2::SIGNATURE { binary(receive)? } else { line(receive, &head)? };
    header.ok_or(Errno::PROTO)
}

fn begins(bytes: &[u8], known: &[u8]) -> bool {
    let common = bytes.len().min(known.len());
    bytes[..common] == known[..common]
}

fn binary(receive: Receive<'_>) -> Result<Option<Header>, Errno> {
    let mut fixed = [0; 4];
    fill(receive, &mut fixed)?;
    let Some(length) = v2::length(fixed) else { return Ok(None) };
    let mut rest = vec![0; length];
    fill(receive, &mut rest)?;
    Ok(v2::parse(fixed, &rest))
}

fn line(receive: Receive<'_>, head: &[u8]) -> Result<Option<Header>, Errno> {
    let mut line = head.to_vec();
    loop {
        // Looked at first, since what follows the end of the line isn't ours.
        let mut buffer = [0; v1::LONGEST];
        let room = v1::LONGEST - line.len();
        let seen = receive(&mut buffer[..room], MsgFlags::MSG_PEEK)?;
        let end = buffer[..seen].iter().position(|byte| *byte == b'\n');
        let ours = end.map_or(seen, |end| end + 1);
        fill(receive, &mut buffer[..ours])?;
        line.extend_from_slice(&buffer[..ours]);
        match end {
            Some(_) => return Ok(v1::parse(&line)),
            None if line.len() >= v1::LONGEST => return Ok(None),
            None => {}
        }
    }
}

fn fill(receive: Receive<'_>, buffer: &mut [u8]) -> Result<(), Errno> {
    let mut filled = 0;
    while filled < buffer.len() {
        filled += receive(&mut buffer[filled..], MsgFlags::empty())?;
    }
    Ok(())
}

/// At least a byte.
fn receive(
    stream: &TcpStream,
    buffer: &mut [u8],
    flags: MsgFlags,
    deadline: Duration,
) -> Result<usize, Errno> {
    loop {
        let left = deadline.checked_sub(clock::monotonic()).ok_or(Errno::TIMEDOUT)?;
        let mut fds = [PollFd::new(stream.as_fd(), PollFlags::POLLIN)];
        match ppoll(&mut fds, Some(TimeSpec::from(left)), None) {
            Ok(0) => return Err(Errno::TIMEDOUT),
            Ok(_) => {}
            Err(nix::Error::EINTR) => continue,
            Err(error) => return Err(Errno::from_raw_os_error(error as i32)),
        }
        match recv(stream.as_raw_fd(), buffer, flags | MsgFlags::MSG_DONTWAIT) {
            Ok(0) => return Err(Errno::PROTO),
            Ok(count) => return Ok(count),
            Err(nix::Error::EAGAIN | nix::Error::EINTR) => {}
            Err(error) => return Err(Errno::from_raw_os_error(error as i32)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("an address"));
        (client.expect("connect"), listener.accept().expect("accept").0)
    }

    fn header(text: &[u8]) -> Result<Header, Errno> {
        let (mut client, server) = pair();
        client.write_all(text).expect("write");
        drop(client);
        read(&server, clock::monotonic() + Duration::from_secs(60))
    }

    #[test]
    fn what_follows_is_left_alone() {
        for head in [
            &b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"[..],
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\0\x01\0\x02",
        ] {
            let (mut client, mut server) = pair();
            client.write_all(&[head, b"hello\nworld"].concat()).expect("write");
            drop(client);
            let expected = Header::For {
                client: "192.0.2.1:1".parse().expect("an address"),
                server: "192.0.2.2:2".parse().expect("an address"),
            };
            assert_eq!(read(&server, clock::monotonic() + Duration::from_secs(60)), Ok(expected));
            let mut rest = String::new();
            server.read_to_string(&mut rest).expect("read");
            assert_eq!(rest, "hello\nworld");
        }
    }

    #[test]
    fn what_is_no_header_is_an_error() {
        for text in [
            &b""[..],
            b"P",
            b"GET / HTTP/1.0\r\n\r\n",
            b"PROXY TCP4 192.0.2.1",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff\xc0\0",
            &[&b"PROXY "[..], &[b'x'; 300]].concat(),
        ] {
            assert_eq!(header(text), Err(Errno::PROTO), "{}", text.escape_ascii());
        }
        assert_eq!(header(b"PROXY UNKNOWN\r\n"), Ok(Header::Own));
    }

    #[test]
    fn silence_has_an_end() {
        let (mut client, server) = pair();
        client.write_all(b"PROXY").expect("write");
        let soon = clock::monotonic() + Duration::from_millis(50);
        assert_eq!(read(&server, soon), Err(Errno::TIMEDOUT));
        // Nothing else is heard of a plain client than that it is none.
        let (mut client, server) = pair();
        client.write_all(b"E").expect("write");
        let late = clock::monotonic() + Duration::from_secs(600);
        assert_eq!(read(&server, late), Err(Errno::PROTO));
    }
}
