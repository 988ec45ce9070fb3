//! What the fuzzer runs here: see fuzz/.

use crate::address::{self, Host};
use crate::network::Network;
use crate::proxy::{Header, header};
use nix::sys::socket::MsgFlags;
use pieces::Pieces;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use sys::Errno;

#[path = "../../fuzz/pieces.rs"]
mod pieces;
#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

/// A PROXY header, in whatever packets it comes: it means the same, and not a byte behind it is taken.
pub fn proxy(data: &[u8]) {
    let pieces = Pieces::of(data);
    let (mut taken, mut peeked) = (0, 0);
    let ends: Vec<usize> = pieces
        .iter()
        .scan(0, |end, piece| {
            *end += piece.len();
            Some(*end)
        })
        .collect();
    let mut receive = |buffer: &mut [u8], flags: MsgFlags| {
        // A packet is there once the one before was taken; what was seen once stays.
        let end = ends.iter().copied().find(|end| *end > taken).ok_or(Errno::PROTO)?.max(peeked);
        let count = (end - taken).min(buffer.len());
        buffer[..count].copy_from_slice(&pieces.whole[taken..taken + count]);
        if flags.contains(MsgFlags::MSG_PEEK) {
            peeked = taken + count;
        } else {
            taken += count;
        }
        Ok(count)
    };
    let found = header(&mut receive);
    match whole(pieces.whole) {
        Some((expected, length)) => assert_eq!((found, taken), (Ok(expected), length)),
        None => assert_eq!(found, Err(Errno::PROTO)),
    }
    // Neither version has longer ones.
    assert!(taken <= 16 + 4096);
}

/// The header that a text begins with, and its length.
fn whole(text: &[u8]) -> Option<(Header, usize)> {
    if let Some(rest) = text.strip_prefix(b"\r\n\r\n\0\r\nQUIT\n") {
        let length = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
        let rest = rest.get(..4 + length).filter(|_| length <= 4096)?;
        let port = |at: usize| u16::from_be_bytes([rest[at], rest[at + 1]]);
        let header = match (rest[0], rest[1]) {
            (0x20, _) | (0x21, 0) => Header::Own,
            (0x21, 0x11) if length >= 12 => {
                let ip =
                    |at: usize| Ipv4Addr::new(rest[at], rest[at + 1], rest[at + 2], rest[at + 3]);
                ends((ip(4).into(), port(12)), (ip(8).into(), port(14)))
            }
            (0x21, 0x21) if length >= 36 => {
                let ip = |at: usize| {
                    Ipv6Addr::from(std::array::from_fn::<u8, 16, _>(|index| rest[at + index]))
                };
                ends((ip(4).into(), port(36)), (ip(20).into(), port(38)))
            }
            _ => return None,
        };
        return Some((header, 12 + 4 + length));
    }
    let end = text.iter().take(107).position(|byte| *byte == b'\n')?;
    let line = str::from_utf8(&text[..end]).ok()?.strip_suffix('\r')?;
    if line == "PROXY UNKNOWN" || line.starts_with("PROXY UNKNOWN ") {
        return Some((Header::Own, end + 1));
    }
    let [proxy, family, client, server, from, to] = line.split(' ').collect::<Vec<_>>()[..] else {
        return None;
    };
    let ip =
        |text: &str| text.parse().ok().filter(|ip: &IpAddr| ip.is_ipv4() == (family == "TCP4"));
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| port.to_string() == text);
    let known = proxy == "PROXY" && matches!(family, "TCP4" | "TCP6");
    let header = ends((ip(client)?, port(from)?), (ip(server)?, port(to)?));
    known.then_some((header, end + 1))
}

fn ends(client: (IpAddr, u16), server: (IpAddr, u16)) -> Header {
    Header::For { client: SocketAddr::from(client), server: SocketAddr::from(server) }
}

/// Hosts and networks as administrators type them: what is written is read again.
pub fn network(text: &[u8]) {
    if let Host::Address(ip) = Host::parse(text) {
        let field = address::field(ip);
        assert_eq!(Host::parse(field.as_bytes()), Host::Address(ip.to_canonical()));
        assert!(!field[..field.len() - 1].trim_matches(['[', ']']).is_empty());
    }
    let Some(network) = Network::parse(text) else { return };
    let written = network.to_string();
    assert_eq!(Network::parse(written.as_bytes()), Some(network));
    let (first, length) = written.split_once('/').unwrap_or((&written, "128"));
    let first: IpAddr = first.parse().expect("an address");
    let length: u32 = length.parse().expect("a length");
    assert!(network.contains(first));
    // The addresses that differ in one bit, on either side of the border.
    for bit in [length.checked_sub(1), Some(length)].into_iter().flatten() {
        let other = match first {
            IpAddr::V4(ip) if bit < 32 => {
                IpAddr::from(Ipv4Addr::from_bits(ip.to_bits() ^ 1 << (31 - bit)))
            }
            IpAddr::V6(ip) if bit < 128 => {
                IpAddr::from(Ipv6Addr::from_bits(ip.to_bits() ^ 1 << (127 - bit)))
            }
            IpAddr::V4(_) | IpAddr::V6(_) => continue,
        };
        // One that is an IPv4 address in truth is none of these.
        let same = other.to_canonical() == other;
        assert_eq!(network.contains(other), same && bit >= length, "{network} {other}");
    }
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("proxy", super::proxy);
        replay("network", super::network);
    }
}
