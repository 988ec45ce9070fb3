//! Where messages go, as `--to` says it.

use alloc::ffi::CString;
use common::number;
use sys::Errno;
use sys::net::SocketAddrUnix;

/// The journal's own socket.
const JOURNAL: &[u8] = b"/run/systemd/journal/socket";

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A daemon's socket on this host, of datagrams or a stream.
    Local(SocketAddrUnix),
    Journal(SocketAddrUnix),
    Udp(Server),
    Tcp(Server),
    Tls(Server),
}

/// A port of a host. The host is a name or an address, the port isn't 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: CString,
    pub(crate) port: u16,
}

/// `/PATH`, `journal`, `journal:/PATH`, `udp:HOST:PORT`, `tcp:HOST:PORT` or `tls:HOST:PORT`; an IPv6 address stands in
/// brackets.
///
/// # Errors
/// `EINVAL`: none of these. A path that is too long.
pub(crate) fn parse(text: &[u8]) -> Result<Destination, Errno> {
    let (kind, rest) = match text.iter().position(|byte| *byte == b':') {
        _ if text.first() == Some(&b'/') => {
            return SocketAddrUnix::new(text).map(Destination::Local);
        }
        Some(colon) => (&text[..colon], &text[colon + 1..]),
        None if text == b"journal" => (text, JOURNAL),
        None => return Err(Errno::INVAL),
    };
    match kind {
        b"journal" if rest.first() == Some(&b'/') => {
            SocketAddrUnix::new(rest).map(Destination::Journal)
        }
        b"udp" => server(rest).map(Destination::Udp),
        b"tcp" => server(rest).map(Destination::Tcp),
        b"tls" => server(rest).map(Destination::Tls),
        _ => Err(Errno::INVAL),
    }
}

fn server(text: &[u8]) -> Result<Server, Errno> {
    let colon = text.iter().rposition(|byte| *byte == b':').ok_or(Errno::INVAL)?;
    let (host, port) = (&text[..colon], &text[colon + 1..]);
    let host = match host {
        [b'[', address @ .., b']'] if address.contains(&b':') => address,
        // Which colon would be the port's is anybody's guess.
        host if host.contains(&b':') => return Err(Errno::INVAL),
        host => host,
    };
    if host.is_empty() || !host.iter().all(u8::is_ascii_graphic) || host.contains(&b'[') {
        return Err(Errno::INVAL);
    }
    let port = number::whole(port).and_then(|port| u16::try_from(port).ok());
    let port = port.filter(|port| *port != 0).ok_or(Errno::INVAL)?;
    Ok(Server { host: CString::new(host).map_err(|_| Errno::INVAL)?, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_destination() {
        let local = |path: &str| SocketAddrUnix::new(path).expect("short");
        let server = |host: &str, port| Server { host: CString::new(host).expect("no NUL"), port };
        for (text, expected) in [
            ("/dev/log", Destination::Local(local("/dev/log"))),
            ("/a:b", Destination::Local(local("/a:b"))),
            ("journal", Destination::Journal(local("/run/systemd/journal/socket"))),
            ("journal:/x", Destination::Journal(local("/x"))),
            ("udp:log.example:514", Destination::Udp(server("log.example", 514))),
            ("tcp:127.0.0.1:65535", Destination::Tcp(server("127.0.0.1", 65535))),
            ("tls:[::1]:6514", Destination::Tls(server("::1", 6514))),
        ] {
            assert_eq!(parse(text.as_bytes()), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "x",
            "log.example",
            "udp:",
            "udp:x",
            "udp:x:",
            "udp::514",
            "udp:x:0",
            "udp:x:65536",
            "udp:x:syslog",
            "udp:::1:514",
            "udp:[x]:514",
            "udp:[::1]",
            "udp:[::1:514",
            "udp:a b:514",
            "journal:",
            "journal:x",
            "UDP:x:514",
            "udp:é:514",
        ] {
            assert_eq!(parse(text.as_bytes()), Err(Errno::INVAL), "{text}");
        }
        assert_eq!(parse(&b"/".repeat(200)), Err(Errno::NAMETOOLONG));
    }
}
