//! Who this server is: a private key and the certificates that go with it, out of PEM sections.

use super::LoadError;
use super::chain;
use super::pem;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{Error, InconsistentKeys};
use std::sync::Arc;

/// More certificates than any chain has.
const MAX_CERTIFICATES: usize = 16;

/// Takes key and certificates from `text`, in whatever order they stand there: the certificate
/// that fits the key comes first, then each one's issuer. Sections of other kinds (EC
/// parameters, Diffie-Hellman parameters) are skipped.
pub(super) fn from_pem(text: &[u8]) -> Result<CertifiedKey, LoadError> {
    let mut key = None;
    let mut certificates = Vec::new();
    for section in pem::sections(text).map_err(LoadError::Pem)? {
        match &section.label[..] {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => {
                if certificates.len() == MAX_CERTIFICATES {
                    return Err(LoadError::TooManyCertificates);
                }
                certificates.push(CertificateDer::from(section.der.to_vec()));
            }
            b"ENCRYPTED PRIVATE KEY" => return Err(LoadError::EncryptedKey),
            b"PRIVATE KEY" | b"RSA PRIVATE KEY" | b"EC PRIVATE KEY" => {
                if section.encrypted {
                    return Err(LoadError::EncryptedKey);
                }
                if key.replace(signing_key(&section)?).is_some() {
                    return Err(LoadError::SeveralKeys);
                }
            }
            label if label.ends_with(b"PRIVATE KEY") => return Err(LoadError::UnsupportedKey),
            _ => {}
        }
    }
    let key = key.ok_or(LoadError::NoKey)?;
    if certificates.is_empty() {
        return Err(LoadError::NoCertificate);
    }
    let own = own_certificate(&key, &certificates)?;
    Ok(CertifiedKey::new(chain::ordered(certificates, own), key))
}

/// The key in a section whose label says that it is one.
pub(crate) fn signing_key(section: &pem::Section) -> Result<Arc<dyn SigningKey>, LoadError> {
    let der = &section.der[..];
    let key = match &section.label[..] {
        b"RSA PRIVATE KEY" => PrivateKeyDer::Pkcs1(PrivatePkcs1KeyDer::from(der)),
        b"EC PRIVATE KEY" => PrivateKeyDer::Sec1(PrivateSec1KeyDer::from(der)),
        _ => PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der)),
    };
    any_supported_type(&key).map_err(|_| LoadError::UnsupportedKey)
}

/// Which of the certificates is for our key.
fn own_certificate(
    key: &Arc<dyn SigningKey>,
    certificates: &[CertificateDer<'static>],
) -> Result<usize, LoadError> {
    for (index, certificate) in certificates.iter().enumerate() {
        match CertifiedKey::new(vec![certificate.clone()], key.clone()).keys_match() {
            Ok(()) => return Ok(index),
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {}
            Err(_) => return Err(LoadError::BadCertificate(index + 1)),
        }
    }
    Err(LoadError::Mismatch)
}
