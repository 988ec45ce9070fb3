//! How the host wants names looked up: resolv.conf(5), nsswitch.conf(5), the environment.

pub(crate) mod nsswitch;
pub(crate) mod resolv_conf;

pub use nsswitch::{Source, Step};

use crate::qualify::{Rule, Search};
use crate::{hosts, qualify};
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6};
use core::time::Duration;
use sys::Errno;

/// So many servers are asked, as everywhere.
pub const MOST_SERVERS: usize = 3;

/// The port of DNS servers.
const PORT: u16 = 53;

/// How long the servers are waited for, round by round, unless resolv.conf tells otherwise.
const WAITS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(11),
    Duration::from_secs(45),
];

/// Where the files are, and the servers' port: [`Places::default`] but for tests.
#[derive(Debug, Clone)]
pub struct Places {
    /// resolv.conf(5).
    pub resolv_conf: CString,
    /// nsswitch.conf(5).
    pub nsswitch: CString,
    /// hosts(5).
    pub hosts: CString,
    /// The rewriting rules, as long as the environment names no other file: see
    /// [`crate::qualify::Rule`].
    pub rewrite: CString,
    /// The port at which servers are asked.
    pub port: u16,
}

impl Default for Places {
    fn default() -> Self {
        Self {
            resolv_conf: c"/etc/resolv.conf".into(),
            nsswitch: c"/etc/nsswitch.conf".into(),
            hosts: hosts::FILE.into(),
            rewrite: c"/etc/dnsrewrite".into(),
            port: PORT,
        }
    }
}

/// The variables that change it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `DNSCACHEIP`: servers, instead of resolv.conf's. Addresses with blanks between them, or dots,
    /// as the originals have it.
    pub cache: Option<Vec<u8>>,
    /// `DNSREWRITEFILE`: another file than `/etc/dnsrewrite`.
    pub rewrite: Option<Vec<u8>>,
    /// `LOCALDOMAIN`: domains to search, instead of resolv.conf's.
    pub domains: Option<Vec<u8>>,
    /// `RES_OPTIONS`: as resolv.conf's `options`, and after them.
    pub options: Option<Vec<u8>>,
}

impl Environment {
    /// Asks `value_of` for each variable.
    pub fn of(value_of: impl Fn(&[u8]) -> Option<Vec<u8>>) -> Self {
        Self {
            cache: value_of(b"DNSCACHEIP"),
            rewrite: value_of(b"DNSREWRITEFILE"),
            domains: value_of(b"LOCALDOMAIN"),
            options: value_of(b"RES_OPTIONS"),
        }
    }
}

impl From<sys::Env> for Environment {
    fn from(env: sys::Env) -> Self {
        Self::of(|name| env.get(name).map(<[u8]>::to_vec))
    }
}

/// What all that comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Whom to ask, in order; at least one.
    pub servers: Vec<SocketAddr>,
    /// How long each server is waited for, round by round; at least one round.
    pub waits: Vec<Duration>,
    /// To begin with any server, not with the first.
    pub rotate: bool,
    /// To ask by TCP only.
    pub tcp_only: bool,
    /// What names typed by people are made of.
    pub search: Search,
    /// Which sources are asked, in which order.
    pub steps: Vec<Step>,
}

impl Config {
    /// Reads it all. A file that doesn't exist says nothing; without a server named anywhere, it is
    /// this host.
    ///
    /// # Errors
    /// A file that exists and can't be read.
    pub fn read(places: &Places, environment: &Environment) -> Result<Self, Errno> {
        let mut conf = resolv_conf::ResolvConf::read(&places.resolv_conf)?;
        conf.options(environment.options.as_deref().unwrap_or_default());
        let cache = environment.cache.as_deref().map(resolv_conf::servers).unwrap_or_default();
        let named = if cache.is_empty() { conf.servers } else { cache };
        let mut servers: Vec<_> = named.iter().map(|server| at(*server, places.port)).collect();
        if servers.is_empty() {
            servers.push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), places.port));
        }
        let domains = match &environment.domains {
            Some(domains) => domains.split(u8::is_ascii_whitespace).map(<[u8]>::to_vec).collect(),
            None => conf.domains.unwrap_or_else(own_domain),
        };
        let waits = match (conf.timeout, conf.attempts) {
            (None, None) => WAITS.to_vec(),
            (timeout, attempts) => {
                let timeout = timeout.unwrap_or(resolv_conf::TIMEOUT);
                let attempts = attempts.unwrap_or(resolv_conf::ATTEMPTS);
                (0..attempts).map(|_| timeout).collect()
            }
        };
        let rules = match rewrite_file(places, environment) {
            Some(file) => qualify::read(&file)?,
            None => None,
        };
        Ok(Self {
            servers,
            waits,
            rotate: conf.rotate,
            tcp_only: conf.tcp_only,
            search: search(rules, domains, conf.dots),
            steps: nsswitch::read(&places.nsswitch)?,
        })
    }
}

/// What the files looked like: two stamps that differ tell of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp([Option<[u64; 5]>; 3]);

impl Stamp {
    /// Of all files that [`Config::read`] reads.
    pub(crate) fn of(places: &Places, environment: &Environment) -> Self {
        let rewrite = rewrite_file(places, environment);
        let of = |path: &CStr| {
            let found = sys::fs::stat(path).ok()?;
            Some([
                found.st_dev,
                found.st_ino,
                found.st_size as u64,
                found.st_mtime as u64,
                found.st_mtime_nsec as u64,
            ])
        };
        Self([of(&places.resolv_conf), of(&places.nsswitch), rewrite.as_deref().and_then(of)])
    }
}

fn rewrite_file(places: &Places, environment: &Environment) -> Option<CString> {
    match &environment.rewrite {
        Some(file) => CString::new(file.as_slice()).ok(),
        None => Some(places.rewrite.clone()),
    }
}

fn search(rules: Option<Vec<Rule>>, domains: Vec<Vec<u8>>, dots: usize) -> Search {
    match rules {
        Some(rules) => Search::Rules(rules),
        None => {
            // `search .` is how to say that there are none.
            let is_one = |domain: &Vec<u8>| domain.iter().any(|byte| *byte != b'.');
            let domains = domains.into_iter().filter(is_one).collect();
            Search::Domains { domains, dots }
        }
    }
}

/// Without any word about domains, it is that of the host's own name.
fn own_domain() -> Vec<Vec<u8>> {
    let host = sys::system::uname();
    let name = host.nodename().to_bytes();
    let dot = name.iter().position(|byte| *byte == b'.');
    dot.map(|dot| name[dot + 1..].to_vec()).into_iter().collect()
}

fn at((address, zone): (IpAddr, u32), port: u16) -> SocketAddr {
    match address {
        IpAddr::V4(_) => SocketAddr::new(address, port),
        IpAddr::V6(address) => SocketAddrV6::new(address, port, 0, zone).into(),
    }
}

#[cfg(test)]
mod tests;
