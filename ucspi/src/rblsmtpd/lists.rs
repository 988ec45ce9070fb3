//! Asking lists: what the DNS has below their names for a client.

use super::judgement::Listing;
use super::options::List;
use alloc::vec::Vec;
use core::net::IpAddr;
use core::time::Duration;
use dns::{DomainName, Environment, Families, Places, Resolver, Unresolved};
use sys::Env;

/// How long one list may take. The original gives up on a silent server at the same time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The lists, for one client.
pub(super) struct Lists {
    resolver: Resolver,
    client: Option<IpAddr>,
}

impl Lists {
    /// For the client with the address `client`. Without one, or with anything else there, it is on no
    /// list.
    pub(super) fn new(client: &[u8], env: Env) -> Self {
        let resolver = Resolver::new(Places::default(), Environment::from(env));
        Self { resolver, client: dns::address::parse(client) }
    }

    /// Asks one.
    pub(super) fn ask(&mut self, list: List) -> Listing {
        let Some(client) = self.client else { return Listing::Absent };
        let deadline = sys::clock::monotonic() + PATIENCE;
        let text = match list {
            List::Refused(base) => {
                let name = name(client, base.to_bytes());
                self.resolver.txt(&name, deadline).map(|texts| texts.concat())
            }
            List::LetIn(base) => {
                let name = name(client, base.to_bytes());
                let found = self.resolver.exact_name_to_addresses(&name, Families::V4, deadline);
                found.map(|_| Vec::new())
            }
        };
        match (list, text) {
            // As in the original: a list that has nothing to say of a client doesn't list it.
            (List::Refused(_), Ok(text)) if text.is_empty() => Listing::Absent,
            (_, Ok(text)) => Listing::Listed(text),
            (_, Err(Unresolved::Unknown)) => Listing::Absent,
            (_, Err(Unresolved::Temporary(_))) => Listing::Unknown,
        }
    }
}

/// Under which name a list has an address: `4.3.2.1.BASE`; for IPv6, its digits one by one, also from
/// the last to the first (RFC 5782, section 2.4).
fn name(client: IpAddr, base: &[u8]) -> Vec<u8> {
    let mut name = DomainName::of_address(client).text();
    let zones: [&[u8]; 2] = [b"in-addr.arpa", b"ip6.arpa"];
    let zone = zones.iter().find(|zone| name.ends_with(zone)).map_or(0, |zone| zone.len());
    name.truncate(name.len() - zone);
    name.extend_from_slice(base);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_addresses() {
        for (client, expected) in [
            ("192.0.2.10", "10.2.0.192.bl.example"),
            ("::ffff:192.0.2.10", "10.2.0.192.bl.example"),
            (
                "2001:db8:1:2:3:4:567:89ab",
                "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bl.example",
            ),
        ] {
            let client = client.parse().expect("an address");
            assert_eq!(name(client, b"bl.example"), expected.as_bytes());
        }
    }
}
