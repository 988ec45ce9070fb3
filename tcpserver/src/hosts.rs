//! Host names: hosts(5), as `/etc/hosts` has it. There is no DNS client yet.

use crate::address;
use crate::services::words;
use std::net::IpAddr;

/// Where the names are.
pub const FILE: &str = "/etc/hosts";

/// The address of the host that is called `name`, in the text of a hosts file: the first of the
/// preferred family, or else the first of the other. Case doesn't count.
#[must_use]
pub fn address(file: &[u8], name: &[u8], prefer_ipv6: bool) -> Option<IpAddr> {
    let named = || {
        entries(file).filter_map(|(address, mut names)| {
            names.any(|candidate| candidate.eq_ignore_ascii_case(name)).then_some(address)
        })
    };
    named().find(|address| address.is_ipv6() == prefer_ipv6).or_else(|| named().next())
}

/// The official name of the host with this address: the first one of its first line.
#[must_use]
pub fn name(file: &[u8], address: IpAddr) -> Option<&[u8]> {
    let address = address.to_canonical();
    entries(file)
        .find(|(candidate, _)| *candidate == address)
        .and_then(|(_, mut names)| names.next())
}

fn entries(file: &[u8]) -> impl Iterator<Item = (IpAddr, impl Iterator<Item = &[u8]>)> {
    file.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut words = words(line);
        Some((address::parse(words.next()?)?, words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &[u8] = b"# local\n127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n\
        10.0.0.1 Mail.Example mail # the mail host\n10.0.0.1 other\nnonsense mail\n10.0.0.9\n";

    fn found(name: &str, prefer_ipv6: bool) -> Option<String> {
        address(FILE, name.as_bytes(), prefer_ipv6).map(|address| address.to_string())
    }

    #[test]
    fn names_lead_to_the_first_address_of_the_family() {
        assert_eq!(found("localhost", false).as_deref(), Some("127.0.0.1"));
        assert_eq!(found("localhost", true).as_deref(), Some("::1"));
        assert_eq!(found("mail.example", false).as_deref(), Some("10.0.0.1"));
    }

    #[test]
    fn the_other_family_is_better_than_none() {
        assert_eq!(found("ip6-localhost", false).as_deref(), Some("::1"));
        assert_eq!(found("MAIL", true).as_deref(), Some("10.0.0.1"));
    }

    #[test]
    fn comments_and_unknown_names_lead_nowhere() {
        for name in ["host", "the", "", "#", "10.0.0.1"] {
            assert_eq!(found(name, false), None, "{name}");
        }
    }

    #[test]
    fn addresses_lead_to_the_official_name() {
        let of = |text: &str| name(FILE, text.parse().expect("an address"));
        assert_eq!(of("10.0.0.1"), Some(&b"Mail.Example"[..]));
        assert_eq!(of("::ffff:127.0.0.1"), Some(&b"localhost"[..]));
        assert_eq!(of("10.0.0.9"), None);
        assert_eq!(of("10.0.0.2"), None);
    }

    proptest! {
        #[test]
        fn no_file_breaks_it(file: Vec<u8>, host: Vec<u8>, bits: u32) {
            let _ = address(&file, &host, true);
            let _ = name(&file, IpAddr::V4(bits.into()));
        }
    }
}
