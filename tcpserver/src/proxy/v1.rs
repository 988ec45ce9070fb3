//! Version 1: a line of text.

use super::Header;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// How it begins.
pub(super) const BEGINNING: [u8; 6] = *b"PROXY ";

/// The longest line, with its end.
pub(super) const LONGEST: usize = 107;

/// Reads `PROXY TCP4 192.0.2.1 192.0.2.9 40123 25\r\n`; `None` for anything else. Nothing is
/// forgiven: numbers have no zeros in front, one blank stands between words.
pub(super) fn parse(line: &[u8]) -> Option<Header> {
    let text = str::from_utf8(line.strip_suffix(b"\r\n")?).ok()?;
    let words: Vec<&str> = text.split(' ').collect();
    match words[..] {
        // Whatever it says besides.
        ["PROXY", "UNKNOWN", ..] => Some(Header::Own),
        ["PROXY", family, client, server, from, to] => {
            let ip = |text: &str| -> Option<IpAddr> {
                match family {
                    "TCP4" => text.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
                    "TCP6" => text.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
                    _ => None,
                }
            };
            Some(Header::For {
                client: SocketAddr::new(ip(client)?, port(from)?),
                server: SocketAddr::new(ip(server)?, port(to)?),
            })
        }
        _ => None,
    }
}

fn port(text: &str) -> Option<u16> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let zeros = text.len() > 1 && text.starts_with('0');
    text.parse().ok().filter(|_| plain && !zeros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<Header> {
        parse(text.as_bytes())
    }

    #[test]
    fn lines() {
        let header = |client: &str, server: &str| {
            let [client, server] = [client, server].map(|end| end.parse().expect("an address"));
            Some(Header::For { client, server })
        };
        assert_eq!(
            read("PROXY TCP4 192.0.2.1 192.0.2.9 40123 25\r\n"),
            header("192.0.2.1:40123", "192.0.2.9:25")
        );
        assert_eq!(
            read("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n"),
            header("[2001:db8::1]:65535", "[::1]:0")
        );
        assert_eq!(read("PROXY UNKNOWN\r\n"), Some(Header::Own));
        assert_eq!(read("PROXY UNKNOWN ffff::1 x y\r\n"), Some(Header::Own));
    }

    #[test]
    fn nothing_is_forgiven() {
        for text in [
            "",
            "\r\n",
            "PROXY \r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.9 40123 25\n",
            "PROXY TCP4 192.0.2.1 192.0.2.9 40123 25",
            "PROXY TCP4 192.0.2.1 192.0.2.9 40123 25 \r\n",
            "PROXY  TCP4 192.0.2.1 192.0.2.9 40123 25\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.9 40123\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.9 40123 65536\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.9 +1 2\r\n",
            "PROXY TCP4 192.0.2.1 192.0.2.9 01 2\r\n",
            "PROXY TCP4 192.0.2.01 192.0.2.9 1 2\r\n",
            "PROXY TCP4 192.0.2 192.0.2.9 1 2\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n",
            "PROXY TCP6 192.0.2.1 192.0.2.9 1 2\r\n",
            "PROXY UDP4 192.0.2.1 192.0.2.9 1 2\r\n",
            "proxy TCP4 192.0.2.1 192.0.2.9 1 2\r\n",
            "PROXY TCP4\t192.0.2.1 192.0.2.9 1 2\r\n",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_it(line: Vec<u8>) {
            let _ = parse(&line);
            let _ = parse(&[&BEGINNING[..], &line, b"\r\n"].concat());
        }

        #[test]
        fn what_is_written_is_read(a: [u8; 4], b: [u8; 4], from: u16, to: u16) {
            let [client, server] = [a, b].map(|octets| IpAddr::V4(octets.into()));
            let line = format!("PROXY TCP4 {client} {server} {from} {to}\r\n");
            let (client, server) = (SocketAddr::new(client, from), SocketAddr::new(server, to));
            prop_assert_eq!(read(&line), Some(Header::For { client, server }));
            prop_assert!(line.len() <= LONGEST);
        }
    }
}
