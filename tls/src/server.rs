//! What all connections share: key, certificates, ticket keys, and the choice of protocol.

use super::identity;
use super::key_file;
use super::pem::PemError;
use super::tickets::Tickets;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, ServerConnection};
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{Connection, ServerConfig};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A TLS server, ready for connections. Made before privileges are dropped.
pub struct Server {
    path: PathBuf,
    tickets: Tickets,
    config: Arc<ServerConfig>,
}

impl Server {
    /// Reads key and certificates from the PEM file `path`: TLS 1.2 and 1.3, ring's cipher suites.
    ///
    /// # Errors
    /// Whatever keeps the file from being used; the text is for the administrator.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let tickets = Tickets::new().map_err(|_| LoadError::NoRandom)?;
        let config = config(path, &tickets)?;
        Ok(Self { path: path.into(), tickets, config })
    }

    /// Reads the same file again. Connections that come later use what it holds now; tickets
    /// issued so far stay good.
    ///
    /// # Errors
    /// As [`Server::load`]; what was in use stays in use.
    pub fn reload(&mut self) -> Result<(), LoadError> {
        self.config = config(&self.path, &self.tickets)?;
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

fn config(path: &Path, tickets: &Tickets) -> Result<Arc<ServerConfig>, LoadError> {
    let identity = identity::from_pem(&key_file::read_whole(path)?)?;
    let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(identity));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|_| LoadError::UnsupportedKey)?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.ticketer = tickets.producer();
    // A table in memory would be the child's own, and gone with it.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(Arc::new(config))
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Pair, Scratch};
    use super::*;

    fn refusal(path: &Path) -> String {
        Server::load(path).err().unwrap().to_string()
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
            assert!(Server::load(&scratch.file("cert.pem", &text, mode)).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn files_that_are_none() {
        let scratch = Scratch::new("nofiles");
        assert_eq!(refusal(&scratch.path().join("missing")), "file does not exist");
        assert_eq!(refusal(scratch.path()), "not a regular file");
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
        let mut server = Server::load(&path).unwrap();
        let before = Arc::as_ptr(&server.config);
        scratch.file("cert.pem", &(old.key.clone() + &new.certificate), 0o400);
        assert_eq!(server.reload(), Err(LoadError::Mismatch));
        assert_eq!(Arc::as_ptr(&server.config), before);
        scratch.file("cert.pem", &new.text(), 0o400);
        assert_eq!(server.reload(), Ok(()));
        assert_ne!(Arc::as_ptr(&server.config), before);
    }
}
