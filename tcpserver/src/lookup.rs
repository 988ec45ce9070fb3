//! Finding out who is at the ends of a connection: host names, and what the client's host says of
//! the client. All but what the listener knows already is done in the connection's own process,
//! since it takes as long as others like.

use crate::hosts;
use crate::options::{Access, Options};
use dns::config::{Config, Source};
use dns::{Environment, Families, Places, Resolver};
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use sys::{Env, clock};
use tcpclient::ident;

/// How long all names of a connection may take together: as long as the original's four rounds, of
/// which it makes as many as it looks up names.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is looked up, and how.
pub struct LookUps {
    access: Access,
    local_name: LocalName,
    timeout: Duration,
    environment: Environment,
}

/// The local host's name, for whatever local address a connection has.
enum LocalName {
    /// As given with `-l`.
    Given(&'static [u8]),
    /// In the hosts file, whose text this is, or else in the DNS.
    LookedUp(Vec<u8>),
}

/// What was found out. What is `None` isn't known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The local host's name.
    pub local_name: Option<Vec<u8>>,
    /// The name of the client's host.
    pub remote_name: Option<Vec<u8>>,
    /// What the client's host says of the client.
    pub remote_info: Option<Vec<u8>>,
}

impl LookUps {
    /// Reads the hosts file, unless it is of no use.
    #[must_use]
    pub fn new(options: &Options, env: Env) -> Self {
        let environment = Environment::from(env);
        let local_name = match options.local_name {
            Some(name) => LocalName::Given(name),
            None if files_first(&environment) => {
                LocalName::LookedUp(fs::read(hosts::FILE).unwrap_or_default())
            }
            None => LocalName::LookedUp(Vec::new()),
        };
        Self { access: options.access, local_name, timeout: options.timeout, environment }
    }

    /// What there is to know of a connection without asking anybody; `None` if somebody has to be
    /// asked.
    #[must_use]
    pub fn known(&self, local: IpAddr) -> Option<Found> {
        if self.access.remote_name || self.access.remote_info {
            return None;
        }
        let local_name = self.local_name.of(local)?.to_vec();
        Some(Found { local_name: Some(local_name), ..Found::default() })
    }

    /// Asks everybody who has to be asked, the client's host only if `ident`. Takes at most a minute,
    /// and after that the time of `-t`.
    #[must_use]
    pub fn ask(&self, local: SocketAddr, remote: SocketAddr, ident: bool) -> Found {
        let mut resolver = Resolver::new(Places::default(), self.environment.clone());
        let deadline = clock::monotonic() + PATIENCE;
        let [local, remote] = [local, remote].map(|end| match end.ip().to_canonical() {
            ip @ IpAddr::V4(_) => SocketAddr::new(ip, end.port()),
            // Its interface may count.
            IpAddr::V6(_) => end,
        });
        let local_name = match self.local_name.of(local.ip()) {
            Some(name) => Some(name.to_vec()),
            None => name_of(&mut resolver, local.ip(), deadline),
        };
        let remote_name = self
            .access
            .remote_name
            .then(|| name_of(&mut resolver, remote.ip(), deadline))
            .flatten()
            .filter(|name| {
                !self.access.paranoid || leads_back(&mut resolver, name, remote.ip(), deadline)
            });
        let asked = self.access.remote_info && ident;
        let info = asked.then(|| ident::ask(local, remote, clock::monotonic() + self.timeout));
        Found { local_name, remote_name, remote_info: info.flatten() }
    }
}

impl LocalName {
    /// The name of the host with this address, as far as it is known here.
    fn of(&self, address: IpAddr) -> Option<&[u8]> {
        match self {
            Self::Given(name) => Some(name),
            Self::LookedUp(hosts) => hosts::name(hosts, address),
        }
    }
}

/// The first name, as in the original.
fn name_of(resolver: &mut Resolver, address: IpAddr, deadline: Duration) -> Option<Vec<u8>> {
    let names = resolver.address_to_names(address, deadline).ok()?;
    names.into_iter().next().map(|name| name.to_ascii_lowercase())
}

/// Whoever has an address gives it any name. The name's owner says whether that is so.
fn leads_back(resolver: &mut Resolver, name: &[u8], address: IpAddr, deadline: Duration) -> bool {
    let families = if address.is_ipv6() { Families::V6 } else { Families::V4 };
    let found = resolver.exact_name_to_addresses(name, families, deadline);
    found.is_ok_and(|addresses| addresses.contains(&address))
}

/// Whether nsswitch.conf lets the hosts file decide what it knows.
fn files_first(environment: &Environment) -> bool {
    let config = Config::read(&Places::default(), environment);
    config.is_ok_and(|config| config.steps.first().is_some_and(|step| step.source == Source::Files))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn a_given_name_counts_for_every_address() {
        let name = LocalName::Given(b"0");
        assert_eq!(name.of(Ipv4Addr::LOCALHOST.into()), Some(&b"0"[..]));
        let name = LocalName::LookedUp(b"127.0.0.1 here\n".to_vec());
        assert_eq!(name.of(Ipv4Addr::LOCALHOST.into()), Some(&b"here"[..]));
        assert_eq!(name.of(Ipv6Addr::LOCALHOST.into()), None);
    }

    #[test]
    fn only_what_is_known_already_needs_no_asking() {
        let look_ups = |remote_name, remote_info, local_name| LookUps {
            access: Access { remote_name, remote_info, ..Access::default() },
            local_name,
            timeout: Duration::ZERO,
            environment: Environment::default(),
        };
        let ip = Ipv4Addr::LOCALHOST.into();
        let found = Found { local_name: Some(b"0".to_vec()), ..Found::default() };
        assert_eq!(look_ups(false, false, LocalName::Given(b"0")).known(ip), Some(found));
        assert_eq!(look_ups(true, false, LocalName::Given(b"0")).known(ip), None);
        assert_eq!(look_ups(false, true, LocalName::Given(b"0")).known(ip), None);
        assert_eq!(look_ups(false, false, LocalName::LookedUp(Vec::new())).known(ip), None);
    }
}
