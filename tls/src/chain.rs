//! The order of certificates on the wire: each one's issuer follows it (RFC 5246, 7.4.2).

use super::certificate::parts;
use rustls::pki_types::CertificateDer;

/// Puts the certificate at `own` first, then its issuer, then that one's issuer. What doesn't
/// belong to the chain comes last, in the order in which it stood: a client may know what to do
/// with it. A certificate that can't be read is left where it is.
pub(super) fn ordered(
    mut certificates: Vec<CertificateDer<'static>>,
    own: usize,
) -> Vec<CertificateDer<'static>> {
    certificates[..=own].rotate_right(1);
    for placed in 1..certificates.len() {
        let Some(issuer) = parts(&certificates[placed - 1]).map(|parts| parts.issuer) else {
            break;
        };
        let next = certificates[placed..]
            .iter()
            .position(|candidate| parts(candidate).is_some_and(|parts| parts.subject == issuer));
        match next {
            Some(offset) => certificates[placed..=placed + offset].rotate_right(1),
            None => break,
        }
    }
    certificates
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    /// A host's certificate, the authority that signed it, and the root that signed that.
    fn chain() -> [CertificateDer<'static>; 3] {
        let params = |name: &str, authority| {
            let mut params = CertificateParams::new([]).unwrap();
            params.distinguished_name.push(DnType::CommonName, name);
            if authority {
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            }
            params
        };
        let root_key = KeyPair::generate().unwrap();
        let root = params("root", true).self_signed(&root_key).unwrap();
        let root_issuer = Issuer::new(params("root", true), root_key);
        let middle_key = KeyPair::generate().unwrap();
        let middle = params("middle", true).signed_by(&middle_key, &root_issuer).unwrap();
        let middle_issuer = Issuer::new(params("middle", true), middle_key);
        let host_key = KeyPair::generate().unwrap();
        let host = params("host", false).signed_by(&host_key, &middle_issuer).unwrap();
        [host, middle, root].map(|certificate| certificate.der().clone())
    }

    #[test]
    fn every_order_becomes_the_one_right_order() {
        let right = chain();
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let given: Vec<_> = order.iter().map(|index: &usize| right[*index].clone()).collect();
            let own = order.iter().position(|index| *index == 0).unwrap();
            assert_eq!(ordered(given, own), right);
        }
    }

    #[test]
    fn strangers_come_last() {
        let right = chain();
        let stranger = CertificateDer::from(vec![0x30, 0]);
        let given = vec![stranger.clone(), right[1].clone(), right[0].clone()];
        assert_eq!(ordered(given, 2), [right[0].clone(), right[1].clone(), stranger]);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parts(&bytes);
        }

        #[test]
        fn nor_a_damaged_certificate(place in any::<prop::sample::Index>(), value in any::<u8>()) {
            let mut bytes = chain()[0].to_vec();
            let length = bytes.len();
            bytes[place.index(length)] = value;
            let _ = parts(&bytes);
        }
    }
}
