//! The private key: made, or taken from a file.

use super::{NAME, trouble};
use common::{Exit, Failure};
use rcgen::{PublicKeyData, SignatureAlgorithm, SigningKey};
use rustls::SignatureScheme;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tls::{LoadError, der, identity, key_file, pem};
use zeroize::{Zeroize, Zeroizing};

/// Where the key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A new one: ECDSA with the curve P-256.
    Ecdsa,
    /// A new one: RSA of 3072 bits. ring makes no RSA keys; `openssl` does, if it is there.
    Rsa,
    /// The one in this PEM file.
    File(PathBuf),
}

/// A private key that can sign certificates.
pub(super) struct Key {
    pem: Zeroizing<Vec<u8>>,
    signer: Arc<dyn rustls::sign::SigningKey>,
    /// The subjectPublicKey, without the wrapping that names the algorithm.
    public: Vec<u8>,
    algorithm: &'static SignatureAlgorithm,
    scheme: SignatureScheme,
}

impl Key {
    /// Makes or reads the key.
    ///
    /// # Errors
    /// Exit code 111; 100 if the file holds no usable key, or one that others can read.
    pub(super) fn obtain(source: &Source) -> Result<Self, Failure> {
        match source {
            Source::Ecdsa => {
                let mut pair = rcgen::KeyPair::generate()
                    .map_err(|_| fatal(&[b"unable to make key: no random numbers"]))?;
                let mut text = Zeroizing::new(Vec::new());
                append(&mut text, b"PRIVATE KEY", pair.serialized_der());
                pair.zeroize();
                Self::from_pem(&text).map_err(|_| fatal(&[b"unable to use the key just made"]))
            }
            Source::Rsa => {
                let text = openssl()?;
                Self::from_pem(&text).map_err(|error| {
                    fatal(&[
                        b"unable to use the key that openssl made: ",
                        error.to_string().as_bytes(),
                    ])
                })
            }
            Source::File(path) => {
                let text = key_file::read_whole(path).map_err(|error| unusable(path, error))?;
                Self::from_pem(&text).map_err(|error| unusable(path, error))
            }
        }
    }

    /// Its PEM, as it goes into the file.
    pub(super) fn pem(&self) -> &[u8] {
        &self.pem
    }

    /// Whether it is an RSA key, which can also encrypt.
    pub(super) fn is_rsa(&self) -> bool {
        self.scheme == SignatureScheme::RSA_PKCS1_SHA256
    }

    /// The only private key in `text`. Certificates beside it don't matter.
    fn from_pem(text: &[u8]) -> Result<Self, LoadError> {
        let mut found = None;
        for section in pem::sections(text).map_err(LoadError::Pem)? {
            if !section.label.ends_with(b"PRIVATE KEY") {
                continue;
            }
            if section.encrypted || section.label == b"ENCRYPTED PRIVATE KEY" {
                return Err(LoadError::EncryptedKey);
            }
            if found.replace(section).is_some() {
                return Err(LoadError::SeveralKeys);
            }
        }
        let section = found.ok_or(LoadError::NoKey)?;
        let signer = identity::signing_key(&section)?;
        let (algorithm, scheme) = algorithm(&*signer).ok_or(LoadError::UnsupportedKey)?;
        let public = signer
            .public_key()
            .and_then(|wrapped| subject_public_key(&wrapped))
            .ok_or(LoadError::UnsupportedKey)?;
        let mut pem = Zeroizing::new(Vec::new());
        append(&mut pem, &section.label, &section.der);
        Ok(Self { pem, signer, public, algorithm, scheme })
    }
}

/// rcgen signs with this, so that every form of key will do that the server takes, not only PKCS#8.
impl PublicKeyData for Key {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.algorithm
    }
}

impl SigningKey for Key {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let signer =
            self.signer.choose_scheme(&[self.scheme]).ok_or(rcgen::Error::RemoteKeyError)?;
        signer.sign(message).map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

fn append(text: &mut Zeroizing<Vec<u8>>, label: &[u8], der: &[u8]) {
    text.reserve_exact(pem::room(label, der));
    pem::write(text, label, der);
}

/// How this key signs a certificate.
fn algorithm(
    key: &dyn rustls::sign::SigningKey,
) -> Option<(&'static SignatureAlgorithm, SignatureScheme)> {
    let known: [(&SignatureAlgorithm, SignatureScheme); 4] = [
        (&rcgen::PKCS_RSA_SHA256, SignatureScheme::RSA_PKCS1_SHA256),
        (&rcgen::PKCS_ECDSA_P256_SHA256, SignatureScheme::ECDSA_NISTP256_SHA256),
        (&rcgen::PKCS_ECDSA_P384_SHA384, SignatureScheme::ECDSA_NISTP384_SHA384),
        (&rcgen::PKCS_ED25519, SignatureScheme::ED25519),
    ];
    known.into_iter().find(|(_, scheme)| key.choose_scheme(&[*scheme]).is_some())
}

/// RFC 5280, 4.1: SubjectPublicKeyInfo { algorithm, subjectPublicKey BIT STRING }. A bit string's
/// first byte counts its unused bits: none here.
fn subject_public_key(wrapped: &[u8]) -> Option<Vec<u8>> {
    let (whole, _) = der::element(wrapped)?;
    let (_, rest) = der::element(whole.contents)?;
    let (bits, _) = der::element(rest)?;
    bits.contents.split_first().map(|(_, key)| key.to_vec())
}

/// A new RSA key, made by the `openssl` command.
fn openssl() -> Result<Zeroizing<Vec<u8>>, Failure> {
    let made = Command::new("openssl")
        .args(["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| trouble("run openssl, which makes RSA keys for us", &error))?;
    let text = Zeroizing::new(made.stdout);
    if !made.status.success() {
        return Err(fatal(&[b"unable to make key: openssl failed"]));
    }
    Ok(text)
}

fn unusable(path: &Path, error: LoadError) -> Failure {
    let system = matches!(error, LoadError::System(_));
    let code = if system { Exit::TEMPORARY } else { Exit::USAGE };
    let reason = error.to_string();
    let path = path.as_os_str().as_bytes();
    NAME.fatal(code.0, &[b"unable to use ", path, b": ", reason.as_bytes()])
}

fn fatal(parts: &[&[u8]]) -> Failure {
    NAME.fatal(Exit::TEMPORARY.0, parts)
}
