//! Version 2: a signature, four bytes (version and command, family and protocol, length), addresses,
//! and any number of remarks, which are passed over.

use super::Header;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How it begins.
pub(super) const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Nobody's remarks are longer.
const LONGEST: usize = 4096;

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
const UNKNOWN: u8 = 0x00;
const TCP4: u8 = 0x11;
const TCP6: u8 = 0x21;

/// How much follows the four bytes; `None` if they aren't as they should be, or too much does.
pub(super) fn length([command, family, high, low]: [u8; 4]) -> Option<usize> {
    let length = usize::from(u16::from_be_bytes([high, low]));
    let least = match (command, family) {
        (LOCAL, _) | (PROXY, UNKNOWN) => 0,
        (PROXY, TCP4) => 12,
        (PROXY, TCP6) => 36,
        _ => return None,
    };
    (least..=LONGEST).contains(&length).then_some(length)
}

/// Reads the four bytes and what follows them.
pub(super) fn parse(fixed: [u8; 4], rest: &[u8]) -> Option<Header> {
    length(fixed).filter(|length| *length == rest.len())?;
    let [command, family, ..] = fixed;
    if command == LOCAL || family == UNKNOWN {
        return Some(Header::Own);
    }
    let width = if family == TCP4 { 4 } else { 16 };
    let ip = |at: usize| -> Option<IpAddr> {
        let octets = rest.get(at..at + width)?;
        match family {
            TCP4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?).into()),
            _ => Some(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?).into()),
        }
    };
    let port = |at: usize| Some(u16::from_be_bytes([*rest.get(at)?, *rest.get(at + 1)?]));
    Some(Header::For {
        client: SocketAddr::new(ip(0)?, port(2 * width)?),
        server: SocketAddr::new(ip(width)?, port(2 * width + 2)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const V4: &[u8] = b"\xc0\0\x02\x01\xc0\0\x02\x09\x9c\xbb\0\x19";

    fn read(command: u8, family: u8, rest: &[u8]) -> Option<Header> {
        let [high, low] = u16::try_from(rest.len()).expect("short").to_be_bytes();
        parse([command, family, high, low], rest)
    }

    #[test]
    fn headers() {
        let header = |client: &str, server: &str| {
            let [client, server] = [client, server].map(|end| end.parse().expect("an address"));
            Some(Header::For { client, server })
        };
        assert_eq!(read(PROXY, TCP4, V4), header("192.0.2.1:40123", "192.0.2.9:25"));
        let remarked = [V4, b"\x04\0\x01x"].concat();
        assert_eq!(read(PROXY, TCP4, &remarked), header("192.0.2.1:40123", "192.0.2.9:25"));
        let mut v6 = [0; 36];
        (v6[0], v6[15], v6[31], v6[33], v6[35]) = (0x20, 1, 1, 7, 25);
        assert_eq!(read(PROXY, TCP6, &v6), header("[2000::1]:7", "[::1]:25"));
        assert_eq!(read(LOCAL, 0, b""), Some(Header::Own));
        assert_eq!(read(LOCAL, TCP4, V4), Some(Header::Own));
        assert_eq!(read(PROXY, UNKNOWN, b"anything"), Some(Header::Own));
    }

    #[test]
    fn nothing_is_forgiven() {
        assert_eq!(read(PROXY, TCP4, &V4[1..]), None);
        assert_eq!(read(PROXY, TCP6, V4), None);
        // UDP, UNIX sockets, another version, another command.
        for (command, family) in
            [(PROXY, 0x12), (PROXY, 0x31), (PROXY, 0x10), (0x11, TCP4), (0x22, TCP4), (0, 0)]
        {
            assert_eq!(read(command, family, &[0; 300]), None, "{command:x} {family:x}");
        }
        assert_eq!(length([LOCAL, 0, 0x10, 0]), Some(4096));
        assert_eq!(length([LOCAL, 0, 0x10, 1]), None);
        assert_eq!(parse([PROXY, TCP4, 0, 12], &[0; 13]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(fixed: [u8; 4], rest: Vec<u8>) {
            let _ = parse(fixed, &rest);
            let _ = read(PROXY, TCP6, &rest);
        }
    }
}
