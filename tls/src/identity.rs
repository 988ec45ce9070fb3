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
pub fn signing_key(section: &pem::Section) -> Result<Arc<dyn SigningKey>, LoadError> {
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

#[cfg(test)]
mod tests {
    use super::super::fixture::{Pair, openssl};
    use super::*;

    fn refusal(text: &str) -> LoadError {
        from_pem(text.as_bytes()).err().unwrap()
    }

    #[test]
    fn key_and_certificate_in_either_order() {
        let pair = Pair::new("localhost");
        for text in [pair.key.clone() + &pair.certificate, pair.certificate.clone() + &pair.key] {
            assert_eq!(from_pem(text.as_bytes()).unwrap().cert.len(), 1);
        }
    }

    #[test]
    fn the_certificate_that_fits_the_key_comes_first() {
        let (pair, other) = (Pair::new("localhost"), Pair::new("elsewhere"));
        let text = other.certificate.clone() + &pair.certificate + &pair.key;
        let identity = from_pem(text.as_bytes()).unwrap();
        assert_eq!(identity.cert.len(), 2);
        assert!(identity.keys_match().is_ok());
    }

    #[test]
    fn what_is_missing_or_does_not_fit_is_named() {
        let (pair, other) = (Pair::new("localhost"), Pair::new("elsewhere"));
        assert_eq!(refusal(""), LoadError::NoKey);
        assert_eq!(refusal(&pair.certificate), LoadError::NoKey);
        assert_eq!(refusal(&pair.key), LoadError::NoCertificate);
        assert_eq!(refusal(&(pair.key.clone() + &other.certificate)), LoadError::Mismatch);
        let two = pair.key.clone() + &other.key + &pair.certificate;
        assert_eq!(refusal(&two), LoadError::SeveralKeys);
        let garbled = pair.certificate.replace("MI", "XX") + &pair.key;
        assert_eq!(refusal(&garbled), LoadError::BadCertificate(1));
        let many = pair.certificate.repeat(17) + &pair.key;
        assert_eq!(refusal(&many), LoadError::TooManyCertificates);
        let strange = "-----BEGIN DSA PRIVATE KEY-----\nAAAA\n-----END DSA PRIVATE KEY-----\n";
        assert_eq!(refusal(strange), LoadError::UnsupportedKey);
    }

    /// Every form in which OpenSSL has ever written a key that we take.
    #[test]
    fn keys_as_openssl_writes_them() {
        let forms: [(&str, &[&str]); 7] = [
            ("BEGIN PRIVATE KEY", &["genpkey", "-algorithm", "ed25519"]),
            ("BEGIN PRIVATE KEY", &["genrsa", "2048"]),
            ("BEGIN RSA PRIVATE KEY", &["genrsa", "-traditional", "2048"]),
            ("BEGIN EC PRIVATE KEY", &["ecparam", "-name", "prime256v1", "-genkey", "-noout"]),
            ("BEGIN EC PARAMETERS", &["ecparam", "-name", "prime256v1", "-genkey"]),
            ("BEGIN EC PRIVATE KEY", &["ecparam", "-name", "secp384r1", "-genkey", "-noout"]),
            (
                "BEGIN PRIVATE KEY",
                &["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
            ),
        ];
        for (form, arguments) in forms {
            let Some(key) = openssl(arguments, "") else { return };
            assert!(key.contains(form), "{arguments:?}");
            let request = ["req", "-x509", "-key", "/dev/stdin", "-subj", "/CN=localhost"];
            let Some(certificate) = openssl(&request, &key) else { return };
            let identity = from_pem((key + &certificate).as_bytes());
            assert!(identity.is_ok(), "{arguments:?}: {}", identity.err().unwrap());
        }
    }

    #[test]
    fn keys_that_want_a_password_or_are_too_weak() {
        let locked: &[&str] = &["genrsa", "-aes128", "-passout", "pass:secret", "2048"];
        let old: &[&str] =
            &["genrsa", "-traditional", "-aes128", "-passout", "pass:secret", "2048"];
        for arguments in [locked, old] {
            let Some(key) = openssl(arguments, "") else { return };
            assert_eq!(refusal(&key), LoadError::EncryptedKey);
        }
        let Some(key) = openssl(&["genrsa", "1024"], "") else { return };
        assert_eq!(refusal(&key), LoadError::UnsupportedKey);
    }
}
