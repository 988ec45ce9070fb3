//! Addresses: what a host argument means, and how an address is written for the environment and
//! the log.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host as it is named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    /// Empty or `0`: every address of this host.
    Any,
    /// An address.
    Address(IpAddr),
    /// Anything else is a name to look up.
    Name(&'a [u8]),
}

impl<'a> Host<'a> {
    /// Tells the three apart. An address may stand in brackets.
    #[must_use]
    pub fn parse(text: &'a [u8]) -> Self {
        if text.is_empty() || text == b"0" {
            return Self::Any;
        }
        let bare = text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
        parse(bare.unwrap_or(text)).map_or(Self::Name(text), Self::Address)
    }
}

/// An address: dotted decimal with all four numbers, or IPv6 as RFC 4291 writes it.
#[must_use]
pub fn parse(text: &[u8]) -> Option<IpAddr> {
    if text.contains(&b':') {
        return core::str::from_utf8(text).ok()?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    dotted(text).map(IpAddr::V4)
}

/// Unlike the standard library's, this takes leading zeros, as decimal: the originals do.
fn dotted(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split(|byte| *byte == b'.');
    for octet in &mut octets {
        let number = common::number::whole(parts.next()?)?;
        *octet = u8::try_from(number).ok()?;
    }
    parts.next().is_none().then_some(octets.into())
}

/// The address as people know it: an IPv4 client of an IPv6 socket is an IPv4 client.
#[must_use]
pub fn text(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

/// The same for a log line whose fields are told apart by colons: IPv6 stands in brackets.
#[must_use]
pub fn field(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn nothing_and_zero_mean_every_address() {
        assert_eq!(Host::parse(b""), Host::Any);
        assert_eq!(Host::parse(b"0"), Host::Any);
    }

    #[test]
    fn addresses_are_recognised() {
        for (text, value) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.000.0.001", "127.0.0.1"),
            ("[10.1.2.3]", "10.1.2.3"),
            ("::", "::"),
            ("[::1]", "::1"),
            ("fe80::fc:ff:fe00:1", "fe80::fc:ff:fe00:1"),
            ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ] {
            assert_eq!(Host::parse(text.as_bytes()), Host::Address(address(value)), "{text}");
        }
    }

    #[test]
    fn all_else_is_a_name() {
        for text in [
            "00",
            "127.1",
            "127.0.0",
            "127.0.0.1x",
            "127.0.0.256",
            "1.2.3.4.",
            ".1.2.3.4",
            "1.2.3.4.5",
            "localhost",
            ":",
            "::1%lo",
            "1::2::3",
            "[",
            "[]",
            "[127.0.0.1",
            "99999999999999999999.0.0.1",
        ] {
            assert_eq!(Host::parse(text.as_bytes()), Host::Name(text.as_bytes()), "{text}");
        }
        assert_eq!(Host::parse(b"\xff:"), Host::Name(b"\xff:"));
    }

    #[test]
    fn mapped_clients_are_written_as_what_they_are() {
        assert_eq!(text(address("::ffff:1.2.3.4")), "1.2.3.4");
        assert_eq!(field(address("::ffff:1.2.3.4")), "1.2.3.4");
        assert_eq!(text(address("2001:db8:0:0::1")), "2001:db8::1");
        assert_eq!(field(address("::1")), "[::1]");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(bits: u128, v4: bool) {
            let address = if v4 {
                IpAddr::V4(u32::try_from(bits >> 96).expect("32 bits").into())
            } else {
                IpAddr::V6(bits.into())
            };
            prop_assert_eq!(parse(text(address).as_bytes()), Some(address.to_canonical()));
            let field = field(address);
            prop_assert_eq!(
                Host::parse(field.as_bytes()),
                Host::Address(address.to_canonical())
            );
        }

        #[test]
        fn no_text_breaks_it(text: Vec<u8>) {
            let _ = Host::parse(&text);
        }
    }
}
