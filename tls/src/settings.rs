//! What a server is set up with, and the files that it comes from.

use crate::key_file;
use crate::server::LoadError;
use crate::{identity, pem};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::path::{Path, PathBuf};

/// Whether clients show certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clients {
    /// They aren't asked for any.
    #[default]
    Anonymous,
    /// They may. One that can't be verified is refused.
    MayShow,
    /// They must.
    MustShow,
}

/// How a server is to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Files with key and certificates, and directories of such; the first one is for clients that
    /// ask for no name that is known.
    pub identities: Vec<PathBuf>,
    /// Whether clients show certificates.
    pub clients: Clients,
    /// Who may have issued those: a PEM file.
    pub authorities: Option<PathBuf>,
    /// Which of them are revoked: a PEM file with one or several lists.
    pub revoked: Option<PathBuf>,
    /// The OCSP response for the first certificate. Without this, for each certificate, the file
    /// of the same name that ends in `.ocsp`, if there is one.
    pub staple: Option<PathBuf>,
    /// Protocols to choose from (ALPN), the best first. None: the extension is passed over.
    pub protocols: Vec<Vec<u8>>,
    /// TLS 1.3 only.
    pub no_tls12: bool,
}

impl Settings {
    /// One file with key and certificates, and nothing special.
    #[must_use]
    pub fn file(path: &Path) -> Self {
        Self { identities: vec![path.into()], ..Self::default() }
    }
}

/// A file that can't be used, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unusable {
    /// The file.
    pub path: PathBuf,
    /// The reason.
    pub reason: LoadError,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}

/// The names that certbot gives to the two halves, in a directory for each certificate.
const KEY_HALF: &str = "privkey.pem";
const CERTIFICATE_HALF: &str = "fullchain.pem";

/// More than anybody has, and less than makes a server stumble.
const MOST: usize = 256;

/// An OCSP response has a kilobyte or two.
const LONGEST_STAPLE: usize = 64 * 1024;

/// All identities, in their order.
pub(crate) fn identities(settings: &Settings) -> Result<Vec<CertifiedKey>, Unusable> {
    let mut found: Vec<CertifiedKey> = Vec::new();
    for path in &settings.identities {
        for files in sources(path)? {
            if found.len() == MOST {
                return Err(unusable(path, LoadError::TooManyIdentities));
            }
            let mut certified = files.read()?;
            let staple = match &settings.staple {
                Some(path) if found.is_empty() => Some(path.clone()),
                _ => Some(files.staple()).filter(|path| path.exists()),
            };
            if let Some(path) = staple {
                certified.ocsp = Some(response(&path).map_err(|reason| unusable(&path, reason))?);
            }
            found.push(certified);
        }
        if found.is_empty() {
            return Err(unusable(path, LoadError::EmptyDirectory));
        }
    }
    Ok(found)
}

/// The certificates in a PEM file.
pub(crate) fn authorities(path: &Path) -> Result<Vec<CertificateDer<'static>>, Unusable> {
    let labels: [&[u8]; 3] = [b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"];
    let found = labelled(path, &labels)?;
    if found.is_empty() {
        return Err(unusable(path, LoadError::NoCertificate));
    }
    Ok(found.into_iter().map(CertificateDer::from).collect())
}

/// The revocation lists in a PEM file.
pub(crate) fn revoked(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, Unusable> {
    let found = labelled(path, &[b"X509 CRL"])?;
    if found.is_empty() {
        return Err(unusable(path, LoadError::NoRevocationList));
    }
    Ok(found.into_iter().map(CertificateRevocationListDer::from).collect())
}

fn labelled(path: &Path, labels: &[&[u8]]) -> Result<Vec<Vec<u8>>, Unusable> {
    let text = key_file::read_public(path).map_err(|reason| unusable(path, reason))?;
    let sections = pem::sections(&text).map_err(|error| unusable(path, LoadError::Pem(error)))?;
    let wanted = sections.iter().filter(|section| labels.contains(&&section.label[..]));
    Ok(wanted.map(|section| section.der.to_vec()).collect())
}

/// An OCSP response, as DER: one sequence and nothing else.
fn response(path: &Path) -> Result<Vec<u8>, LoadError> {
    let der = key_file::read_public(path)?;
    let whole =
        crate::der::element(&der).is_some_and(|(whole, rest)| whole.tag == 0x30 && rest.is_empty());
    if whole && der.len() <= LONGEST_STAPLE { Ok(der) } else { Err(LoadError::NoResponse) }
}

/// The files that make one identity.
#[derive(Debug, PartialEq, Eq)]
enum Files {
    One(PathBuf),
    /// In this directory.
    Halves(PathBuf),
}

impl Files {
    fn read(&self) -> Result<CertifiedKey, Unusable> {
        match self {
            Self::One(path) => key_file::read_whole(path)
                .and_then(|text| identity::from_pem(&text))
                .map_err(|reason| unusable(path, reason)),
            Self::Halves(directory) => {
                let (key, chain) = (directory.join(KEY_HALF), directory.join(CERTIFICATE_HALF));
                let mut text =
                    key_file::read_whole(&key).map_err(|reason| unusable(&key, reason))?;
                let certificates =
                    key_file::read_public(&chain).map_err(|reason| unusable(&chain, reason))?;
                // In place: a buffer that grew would leave a copy of the key behind.
                let mut whole = zeroize::Zeroizing::new(Vec::with_capacity(
                    text.len() + 1 + certificates.len(),
                ));
                whole.append(&mut text);
                whole.push(b'\n');
                whole.extend_from_slice(&certificates);
                identity::from_pem(&whole).map_err(|reason| unusable(&chain, reason))
            }
        }
    }

    /// Where its OCSP response would be.
    fn staple(&self) -> PathBuf {
        match self {
            Self::One(path) => path.with_extension("ocsp"),
            Self::Halves(directory) => directory.join(CERTIFICATE_HALF).with_extension("ocsp"),
        }
    }
}

/// A file is itself. A directory is the pair that certbot leaves in it; or else all that ends in
/// `.pem`, and the pairs in its directories, in the order of their names.
fn sources(path: &Path) -> Result<Vec<Files>, Unusable> {
    if !path.is_dir() {
        return Ok(vec![Files::One(path.into())]);
    }
    if is_pair(path) {
        return Ok(vec![Files::Halves(path.into())]);
    }
    let system = |error: std::io::Error| {
        let errno = error.raw_os_error().map_or(nix::Error::EIO, nix::Error::from_raw);
        unusable(path, LoadError::System(errno))
    };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).map_err(system)? {
        entries.push(entry.map_err(system)?.path());
    }
    entries.sort();
    let files = entries.into_iter().filter_map(|entry| {
        let hidden = entry.file_name().is_none_or(|name| name.as_encoded_bytes()[0] == b'.');
        if hidden {
            None
        } else if entry.is_dir() {
            is_pair(&entry).then_some(Files::Halves(entry))
        } else {
            entry.extension().is_some_and(|end| end == "pem").then_some(Files::One(entry))
        }
    });
    Ok(files.collect())
}

fn is_pair(directory: &Path) -> bool {
    directory.join(KEY_HALF).exists() && directory.join(CERTIFICATE_HALF).exists()
}

pub(crate) fn unusable(path: &Path, reason: LoadError) -> Unusable {
    Unusable { path: path.into(), reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Pair, Scratch};

    fn loaded(settings: &Settings) -> Result<Vec<CertificateDer<'static>>, String> {
        let found = identities(settings).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|certified| certified.cert[0].clone()).collect())
    }

    #[test]
    fn a_directory_is_read_in_the_order_of_its_names() {
        let scratch = Scratch::new("directory");
        let pairs = ["b", "a", "c", "d"].map(Pair::new);
        scratch.file("b.pem", &pairs[0].text(), 0o400);
        scratch.file("a.pem", &pairs[1].text(), 0o400);
        scratch.file("README", "nothing", 0o644);
        scratch.file(".hidden.pem", "nothing", 0o644);
        // As certbot leaves it: links into an archive, the key for root alone.
        for (name, pair) in [("c", &pairs[2]), ("d", &pairs[3])] {
            std::fs::create_dir_all(scratch.path().join(name)).unwrap();
            let key = scratch.file(&format!("{name}-key1"), &pair.key, 0o600);
            let chain = scratch.file(&format!("{name}-chain1"), &pair.certificate, 0o644);
            let place = scratch.path().join(name);
            std::os::unix::fs::symlink(key, place.join(KEY_HALF)).unwrap();
            std::os::unix::fs::symlink(chain, place.join(CERTIFICATE_HALF)).unwrap();
        }
        let expected = [1, 0, 2, 3].map(|index: usize| pairs[index].der.clone());
        assert_eq!(loaded(&Settings::file(scratch.path())).unwrap(), expected);
        let pair = Settings::file(&scratch.path().join("d"));
        assert_eq!(loaded(&pair).unwrap(), [pairs[3].der.clone()]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_file() {
        let scratch = Scratch::new("wrong");
        let refusal = |path: &Path| loaded(&Settings::file(path)).unwrap_err();
        let place = scratch.path().display();
        assert_eq!(refusal(scratch.path()), format!("{place}: no certificate in this directory"));
        let bad = scratch.file("bad.pem", "nothing", 0o600);
        assert_eq!(refusal(scratch.path()), format!("{}: no private key in it", bad.display()));
        let missing = scratch.path().join("missing.pem");
        assert_eq!(refusal(&missing), format!("{}: file does not exist", missing.display()));
    }

    #[test]
    fn a_response_beside_the_certificate_is_stapled() {
        let scratch = Scratch::new("staple");
        let path = scratch.file("cert.pem", &Pair::new("localhost").text(), 0o400);
        let mut settings = Settings::file(&path);
        assert_eq!(identities(&settings).unwrap()[0].ocsp, None);
        scratch.file("cert.ocsp", "0\x01x", 0o644);
        assert_eq!(identities(&settings).unwrap()[0].ocsp.as_deref(), Some(&b"0\x01x"[..]));
        let other = scratch.file("other", "0\x02x", 0o644);
        settings.staple = Some(other.clone());
        let refusal = identities(&settings).err().unwrap();
        assert_eq!(refusal, unusable(&other, LoadError::NoResponse));
    }
}
