//! The local host's names: hosts(5), as `/etc/hosts` had it when the server began. All else about
//! names is [`crate::lookup`]'s.

use crate::address;
use std::net::IpAddr;

/// Where the names are.
pub const FILE: &str = "/etc/hosts";

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
        let text = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        Some((address::parse(words.next()?)?, words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &[u8] = b"# local\n127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n\
        10.0.0.1 Mail.Example mail # the mail host\n10.0.0.1 other\nnonsense mail\n10.0.0.9\n";

    #[test]
    fn addresses_lead_to_the_official_name() {
        let of = |text: &str| name(FILE, text.parse().expect("an address"));
        assert_eq!(of("10.0.0.1"), Some(&b"Mail.Example"[..]));
        assert_eq!(of("::ffff:127.0.0.1"), Some(&b"localhost"[..]));
        assert_eq!(of("10.0.0.9"), None);
        assert_eq!(of("10.0.0.2"), None);
        assert_eq!(of("::1"), Some(&b"localhost"[..]));
    }

    proptest! {
        #[test]
        fn no_file_breaks_it(file: Vec<u8>, bits: u32) {
            let _ = name(&file, IpAddr::V4(bits.into()));
        }
    }
}
