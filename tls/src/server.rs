//! What all connections share: keys, certificates, ticket keys, and the choice of protocol.

use super::names::Identities;
use super::pem::PemError;
use super::provider::{SUITES, provider, versions};
use super::settings::{self, Clients, Settings, Unusable, unusable};
use super::tickets::Tickets;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ServerConnection, WebPkiClientVerifier};
use rustls::{Connection, RootCertStore, ServerConfig};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use sys::process::{DumpableBehavior, set_dumpable_behavior};

/// A TLS server, ready for connections. Made before privileges are dropped.
pub struct Server {
    settings: Settings,
    tickets: Tickets,
    config: Arc<ServerConfig>,
}

impl Server {
    /// Reads what `settings` name: TLS 1.2 and 1.3, the cipher suites of Mozilla's "intermediate"
    /// that have forward secrecy without Diffie-Hellman parameters. From now on this process, which
    /// has the keys, leaves no core file, and none but root may trace it.
    ///
    /// # Errors
    /// The file that can't be used; the reason is for the administrator.
    pub fn load(settings: Settings) -> Result<Self, Unusable> {
        // Can't fail: every process may.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
        let tickets = new_tickets(&settings)?;
        let config = config(&settings, &tickets)?;
        Ok(Self { settings, tickets, config })
    }

    /// Reads the same files again. Connections that come later use what they hold now; tickets
    /// issued so far stay good, unless they stand for clients who had shown a certificate, which
    /// may be revoked by now.
    ///
    /// # Errors
    /// As [`Server::load`]; what was in use stays in use, all of it.
    pub fn reload(&mut self) -> Result<(), Unusable> {
        if self.settings.clients == Clients::Anonymous {
            self.config = config(&self.settings, &self.tickets)?;
        } else {
            let tickets = new_tickets(&self.settings)?;
            self.config = config(&self.settings, &tickets)?;
            self.tickets = tickets;
        }
        Ok(())
    }

    /// Call in the parent before each fork: without it, no child can resume a session.
    pub fn before_fork(&self) {
        self.tickets.before_fork();
    }

    /// The TLS side of one connection.
    pub(super) fn connection(&self) -> Result<Connection, String> {
        ServerConnection::new(self.config.clone())
            .map(Connection::Server)
            .map_err(|error| format!("unable to set up TLS: {error}"))
    }
}

fn new_tickets(settings: &Settings) -> Result<Tickets, Unusable> {
    Tickets::new(settings.clients != Clients::Anonymous)
        .map_err(|_| about(settings, LoadError::NoRandom))
}

/// Trouble with no file in particular is the first one's.
fn about(settings: &Settings, reason: LoadError) -> Unusable {
    unusable(settings.identities.first().map_or(Path::new(""), PathBuf::as_path), reason)
}

fn config(settings: &Settings, tickets: &Tickets) -> Result<Arc<ServerConfig>, Unusable> {
    let resolver = Identities::new(settings::identities(settings)?, SUITES.to_vec());
    let provider = provider();
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions(settings.no_tls12))
        .map_err(|_| about(settings, LoadError::UnsupportedKey))?;
    let builder = match verifier(settings, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(resolver));
    config.alpn_protocols.clone_from(&settings.protocols);
    config.ticketer = tickets.producer();
    // Two would be for clients that open several connections at once; they cost each of the others.
    config.send_tls13_tickets = 1;
    // A table in memory would be the child's own, and gone with it.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
}

/// Who judges the certificates of clients, if any are asked for.
fn verifier(
    settings: &Settings,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, Unusable> {
    if settings.clients == Clients::Anonymous {
        return Ok(None);
    }
    let path = settings.authorities.as_deref().unwrap_or(Path::new(""));
    let mut roots = RootCertStore::empty();
    for (index, der) in settings::authorities(path)?.into_iter().enumerate() {
        let bad = |_| unusable(path, LoadError::BadCertificate(index + 1));
        roots.add(der).map_err(bad)?;
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let mut file = path;
    if let Some(path) = &settings.revoked {
        // A list is of one authority: what the lists don't speak of at all is refused.
        builder = builder.with_crls(settings::revoked(path)?).only_check_end_entity_revocation();
        file = path;
    }
    if settings.clients == Clients::MayShow {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map(Some).map_err(|_| unusable(file, LoadError::BadRevocationList))
}

/// Why a key file can't be used. Displayed as the reason in a diagnostic, without the file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadError {
    /// The system's reason.
    System(nix::errno::Errno),
    /// A directory, a FIFO, a device.
    NotAFile,
    /// Others may read it, or write to it.
    OpenToOthers,
    /// So may its group.
    OpenToGroup,
    /// More than 128 KiB.
    TooLarge,
    /// Not PEM.
    Pem(PemError),
    /// No section is a private key.
    NoKey,
    /// More than one is.
    SeveralKeys,
    /// The key wants a password, and nobody is there to type it.
    EncryptedKey,
    /// The key can't be read, or is of a kind that ring doesn't know.
    UnsupportedKey,
    /// No section is a certificate.
    NoCertificate,
    /// More than 16 are.
    TooManyCertificates,
    /// The certificate with this number, counted from 1, can't be read.
    BadCertificate(usize),
    /// The key belongs to none of the certificates.
    Mismatch,
    /// The system gives no random numbers.
    NoRandom,
    /// A directory without any key file.
    EmptyDirectory,
    /// More than 256 certificates with keys.
    TooManyIdentities,
    /// No section is a revocation list.
    NoRevocationList,
    /// A revocation list, or the authorities that it is judged with, can't be read.
    BadRevocationList,
    /// Not an OCSP response.
    NoResponse,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System(error) => super::reason::system(*error),
            Self::NotAFile => "not a regular file",
            Self::OpenToOthers => "key file is readable by others",
            Self::OpenToGroup => "key file is readable by its group",
            Self::TooLarge => "file is too large",
            Self::Pem(error) => return error.fmt(f),
            Self::NoKey => "no private key in it",
            Self::SeveralKeys => "more than one private key in it",
            Self::EncryptedKey => "private key is encrypted",
            Self::UnsupportedKey => {
                "private key is of an unknown kind, not RSA of 2048 to 4096 bits, \
                 ECDSA P-256, ECDSA P-384 or Ed25519"
            }
            Self::NoCertificate => "no certificate in it",
            Self::TooManyCertificates => "too many certificates in it",
            Self::BadCertificate(number) => return write!(f, "certificate {number} is malformed"),
            Self::Mismatch => "private key doesn't match the certificate",
            Self::NoRandom => "no random numbers",
            Self::EmptyDirectory => "no certificate in this directory",
            Self::TooManyIdentities => "more than 256 certificates",
            Self::NoRevocationList => "no revocation list in it",
            Self::BadRevocationList => "malformed revocation list, or not of version 2",
            Self::NoResponse => "not an OCSP response (DER)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Pair, Scratch};
    use super::*;

    fn refusal(path: &Path) -> String {
        Server::load(Settings::file(path)).err().unwrap().reason.to_string()
    }

    #[test]
    fn files_that_others_may_read_are_refused() {
        let scratch = Scratch::new("modes");
        let text = Pair::new("localhost").text();
        for (mode, expected) in [
            (0o404, "key file is readable by others"),
            (0o602, "key file is readable by others"),
            (0o440, "key file is readable by its group"),
            (0o644, "key file is readable by others"),
        ] {
            assert_eq!(refusal(&scratch.file("cert.pem", &text, mode)), expected, "{mode:o}");
        }
        for mode in [0o400, 0o600, 0o700] {
            let path = scratch.file("cert.pem", &text, mode);
            assert!(Server::load(Settings::file(&path)).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn files_that_are_none() {
        let scratch = Scratch::new("nofiles");
        assert_eq!(refusal(&scratch.path().join("missing")), "file does not exist");
        let large = scratch.file("large", &"x".repeat(200_000), 0o600);
        assert_eq!(refusal(&large), "file is too large");
        let fifo = scratch.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert_eq!(refusal(&fifo), "not a regular file");
    }

    #[test]
    fn a_bad_new_file_leaves_the_old_one_in_use() {
        let scratch = Scratch::new("reload");
        let (old, new) = (Pair::new("old"), Pair::new("new"));
        let path = scratch.file("cert.pem", &old.text(), 0o400);
        let mut server = Server::load(Settings::file(&path)).unwrap();
        let before = Arc::as_ptr(&server.config);
        scratch.file("cert.pem", &(old.key.clone() + &new.certificate), 0o400);
        assert_eq!(server.reload(), Err(unusable(&path, LoadError::Mismatch)));
        assert_eq!(Arc::as_ptr(&server.config), before);
        scratch.file("cert.pem", &new.text(), 0o400);
        assert_eq!(server.reload(), Ok(()));
        assert_ne!(Arc::as_ptr(&server.config), before);
    }
}
