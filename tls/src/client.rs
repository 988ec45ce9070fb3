//! The other end: what it takes to connect to a server, and to know it.

use super::provider::{provider, versions};
use super::server::LoadError;
use super::settings::{self, Settings, Unusable, unusable};
use rustls::client::{ClientConnection, Resumption, WebPkiServerVerifier};
use rustls::pki_types::ServerName;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, Connection, RootCertStore};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use sys::process::{DumpableBehavior, set_dumpable_behavior};

/// Whom a client wants to talk to: a host by its name, or by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer(ServerName<'static>);

impl Peer {
    /// A host name, or an address, an IPv6 one perhaps in brackets. `None`: it is neither, and no
    /// certificate can be for it.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let inner = text.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
        let text = std::str::from_utf8(inner.unwrap_or(text)).ok()?;
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self(ServerName::IpAddress(address.into())));
        }
        match ServerName::try_from(text.to_owned()) {
            Ok(name @ ServerName::DnsName(_)) if inner.is_none() => Some(Self(name)),
            Ok(_) | Err(_) => None,
        }
    }

    /// The name that the server is told (SNI, without a dot at the end); an address isn't told.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match &self.0 {
            ServerName::DnsName(name) => Some(name.as_ref().trim_end_matches('.')),
            ServerName::IpAddress(_) | _ => None,
        }
    }
}

/// How a client is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// Who may have issued the server's certificate: a PEM file.
    pub authorities: PathBuf,
    /// Which certificates are revoked: a PEM file with one or several lists.
    pub revoked: Option<PathBuf>,
    /// Key and certificate to show, if the server asks for one.
    pub identity: Option<PathBuf>,
    /// Protocols to offer (ALPN), the best first.
    pub protocols: Vec<Vec<u8>>,
    /// TLS 1.3 only.
    pub no_tls12: bool,
}

/// A TLS client, ready for one connection.
pub struct Client {
    config: Arc<ClientConfig>,
    peer: Peer,
}

impl Client {
    /// Reads what `settings` name. The server has to show a certificate for `peer` that one of the
    /// authorities has issued, now valid; there is no way around that. A process that has a key
    /// leaves no core file from now on, and none but root may trace it.
    ///
    /// # Errors
    /// The file that can't be used.
    pub fn load(settings: &ClientSettings, peer: Peer) -> Result<Self, Unusable> {
        // Whatever is wrong with rustls's parts taken together shows in the list, which is what they
        // are told of.
        let provider = provider();
        let roots = Arc::new(roots(&settings.authorities)?);
        let mut builder = WebPkiServerVerifier::builder_with_provider(roots, provider.clone());
        if let Some(path) = &settings.revoked {
            // As for servers: what the lists don't speak of at all is refused.
            builder =
                builder.with_crls(settings::revoked(path)?).only_check_end_entity_revocation();
        }
        let listed = settings.revoked.as_deref().unwrap_or(&settings.authorities);
        let malformed = || unusable(listed, LoadError::BadRevocationList);
        let verifier = builder.build().map_err(|_| malformed())?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions(settings.no_tls12))
            .map_err(|_| malformed())?
            .with_webpki_verifier(verifier);
        let mut config = match &settings.identity {
            Some(path) => {
                // Can't fail: every process may.
                let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
                builder.with_client_cert_resolver(Arc::new(identity(path)?))
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&settings.protocols);
        // There is one connection, and nobody who could come back.
        config.resumption = Resumption::disabled();
        Ok(Self { config: Arc::new(config), peer })
    }

    /// The TLS side of the connection.
    pub(super) fn connection(&self) -> Result<Connection, String> {
        ClientConnection::new(self.config.clone(), self.peer.0.clone())
            .map(Connection::Client)
            .map_err(|error| format!("unable to set up TLS: {error}"))
    }
}

/// A host's collection may hold one or another certificate that nobody can read any more; all but those.
fn roots(path: &Path) -> Result<RootCertStore, Unusable> {
    let mut roots = RootCertStore::empty();
    match roots.add_parsable_certificates(settings::authorities(path)?) {
        (0, _) => Err(unusable(path, LoadError::BadCertificate(1))),
        _ => Ok(roots),
    }
}

/// The first one, if it is a directory of several.
fn identity(path: &Path) -> Result<SingleCertAndKey, Unusable> {
    let found = settings::identities(&Settings::file(path))?.into_iter().next();
    found.map(SingleCertAndKey::from).ok_or_else(|| unusable(path, LoadError::EmptyDirectory))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Pair, Scratch};

    #[test]
    fn names_and_addresses() {
        for (text, host) in [
            ("mail.example", Some("mail.example")),
            ("mail.example.", Some("mail.example")),
            ("localhost", Some("localhost")),
            ("under_score.example", Some("under_score.example")),
            ("192.0.2.1", None),
            ("2001:db8::1", None),
            ("[2001:db8::1]", None),
        ] {
            let peer = Peer::parse(text.as_bytes()).expect(text);
            assert_eq!(peer.host(), host, "{text}");
        }
        for text in ["", ".", "a..b", "mail example", "*.example", "[mail.example]", "b\u{fc}cher"]
        {
            assert_eq!(Peer::parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(Peer::parse(b"\xFF"), None);
    }

    fn settings(authorities: &Path) -> ClientSettings {
        ClientSettings {
            authorities: authorities.into(),
            revoked: None,
            identity: None,
            protocols: Vec::new(),
            no_tls12: false,
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let scratch = Scratch::new("client");
        let refusal = |settings: &ClientSettings| {
            Client::load(settings, Peer::parse(b"a.example").unwrap())
                .err()
                .map(|unusable| (unusable.path.file_name().unwrap().to_owned(), unusable.reason))
        };
        let pair = Pair::new("a.example");
        let strange = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        // One that can't be read does no harm among others.
        let good = scratch.file("good", &(strange.to_owned() + &pair.certificate), 0o644);
        assert_eq!(refusal(&settings(&good)), None);
        let bad = scratch.file("bad", strange, 0o644);
        assert_eq!(refusal(&settings(&bad)), Some(("bad".into(), LoadError::BadCertificate(1))));
        let none = scratch.file("none", "", 0o644);
        assert_eq!(refusal(&settings(&none)), Some(("none".into(), LoadError::NoCertificate)));
        let listed = ClientSettings { revoked: Some(good.clone()), ..settings(&good) };
        assert_eq!(refusal(&listed), Some(("good".into(), LoadError::NoRevocationList)));
        let open = scratch.file("open", &pair.text(), 0o644);
        let shown = ClientSettings { identity: Some(open), ..settings(&good) };
        assert_eq!(refusal(&shown), Some(("open".into(), LoadError::OpenToOthers)));
    }
}
