//! The addresses under which a client's rule may stand.

use super::canonical;
use super::network::{self, BITS, Client, Network};
use alloc::vec::Vec;

/// What is known of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer<'a> {
    /// Its address, `TCPREMOTEIP`.
    pub ip: &'a [u8],
    /// The name of its host, `TCPREMOTEHOST`.
    pub host: Option<&'a [u8]>,
    /// What it says of itself, `TCPREMOTEINFO`.
    pub info: Option<&'a [u8]>,
}

/// The keys to look for, in this order; the first that there is counts:
///
/// 1. `INFO@IP`, if INFO is known;
/// 2. `INFO@=HOST`, if both are known;
/// 3. `IP`;
/// 4. `=HOST`, if HOST is known;
/// 5. shorter and shorter prefixes of IP that end with a dot; of an IPv6 address, smaller and smaller
///    lengths of its networks, `[NETWORK]/127` to `[::]/0`;
/// 6. `=` and shorter and shorter suffixes of HOST that begin with a dot, if HOST is known;
/// 7. `=`, if HOST is known;
/// 8. nothing.
///
/// IP is the text as it is, but `[ADDRESS]`, in its canonical form, for IPv6. Made one at a time: after a hit,
/// the others cost nothing.
pub fn candidates<'a>(peer: &Peer<'a>) -> impl Iterator<Item = Vec<u8>> + use<'a> {
    let Peer { ip, host, info } = *peer;
    let client = network::client(ip);
    let ip = match &client {
        Some(Client::Ipv6(address)) => Network::around(*address, BITS).key(),
        Some(Client::Ipv4(address)) => canonical::ipv4(*address),
        None => ip.to_vec(),
    };
    let named = host.map(|host| joined(b"=", host));
    let said = info.into_iter().flat_map({
        let places = [Some(ip.clone()), named.clone()];
        move |info| places.clone().into_iter().flatten().map(move |place| said_at(info, &place))
    });
    let whole = [Some(ip.clone()), named].into_iter().flatten();
    let address = match client {
        Some(Client::Ipv6(address)) => Some(address),
        Some(Client::Ipv4(_)) | None => None,
    };
    let networks = address.into_iter().flat_map(|address| {
        (0..BITS).rev().map(move |length| Network::around(address, length).key())
    });
    let prefixes = (0..=if address.is_some() { 0 } else { ip.len() })
        .rev()
        .map(move |end| ip[..end].to_vec())
        .filter(|prefix| prefix.ends_with(b"."));
    let suffixes = host.into_iter().flat_map(|host| {
        (0..host.len()).map(|start| &host[start..]).filter(|suffix| suffix.starts_with(b"."))
    });
    let suffixes = suffixes.chain(host.map(|_| &b""[..])).map(|suffix| joined(b"=", suffix));
    said.chain(whole).chain(networks).chain(prefixes).chain(suffixes).chain([Vec::new()])
}

fn said_at(info: &[u8], place: &[u8]) -> Vec<u8> {
    [info, b"@", place].concat()
}

fn joined(front: &[u8], back: &[u8]) -> Vec<u8> {
    [front, back].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(ip: &str, host: Option<&str>, info: Option<&str>) -> Vec<String> {
        let [host, info] = [host, info].map(|text| text.map(str::as_bytes));
        let keys = candidates(&Peer { ip: ip.as_bytes(), host, info });
        keys.map(|key| String::from_utf8(key).expect("ASCII")).collect()
    }

    #[test]
    fn from_the_most_particular_to_the_most_general() {
        type Case =
            (&'static str, Option<&'static str>, Option<&'static str>, &'static [&'static str]);
        let cases: &[Case] = &[
            ("1.2.3.4", None, None, &["1.2.3.4", "1.2.3.", "1.2.", "1.", ""]),
            (
                "1.2.3.4",
                Some("a.b.c"),
                None,
                &["1.2.3.4", "=a.b.c", "1.2.3.", "1.2.", "1.", "=.b.c", "=.c", "=", ""],
            ),
            ("1.2.3.4", None, Some("joe"), &["joe@1.2.3.4", "1.2.3.4", "1.2.3.", "1.2.", "1.", ""]),
            (
                "10.0.0.1",
                Some("h"),
                Some("joe"),
                &["joe@10.0.0.1", "joe@=h", "10.0.0.1", "=h", "10.0.0.", "10.0.", "10.", "=", ""],
            ),
            // As they come, whatever they are.
            ("", Some(""), Some(""), &["@", "@=", "", "=", "=", ""]),
            ("x", Some("a."), None, &["x", "=a.", "=.", "=", ""]),
            ("1.", Some(".b"), None, &["1.", "=.b", "1.", "=.b", "=", ""]),
            ("..", None, None, &["..", "..", ".", ""]),
            // IPv4 in the form of IPv6.
            ("::ffff:192.0.2.1", None, None, &["192.0.2.1", "192.0.2.", "192.0.", "192.", ""]),
        ];
        for (ip, host, info, expected) in cases {
            assert_eq!(all(ip, *host, *info), *expected, "{ip} {host:?} {info:?}");
        }
    }

    #[test]
    fn an_ipv6_address_lies_in_networks() {
        for spelling in ["2001:db8::1", "2001:DB8:0::0:1", "[2001:db8::1]", "2001:db8::1%eth0"] {
            let keys = all(spelling, Some("h.x"), Some("joe"));
            assert_eq!(keys.len(), 4 + 128 + 3, "{spelling}");
            assert_eq!(keys[..4], ["joe@[2001:db8::1]", "joe@=h.x", "[2001:db8::1]", "=h.x"]);
            assert_eq!(keys[4..6], ["[2001:db8::]/127", "[2001:db8::]/126"]);
            assert_eq!(
                keys[4 + 127 - 33..][..3],
                ["[2001:db8::]/33", "[2001:db8::]/32", "[2001:db8::]/31"]
            );
            assert_eq!(keys[4 + 127 - 16..][..2], ["[2001::]/16", "[2000::]/15"]);
            assert_eq!(keys[4 + 127..], ["[::]/0", "=.x", "=", ""]);
        }
    }
}
