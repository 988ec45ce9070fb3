//! IPv6 addresses and networks in rules.

use super::canonical;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

/// The bits of an address.
pub(super) const BITS: u8 = 128;

/// The addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Network {
    first: u128,
    length: u8,
}

impl Network {
    /// The network of this length that `address` lies in.
    pub(super) fn around(address: Ipv6Addr, length: u8) -> Self {
        Self { first: address.to_bits() & mask(length), length }
    }

    /// The front of a rule, from the bracket on, and what follows it: `[ADDRESS]` or `[ADDRESS]/LENGTH`. `None` is
    /// anything else; so is an address that isn't the first of its network, which is rather a slip than a
    /// way to write that; and what only the IPv6 forms of IPv4 addresses could match, since those clients
    /// have their IPv4 addresses.
    pub(super) fn parse(text: &[u8]) -> Option<(Self, &[u8])> {
        let text = text.strip_prefix(b"[")?;
        let end = text.iter().position(|byte| *byte == b']')?;
        let (address, rest) = (address(&text[..end])?, &text[end + 1..]);
        let (length, rest) = match rest.strip_prefix(b"/") {
            Some(rest) => length(rest)?,
            None => (BITS, rest),
        };
        let network = Self::around(address, length);
        let ipv4 = length >= 96 && address.to_ipv4_mapped().is_some();
        (network.first == address.to_bits() && !ipv4).then_some((network, rest))
    }

    /// Whether it is a single address.
    pub(super) fn is_one_address(self) -> bool {
        self.length == BITS
    }

    /// The key of a rule for it.
    pub(super) fn key(self) -> Vec<u8> {
        let address = canonical::ipv6(Ipv6Addr::from_bits(self.first));
        let mut key = [b"[", &address[..], b"]"].concat();
        if !self.is_one_address() {
            key.push(b'/');
            key.extend_from_slice(common::decimal(self.length.into()).as_bytes());
        }
        key
    }
}

/// An address without brackets.
pub(super) fn address(text: &[u8]) -> Option<Ipv6Addr> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// A client's address. An IPv4 address in its IPv6 form is the IPv4 address.
pub(super) enum Client {
    Ipv4(Ipv4Addr),
    Ipv6(Ipv6Addr),
}

/// Reads a client's address, be it in brackets or not, and of whatever interface (`fe80::1%eth0`); `None` for
/// what isn't IPv6.
pub(super) fn client(text: &[u8]) -> Option<Client> {
    let inner = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
    let text = inner.unwrap_or(text);
    let end = text.iter().position(|byte| *byte == b'%').unwrap_or(text.len());
    let address = address(&text[..end])?;
    Some(address.to_ipv4_mapped().map_or(Client::Ipv6(address), Client::Ipv4))
}

/// A length and what follows it.
fn length(text: &[u8]) -> Option<(u8, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(digits);
    let length = common::number::whole(digits).and_then(|length| u8::try_from(length).ok())?;
    (length <= BITS).then_some((length, rest))
}

fn mask(length: u8) -> u128 {
    // No shift by 128.
    u128::MAX.checked_shl((BITS - length).into()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Option<(String, String)> {
        let (network, rest) = Network::parse(text.as_bytes())?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("ASCII");
        Some((text(network.key()), text(rest.to_vec())))
    }

    #[test]
    fn each_network_has_one_key() {
        for (text, key, rest) in [
            ("[2001:db8::1]:allow", "[2001:db8::1]", ":allow"),
            ("[2001:0DB8:0:0:0:0:0:1]", "[2001:db8::1]", ""),
            ("[::]/0", "[::]/0", ""),
            ("[::]/128", "[::]", ""),
            ("[::1]x", "[::1]", "x"),
            ("[2001:db8::]/032:", "[2001:db8::]/32", ":"),
            ("[2001:db8:8000::]/33", "[2001:db8:8000::]/33", ""),
            ("[64:ff9b::192.0.2.1]", "[64:ff9b::c000:201]", ""),
            ("[::]/95", "[::]/95", ""),
        ] {
            assert_eq!(parsed(text), Some((key.into(), rest.into())), "{text}");
        }
    }

    #[test]
    fn what_is_no_network() {
        for text in [
            "",
            "2001:db8::1",
            "[2001:db8::1",
            "[]",
            "[2001:db8::zz]",
            "[fe80::1%eth0]",
            "[2001:db8::1]/32",
            "[2001:db8::]/129",
            "[2001:db8::]/",
            "[2001:db8::]/-1",
            "[2001:db8::]/99999999999999999999",
            "[2001:db8:8000::]/32",
            "[::ffff:192.0.2.1]",
            "[::ffff:192.0.2.0]/120",
            "[192.0.2.1]",
            "[1-2]",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_key_reads_back(bits: u128, length in 0..=BITS) {
            let network = Network::around(Ipv6Addr::from_bits(bits), length);
            let ipv4 = Ipv6Addr::from_bits(network.first).to_ipv4_mapped().is_some() && length >= 96;
            let expected = (!ipv4).then_some((network, &b""[..]));
            let key = network.key();
            prop_assert_eq!(Network::parse(&key), expected);
        }
    }
}
