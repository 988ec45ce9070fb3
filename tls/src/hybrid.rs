//! X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem): a key exchange that whoever records it today can't
//! break with a quantum computer later, and that is as good as X25519 if ML-KEM should fall.
//!
//! ring has no ML-KEM; it comes from a crate in plain Rust, X25519 from ring. Each end sends the
//! post-quantum part of its share first; the secret is both secrets, in the same order.

use ml_kem::kem::{Decapsulate as _, KeyExport as _};
use ml_kem::{Ciphertext, DecapsulationKey, EncapsulationKey, MlKem768};
use rustls::crypto::ring::kx_group::X25519;
use rustls::crypto::{
    ActiveKeyExchange, CompletedKeyExchange, GetRandomFailed, SharedSecret, SupportedKxGroup,
};
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use zeroize::Zeroizing;

/// The key exchange.
pub(crate) static X25519_ML_KEM_768: Hybrid = Hybrid;

/// FIPS 203, table 3: an encapsulation key, and a ciphertext, of ML-KEM-768.
const KEY: usize = 1184;
const CIPHERTEXT: usize = 1088;

/// X25519 and ML-KEM-768 together.
#[derive(Debug)]
pub(crate) struct Hybrid;

const WRONG_SHARE: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);

impl SupportedKxGroup for Hybrid {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let decapsulation = DecapsulationKey::<MlKem768>::from_seed((*random::<64>()?).into());
        let x25519 = X25519.start()?;
        let key = decapsulation.encapsulation_key().to_bytes();
        let share = [&key[..], x25519.pub_key()].concat();
        Ok(Box::new(Started { decapsulation, x25519, share }))
    }

    /// The server's side, all of it.
    fn start_and_complete(&self, share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let (key, point) = share.split_at_checked(KEY).ok_or(WRONG_SHARE)?;
        let key = key.try_into().map_err(|_| WRONG_SHARE)?;
        let key = EncapsulationKey::<MlKem768>::new(key).map_err(|_| WRONG_SHARE)?;
        let x25519 = X25519.start_and_complete(point)?;
        let (ciphertext, secret) = key.encapsulate_deterministic(&(*random::<32>()?).into());
        Ok(CompletedKeyExchange {
            group: self.name(),
            pub_key: [&ciphertext[..], &x25519.pub_key].concat(),
            secret: both(&secret, x25519.secret.secret_bytes()),
        })
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// The client's side, between its share and the server's.
struct Started {
    decapsulation: DecapsulationKey<MlKem768>,
    x25519: Box<dyn ActiveKeyExchange>,
    share: Vec<u8>,
}

impl ActiveKeyExchange for Started {
    fn complete(self: Box<Self>, share: &[u8]) -> Result<SharedSecret, Error> {
        let (ciphertext, point) = share.split_at_checked(CIPHERTEXT).ok_or(WRONG_SHARE)?;
        let ciphertext: &Ciphertext<MlKem768> = ciphertext.try_into().map_err(|_| WRONG_SHARE)?;
        let secret = self.decapsulation.decapsulate(ciphertext);
        let x25519 = self.x25519.complete(point)?;
        Ok(both(&secret, x25519.secret_bytes()))
    }

    /// A server without ML-KEM may take the half that it knows.
    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        Some((self.x25519.group(), self.x25519.pub_key()))
    }

    fn complete_hybrid_component(self: Box<Self>, share: &[u8]) -> Result<SharedSecret, Error> {
        self.x25519.complete(share)
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }
}

fn both(post_quantum: &[u8], classical: &[u8]) -> SharedSecret {
    let mut secret = Zeroizing::new([0; 64]);
    secret[..32].copy_from_slice(post_quantum);
    secret[32..].copy_from_slice(classical);
    SharedSecret::from(&secret[..])
}

fn random<const LENGTH: usize>() -> Result<Zeroizing<[u8; LENGTH]>, Error> {
    let mut bytes = Zeroizing::new([0; LENGTH]);
    let source = rustls::crypto::ring::default_provider().secure_random;
    source.fill(&mut bytes[..]).map_err(|GetRandomFailed| Error::FailedToGetRandomBytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_ends_agree() {
        let client = X25519_ML_KEM_768.start().unwrap();
        assert_eq!(client.pub_key().len(), KEY + 32);
        let server = X25519_ML_KEM_768.start_and_complete(client.pub_key()).unwrap();
        assert_eq!(server.pub_key.len(), CIPHERTEXT + 32);
        let secret = client.complete(&server.pub_key).unwrap();
        assert_eq!(secret.secret_bytes(), server.secret.secret_bytes());
        assert_eq!(secret.secret_bytes().len(), 64);
    }

    #[test]
    fn shares_of_a_wrong_length_or_with_wrong_numbers_are_refused() {
        let client = X25519_ML_KEM_768.start().unwrap();
        for length in [0, 32, KEY, KEY + 31] {
            assert!(X25519_ML_KEM_768.start_and_complete(&client.pub_key()[..length]).is_err());
        }
        // FIPS 203, 7.2: numbers beyond the modulus.
        assert!(X25519_ML_KEM_768.start_and_complete(&[0xFF; KEY + 32]).is_err());
        for length in [0, CIPHERTEXT, CIPHERTEXT + 31] {
            let client = X25519_ML_KEM_768.start().unwrap();
            assert!(client.complete(&vec![1; length]).is_err());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]
        #[test]
        fn no_share_makes_it_panic(share in proptest::collection::vec(any::<u8>(), KEY + 32)) {
            let _ = X25519_ML_KEM_768.start_and_complete(&share);
        }
    }
}
