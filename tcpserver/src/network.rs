//! Networks: addresses that begin with the same bits.

use crate::address;
use common::number;
use std::fmt;
use std::net::IpAddr;

/// A network of IPv4 or of IPv6 addresses. An IPv4 address in its IPv6 form is the IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    first: IpAddr,
    length: u8,
}

/// How many bits make a network, by family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lengths {
    /// Of 32.
    pub ipv4: u8,
    /// Of 128.
    pub ipv6: u8,
}

impl Network {
    /// The network that an address lies in.
    #[must_use]
    pub fn around(address: IpAddr, lengths: Lengths) -> Self {
        match address.to_canonical() {
            IpAddr::V4(ip) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(lengths.ipv4)).unwrap_or(0);
                Self { first: IpAddr::V4((ip.to_bits() & mask).into()), length: lengths.ipv4 }
            }
            IpAddr::V6(ip) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(lengths.ipv6)).unwrap_or(0);
                Self { first: IpAddr::V6((ip.to_bits() & mask).into()), length: lengths.ipv6 }
            }
        }
    }

    /// `10.0.0.0/8`, `2001:db8::/32`, or an address alone. `None`: anything else, and an address
    /// that isn't the first of its network, which is rather a slip.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let slash = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
        let (ip, length) = text.split_at(slash);
        let ip = address::parse(ip).filter(|ip| ip.to_canonical() == *ip)?;
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let length = match length.get(1..) {
            Some(digits) => number::whole(digits).and_then(|length| u8::try_from(length).ok())?,
            None => most,
        };
        let of = |length| Lengths { ipv4: length, ipv6: length };
        let network = (length <= most).then(|| Self::around(ip, of(length)))?;
        (network.first == ip).then_some(network)
    }

    /// Whether an address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let lengths = Lengths { ipv4: self.length.min(32), ipv6: self.length };
        Self::around(address, lengths) == *self
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, length } = self;
        let whole = *length == if first.is_ipv4() { 32 } else { 128 };
        if whole { write!(f, "{first}") } else { write!(f, "{first}/{length}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn network(text: &str) -> Option<Network> {
        Network::parse(text.as_bytes())
    }

    #[test]
    fn networks_are_told_by_their_first_address() {
        for text in ["10.0.0.0/8", "0.0.0.0/0", "127.0.0.1", "::/0", "2001:db8::/32", "::1"] {
            assert_eq!(network(text).expect("a network").to_string(), text);
        }
        for text in
            ["", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "::/129", "2001:db8::1/64", "10/8"]
        {
            assert_eq!(network(text), None, "{text}");
        }
    }

    #[test]
    fn what_lies_in_them() {
        let lies = |ip: &str, text| {
            network(text).expect("a network").contains(ip.parse().expect("an address"))
        };
        assert!(lies("10.1.2.3", "10.0.0.0/8") && !lies("11.1.2.3", "10.0.0.0/8"));
        assert!(lies("::ffff:10.1.2.3", "10.0.0.0/8"));
        assert!(lies("2001:db8::1", "2001:db8::/32") && !lies("2001:db9::1", "2001:db8::/32"));
        // No family lies in the other's networks.
        assert!(!lies("10.1.2.3", "::/0") && !lies("::ffff:10.1.2.3", "::/0"));
        assert!(!lies("2001:db8::1", "0.0.0.0/0"));
        // Nobody's client has such an address.
        assert!(network("::ffff:10.0.0.0/104").is_none());
    }

    proptest! {
        #[test]
        fn everybody_lies_in_the_network_around_him(bits: u128, v4: bool, a in 0_u8..=32, b in 0_u8..=128) {
            let ip = if v4 { IpAddr::V4((bits as u32).into()) } else { IpAddr::V6(bits.into()) };
            let around = Network::around(ip, Lengths { ipv4: a, ipv6: b });
            prop_assert!(around.contains(ip));
            prop_assert_eq!(Network::parse(around.to_string().as_bytes()), Some(around));
        }

        #[test]
        fn no_text_breaks_it(text: Vec<u8>) {
            let _ = Network::parse(&text);
        }
    }
}
