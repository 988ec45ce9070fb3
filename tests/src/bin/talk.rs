//! talk: a client for side-by-side cases. `talk FROM TO PORT [TEXT]`: connects from the address FROM to TO's PORT, sends TEXT
//! (in which `\r`, `\n` and `\xff` stand for these bytes), ends what it sends, and prints what comes until the other side
//! ends. In that, the two ports are PORT and CLIENT.

use std::io::{Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrStorage, bind, connect,
    getsockname, socket,
};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = [0, 1].map(|index| words[index].parse::<IpAddr>().expect("an address"));
    let port: u16 = words[2].parse().expect("a port");
    // The other side's port, at another address, would be told for the client's.
    let socket = std::iter::repeat_with(|| bound(from)).find(|(_, own)| *own != port);
    let (socket, own) = socket.expect("another port");
    let server = SockaddrStorage::from(SocketAddr::new(to, port));
    if let Err(error) = connect(socket.as_raw_fd(), &server) {
        println!("no connection: {error}");
        return;
    }
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(Duration::from_secs(50))).expect("set a timeout");
    if let Some(text) = words.get(3) {
        // Whoever was refused already can't be told any more.
        let _ = stream.write_all(&unescaped(text)).and_then(|()| stream.shutdown(Shutdown::Write));
    }
    let mut got = Vec::new();
    let end = stream.read_to_end(&mut got);
    let text: String = got.iter().map(|byte| char::from(*byte)).collect();
    let text = tests::number(&tests::number(&text, own.into(), "CLIENT"), port.into(), "PORT");
    let bytes: Vec<u8> = text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()).collect();
    std::io::stdout().write_all(&bytes).expect("write");
    if let Err(error) = end {
        println!("broken off: {:?}", error.kind());
    }
}

/// A socket at this address, and its port.
fn bound(from: IpAddr) -> (OwnedFd, u16) {
    let family = if from.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
    let socket = socket(family, SockType::Stream, SockFlag::empty(), None).expect("a socket");
    bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(from, 0))).expect("bind");
    let own: SockaddrStorage = getsockname(socket.as_raw_fd()).expect("an address");
    let port = own.as_sockaddr_in().map(SockaddrIn::port);
    let port = port.or_else(|| own.as_sockaddr_in6().map(SockaddrIn6::port));
    (socket, port.expect("a port"))
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\\', [b'n', after @ ..]) => {
                bytes.push(b'\n');
                rest = after;
            }
            (b'\\', [b'r', after @ ..]) => {
                bytes.push(b'\r');
                rest = after;
            }
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16).expect("a digit");
                bytes.push(u8::try_from(16 * digit(high) + digit(low)).expect("two digits"));
                rest = after;
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}
