//! hosts(5): names and addresses that the host itself knows. The file is read anew each time,
//! through a small buffer: some have megabytes of names to be blocked.

use crate::address::{self, Families};
use alloc::vec::Vec;
use core::ffi::CStr;
use core::net::IpAddr;

/// Where the names are.
pub const FILE: &CStr = c"/etc/hosts";

/// A name has so many addresses at most; what follows is left out.
const MOST_ADDRESSES: usize = 64;

/// The addresses of the host that is called `name`, officially or by an alias: of all lines, in
/// their order, those of the preferred family first. Case doesn't count. A file that can't be
/// read knows no names.
#[must_use]
pub fn addresses(file: &CStr, name: &[u8], families: Families) -> Vec<IpAddr> {
    let mut found = Vec::new();
    let _ = sys::lines(file, |line| {
        if let Some((address, mut names)) = entry(line)
            && families.want(address)
            && names.any(|candidate| candidate.eq_ignore_ascii_case(name))
            && !found.contains(&address)
        {
            found.push(address);
        }
        (found.len() == MOST_ADDRESSES).then_some(())
    });
    families.sort(&mut found);
    found
}

/// The official name of the host with this address: the first one of its first line.
#[must_use]
pub fn name(file: &CStr, address: IpAddr) -> Option<Vec<u8>> {
    let address = address.to_canonical();
    sys::lines(file, |line| {
        let (candidate, mut names) = entry(line)?;
        (candidate.to_canonical() == address).then(|| names.next().map(<[u8]>::to_vec))?
    })
    .ok()
    .flatten()
}

/// One line: an address and its names, the official one first.
pub(crate) fn entry(line: &[u8]) -> Option<(IpAddr, impl Iterator<Item = &[u8]>)> {
    let mut words = words(line);
    Some((address::parse(words.next()?)?, words))
}

/// The words of a line up to a `#`: the form that hosts(5) and services(5) share.
pub(crate) fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let text = line.split(|byte| *byte == b'#').next().unwrap_or_default();
    text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use proptest::prelude::*;

    const TEXT: &[u8] = b"# local\n127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n\
        10.0.0.1 Mail.Example mail # the mail host\n10.0.0.1 other\nnonsense mail\n10.0.0.9\n\
        10.0.0.2 mail\n10.0.0.2 mail\n::ffff:10.0.0.3 mapped";

    fn found(name: &str, families: Families) -> Vec<String> {
        let file = Scratch::new(TEXT);
        let found = addresses(file.path(), name.as_bytes(), families);
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_lead_to_all_their_addresses_the_preferred_family_first() {
        assert_eq!(found("localhost", Families::V4First), ["127.0.0.1", "::1"]);
        assert_eq!(found("localhost", Families::V6First), ["::1", "127.0.0.1"]);
        assert_eq!(found("localhost", Families::V6), ["::1"]);
        assert_eq!(found("MAIL", Families::V4), ["10.0.0.1", "10.0.0.2"]);
        assert_eq!(found("mail.example", Families::V6), [""; 0]);
    }

    #[test]
    fn comments_and_unknown_names_lead_nowhere() {
        for name in ["host", "the", "", "#", "10.0.0.1"] {
            assert_eq!(found(name, Families::V4First), [""; 0], "{name}");
        }
    }

    #[test]
    fn addresses_lead_to_the_official_name() {
        let file = Scratch::new(TEXT);
        let of = |text: &str| {
            let name = name(file.path(), text.parse().expect("an address"));
            name.map(|name| String::from_utf8(name).expect("ASCII"))
        };
        assert_eq!(of("10.0.0.1").as_deref(), Some("Mail.Example"));
        assert_eq!(of("::ffff:127.0.0.1").as_deref(), Some("localhost"));
        assert_eq!(of("10.0.0.3").as_deref(), Some("mapped"));
        assert_eq!(of("10.0.0.9"), None);
        assert_eq!(of("10.0.0.4"), None);
    }

    #[test]
    fn a_file_that_is_not_there_knows_no_names() {
        assert!(addresses(c"/nowhere/hosts", b"localhost", Families::V4).is_empty());
        assert_eq!(name(c"/nowhere/hosts", IpAddr::V4(1.into())), None);
    }

    proptest! {
        #[test]
        fn no_line_breaks_it(line: Vec<u8>) {
            if let Some((_, names)) = entry(&line) {
                prop_assert!(names.into_iter().all(|name| !name.is_empty()));
            }
        }
    }
}
