//! Addresses as people write them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses are wanted, and which of them first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Families {
    /// IPv4 only, as the originals.
    V4,
    /// IPv6 only.
    V6,
    /// Both, IPv4 first.
    V4First,
    /// Both, IPv6 first.
    V6First,
}

impl Families {
    /// Whether an address is of a wanted family.
    #[must_use]
    pub fn want(self, address: IpAddr) -> bool {
        match self {
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
            Self::V4First | Self::V6First => true,
        }
    }

    /// Puts the addresses of the preferred family first; within a family they keep their order.
    pub fn sort(self, addresses: &mut [IpAddr]) {
        let ipv6_first = matches!(self, Self::V6 | Self::V6First);
        addresses.sort_by_key(|address| address.is_ipv6() != ipv6_first);
    }
}

/// An address: dotted decimal with all four numbers, or IPv6 as RFC 4291 writes it; it may stand in
/// brackets.
#[must_use]
pub fn parse(text: &[u8]) -> Option<IpAddr> {
    let bare = text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(text);
    if bare.contains(&b':') {
        return core::str::from_utf8(bare).ok()?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    dotted(bare).map(IpAddr::V4)
}

/// Unlike the standard library's, this takes leading zeros, as decimal: the originals do.
fn dotted(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = text.split(|byte| *byte == b'.');
    for octet in &mut octets {
        *octet = u8::try_from(common::number::whole(parts.next()?)?).ok()?;
    }
    parts.next().is_none().then_some(octets.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_recognised_and_nothing_else() {
        for (text, value) in [
            ("127.000.0.001", Some("127.0.0.1")),
            ("[10.1.2.3]", Some("10.1.2.3")),
            ("[::1]", Some("::1")),
            ("::ffff:1.2.3.4", Some("::ffff:1.2.3.4")),
            ("", None),
            ("0", None),
            ("127.1", None),
            ("1.2.3.4.", None),
            ("1.2.3.4.5", None),
            ("1.2.3.256", None),
            ("[1.2.3.4", None),
            ("::1%lo", None),
            ("localhost", None),
        ] {
            let value = value.map(|value| value.parse().expect("an address"));
            assert_eq!(parse(text.as_bytes()), value, "{text}");
        }
        assert_eq!(parse(b"\xFF:"), None);
    }

    #[test]
    fn the_preferred_family_comes_first() {
        let list = ["::1", "10.0.0.2", "::2", "10.0.0.1"].map(|text| text.parse().expect("one"));
        let sorted = |families: Families| {
            let mut list = list;
            families.sort(&mut list);
            list.map(|address: IpAddr| address.to_string())
        };
        assert_eq!(sorted(Families::V4First), ["10.0.0.2", "10.0.0.1", "::1", "::2"]);
        assert_eq!(sorted(Families::V6First), ["::1", "::2", "10.0.0.2", "10.0.0.1"]);
        assert!(Families::V6.want(list[0]) && !Families::V4.want(list[0]));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text: Vec<u8>) {
            let _ = parse(&text);
        }
    }
}
