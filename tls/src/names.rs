//! Which certificate a client gets: by the name that it asks for (SNI), and by what it can verify.

use crate::certificate;
use rustls::SupportedCipherSuite;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;

/// A key with its certificates, and the names that the first one is for, in lower case.
struct Identity {
    names: Vec<Vec<u8>>,
    certified: Arc<CertifiedKey>,
}

/// All that a server has; the first one is for whoever asks for none of the names.
pub(crate) struct Identities {
    known: Vec<Identity>,
    suites: Vec<SupportedCipherSuite>,
}

impl Identities {
    pub(crate) fn new(certified: Vec<CertifiedKey>, suites: Vec<SupportedCipherSuite>) -> Self {
        let known = certified
            .into_iter()
            .map(|certified| {
                let names =
                    certified.cert.first().map_or(Vec::new(), |der| certificate::hosts(der));
                Identity { names, certified: Arc::new(certified) }
            })
            .collect();
        Self { known, suites }
    }

    /// In this order: one for the very name, one for all names of its parent, the rest as they were
    /// given; of equal ones the first that `suits`, and the first of all if none does.
    fn choose(
        &self,
        name: Option<&str>,
        suits: impl Fn(&CertifiedKey) -> bool,
    ) -> Option<Arc<CertifiedKey>> {
        let name = name.unwrap_or_default().to_ascii_lowercase().into_bytes();
        let mut found: Vec<_> = self.known.iter().collect();
        found.sort_by_key(|identity| {
            identity.names.iter().map(|known| distance(known, &name)).min().unwrap_or(ELSEWHERE)
        });
        let found = found.iter().find(|identity| suits(&identity.certified)).or(found.first())?;
        Some(found.certified.clone())
    }

    /// Whether this client can talk to who has this key.
    fn suits(&self, hello: &ClientHello<'_>, certified: &CertifiedKey) -> bool {
        let key = &certified.key;
        key.choose_scheme(hello.signature_schemes()).is_some()
            && self.suites.iter().any(|suite| {
                hello.cipher_suites().contains(&suite.suite())
                    && suite.usable_for_signature_algorithm(key.algorithm())
            })
    }
}

const ELSEWHERE: u8 = 2;

/// How well a name on a certificate fits the one that is asked for; 0 is best. A wildcard stands for
/// one label, the first (RFC 6125, 6.4.3).
fn distance(known: &[u8], wanted: &[u8]) -> u8 {
    if known == wanted {
        return 0;
    }
    let parent = |name: &'_ [u8]| name.iter().position(|byte| *byte == b'.').filter(|at| *at > 0);
    match (known.strip_prefix(b"*"), parent(wanted)) {
        (Some(rest), Some(at)) if rest == &wanted[at..] => 1,
        _ => ELSEWHERE,
    }
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.choose(hello.server_name(), |certified| self.suits(&hello, certified))
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identities").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Pair;
    use crate::identity;

    #[test]
    fn one_label_and_no_more() {
        for (known, wanted, expected) in [
            ("a.example", "a.example", 0),
            ("*.example", "a.example", 1),
            ("*.example", "b.a.example", ELSEWHERE),
            ("*.example", "example", ELSEWHERE),
            ("*.example", ".example", ELSEWHERE),
            ("*", "a", ELSEWHERE),
            ("a*.example", "ab.example", ELSEWHERE),
            ("example", "", ELSEWHERE),
        ] {
            assert_eq!(distance(known.as_bytes(), wanted.as_bytes()), expected, "{known} {wanted}");
        }
    }

    #[test]
    fn the_very_name_then_the_wildcard_then_the_first() {
        let hosts = ["first.example", "*.wild.example", "a.wild.example", "first.example"];
        let pairs = hosts.map(Pair::new);
        let certified =
            pairs.iter().map(|pair| identity::from_pem(pair.text().as_bytes()).unwrap()).collect();
        let all = Identities::new(certified, Vec::new());
        let chosen = |name: Option<&str>, suits: fn(&CertifiedKey) -> bool| {
            let found = all.choose(name, suits).unwrap();
            pairs.iter().position(|pair| pair.der == found.cert[0]).unwrap()
        };
        let any: fn(&CertifiedKey) -> bool = |_| true;
        for (name, expected) in [
            (None, 0),
            (Some("elsewhere"), 0),
            (Some("FIRST.example"), 0),
            (Some("a.wild.example"), 2),
            (Some("b.wild.example"), 1),
            (Some("c.b.wild.example"), 0),
        ] {
            assert_eq!(chosen(name, any), expected, "{name:?}");
        }
        assert_eq!(chosen(Some("first.example"), |_| false), 0);
    }
}
