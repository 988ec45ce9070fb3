//! Addresses as people write them.

use alloc::vec::Vec;
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

/// The address as people know it, an IPv4 client of an IPv6 socket as the IPv4 client that it is; IPv6
/// as RFC 5952 has it. (`format!` would do the same, but brings parts of the library along that a
/// freestanding program can't be linked with.)
#[must_use]
pub fn text(address: IpAddr) -> Vec<u8> {
    let mut text = Vec::with_capacity(39);
    match address.to_canonical() {
        IpAddr::V4(address) => {
            for octet in address.octets() {
                text.extend_from_slice(common::decimal(u64::from(octet)).as_bytes());
                text.push(b'.');
            }
            text.pop();
        }
        IpAddr::V6(address) => {
            let groups = address.segments();
            let (start, length) = longest_zeros(&groups);
            append_groups(&mut text, &groups[..start]);
            if length > 0 {
                text.extend_from_slice(b"::");
            }
            append_groups(&mut text, &groups[start + length..]);
        }
    }
    text
}

/// Where the first of the longest rows of two or more zeros begins, and its length; length 0 if there
/// is none.
fn longest_zeros(groups: &[u16; 8]) -> (usize, usize) {
    let mut longest = (0, 0);
    for start in 0..groups.len() {
        let length = groups[start..].iter().take_while(|group| **group == 0).count();
        if length > longest.1.max(1) {
            longest = (start, length);
        }
    }
    longest
}

/// `2001:db8`.
fn append_groups(text: &mut Vec<u8>, groups: &[u16]) {
    for (index, group) in groups.iter().enumerate() {
        if index > 0 {
            text.push(b':');
        }
        let digits = (16 - group.leading_zeros()).div_ceil(4).max(1);
        for digit in (0..digits).rev() {
            let digit = usize::from(group >> (4 * digit) & 15);
            text.push(b"0123456789abcdef"[digit]);
        }
    }
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

    /// As the standard library writes it.
    fn expected(address: IpAddr) -> Vec<u8> {
        address.to_canonical().to_string().into_bytes()
    }

    #[test]
    fn addresses_are_written_as_people_know_them() {
        for address in [
            "0.0.0.0",
            "255.255.255.255",
            "192.0.2.1",
            "::",
            "::1",
            "1::",
            "::ffff:1.2.3.4",
            "2001:db8::1:0:0:1",
            "2001:0:0:1::1",
            "1:0:3:4:5:6:7:8",
            "fe80::fc:ff:fe00:1",
            "1:2:3:4:5:6:7:8",
        ] {
            let address = address.parse().expect("an address");
            assert_eq!(text(address), expected(address), "{address}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(groups: [u16; 8], kept: u8, v4: bool) {
            // Some groups are zero, to have rows of them.
            let keep = |index: usize| if kept >> index & 1 == 1 { groups[index] } else { 0 };
            let groups: [u16; 8] = core::array::from_fn(keep);
            let address: IpAddr = match v4 {
                true => Ipv4Addr::from((u32::from(groups[0]) << 16) | u32::from(groups[1])).into(),
                false => Ipv6Addr::from(groups).into(),
            };
            let text = text(address);
            // The library writes deprecated IPv4-compatible addresses with dots; they read alike.
            prop_assert_eq!(parse(&text), Some(address.to_canonical()));
            prop_assert!(text.contains(&b'.') || text == expected(address));
        }

        #[test]
        fn no_text_breaks_it(text: Vec<u8>) {
            let _ = parse(&text);
        }
    }
}
