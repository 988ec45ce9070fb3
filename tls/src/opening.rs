//! What a peer said first, kept for the log line when no handshake comes of it.

/// The first bytes that came from a peer; enough for the head of a ClientHello.
#[derive(Debug, Default)]
pub(super) struct Opening {
    bytes: [u8; 16],
    used: usize,
}

/// What the first bytes look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Nothing came.
    Silence,
    /// A TLS handshake.
    Tls,
    /// An SSL 2.0 ClientHello.
    Ssl2,
    /// An HTTP request in the clear.
    Http,
    /// Something else in readable letters, such as a mail client that has TLS switched off.
    Text,
    /// Anything else.
    Unknown,
}

const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

impl Opening {
    /// Takes note of bytes as they come.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        let room = &mut self.bytes[self.used..];
        let count = room.len().min(bytes.len());
        room[..count].copy_from_slice(&bytes[..count]);
        self.used += count;
    }

    /// What they look like.
    pub(super) fn dialect(&self) -> Dialect {
        const METHODS: [&[u8]; 8] = [
            b"GET ",
            b"HEAD ",
            b"POST ",
            b"PUT ",
            b"OPTIONS ",
            b"CONNECT ",
            b"DELETE ",
            b"PRI * HTTP",
        ];
        let bytes = &self.bytes[..self.used];
        match bytes {
            [] => Dialect::Silence,
            [HANDSHAKE] | [HANDSHAKE, 3, ..] => Dialect::Tls,
            // Two bytes of length with the high bit set, then the message's type.
            [length, _, CLIENT_HELLO, ..] if length & 0x80 != 0 => Dialect::Ssl2,
            _ if METHODS.iter().any(|method| bytes.starts_with(method)) => Dialect::Http,
            _ if bytes.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | b'\t')) => {
                Dialect::Text
            }
            _ => Dialect::Unknown,
        }
    }

    /// The version of the protocol that a ClientHello names: the highest that a client without
    /// TLS 1.3 speaks. RFC 5246, 7.4.1.2: after the record's head (5 bytes) and the message's (4).
    pub(super) fn version(&self) -> Option<&'static str> {
        match &self.bytes[..self.used] {
            [HANDSHAKE, 3, _, _, _, CLIENT_HELLO, _, _, _, 3, minor, ..] => match minor {
                0 => Some("SSL 3.0"),
                1 => Some("TLS 1.0"),
                2 => Some("TLS 1.1"),
                3 => Some("TLS 1.2"),
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(bytes: &[u8]) -> Opening {
        let mut opening = Opening::default();
        // In two pieces, as a network may deliver them.
        let (first, second) = bytes.split_at(bytes.len() / 2);
        opening.note(first);
        opening.note(second);
        opening
    }

    #[test]
    fn dialects() {
        let table: [(&[u8], Dialect); 10] = [
            (b"", Dialect::Silence),
            (b"\x16\x03\x01\x02\x00\x01", Dialect::Tls),
            (b"\x16", Dialect::Tls),
            (b"\x80\x2e\x01\x00\x02", Dialect::Ssl2),
            (b"GET / HTTP/1.1\r\nHost: example\r\n", Dialect::Http),
            (b"PRI * HTTP/2.0\r\n\r\nSM", Dialect::Http),
            (b"USER fred\r\n", Dialect::Text),
            (b"\r\n", Dialect::Text),
            (b"\0\0\0\0", Dialect::Unknown),
            (b"SSH\xff", Dialect::Unknown),
        ];
        for (bytes, expected) in table {
            assert_eq!(opening(bytes).dialect(), expected, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn the_version_of_a_client_hello() {
        let hello = |minor| [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, minor, 7, 7, 7, 7, 7, 7, 7];
        assert_eq!(opening(&hello(1)).version(), Some("TLS 1.0"));
        assert_eq!(opening(&hello(3)).version(), Some("TLS 1.2"));
        assert_eq!(opening(&hello(9)).version(), None);
        assert_eq!(opening(b"\x16\x03\x01").version(), None);
    }
}
