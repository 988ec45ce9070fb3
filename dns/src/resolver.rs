//! What the programs ask: addresses of names, names of addresses, texts.

use crate::address::{self, Families};
use crate::config::{Config, Environment, Places, Source, Stamp};
use crate::message::{Answer, Kind, Question, Record};
use crate::name::DomainName;
use crate::resolve::{Plan, Transport};
use crate::{exchange, hosts};
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use sys::Errno;

/// Looks things up as the host is configured; when its files are changed, as they are then.
///
/// Every function has a deadline on the monotonic clock ([`sys::clock::monotonic`]), and is over by
/// then.
#[derive(Debug)]
pub struct Resolver {
    places: Places,
    environment: Environment,
    known: Option<(Stamp, Config)>,
}

/// Why nothing was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unresolved {
    /// There is no such thing: no such name, or it has nothing of the kind.
    Unknown,
    /// Nobody can tell at the moment: all servers are silent (`ETIMEDOUT`), can't or won't answer
    /// (`EAGAIN`), talk nonsense (`EPROTO`) or can't be reached; or a file can't be read. A name
    /// that can't be asked for, with too long a label, is `EPROTO`, as in the original.
    Temporary(Errno),
}

impl Unresolved {
    /// What a program says that can't do without the address of `host`, in the original's words; exit
    /// code 111.
    #[must_use]
    pub fn no_address(self, program: Name, host: &[u8]) -> Failure {
        let code = Exit::TEMPORARY.0;
        match self {
            Self::Unknown => program.fatal(code, &[b"no IP address for ", host]),
            Self::Temporary(errno) => program.fatal_errno(
                code,
                &[b"temporarily unable to figure out IP address for ", host],
                errno,
            ),
        }
    }
}

impl Resolver {
    /// A resolver for this host: `Places::default()`, and the environment of the program
    /// (`Environment::from(env)`).
    #[must_use]
    pub fn new(places: Places, environment: Environment) -> Self {
        Self { places, environment, known: None }
    }

    /// The addresses of a host that somebody named: an address itself, `localhost`, a name in the hosts
    /// file, or in the DNS, where short ones are completed ([`crate::qualify::Search`]). Never
    /// empty; the preferred family first.
    ///
    /// # Errors
    /// See [`Unresolved`].
    pub fn name_to_addresses(
        &mut self,
        name: &[u8],
        families: Families,
        deadline: Duration,
    ) -> Result<Vec<IpAddr>, Unresolved> {
        if let Some(address) = address::parse(name) {
            return of_families(Vec::from([address]), families);
        }
        let hosts = self.places.hosts.clone();
        let config = self.config()?;
        let names = config.search.names(name);
        // A rule may lead to an address.
        if let Some(address) = names.first().and_then(|name| address::parse(name)) {
            return of_families(Vec::from([address]), families);
        }
        look_up(
            config,
            || {
                let others = names.iter().map(Vec::as_slice).filter(|other| *other != name);
                let mut typed_first = core::iter::once(name).chain(others);
                let found = typed_first.find_map(|name| in_files(&hosts, name, families));
                found.ok_or(Unresolved::Unknown)
            },
            || {
                if is_local(name) {
                    return of_families(loopback(), families);
                }
                let found = names.iter().map(|name| in_dns(config, name, families, deadline));
                first(found)
            },
        )
    }

    /// The addresses of a name as it stands, complete: one that came out of the DNS, for
    /// instance, and that must be taken for nothing else.
    ///
    /// # Errors
    /// See [`Unresolved`].
    pub fn exact_name_to_addresses(
        &mut self,
        name: &[u8],
        families: Families,
        deadline: Duration,
    ) -> Result<Vec<IpAddr>, Unresolved> {
        let hosts = self.places.hosts.clone();
        let config = self.config()?;
        look_up(
            config,
            || in_files(&hosts, name, families).ok_or(Unresolved::Unknown),
            || in_dns(config, name, families, deadline),
        )
    }

    /// The names of an address, in the hosts file (the official one) or in the DNS (all that it has,
    /// in the server's order). Never empty. They say what whoever has the address wants to be called:
    /// see whether [`Resolver::exact_name_to_addresses`] leads back. Names from the DNS are as
    /// [`DomainName::text`] writes them.
    ///
    /// # Errors
    /// See [`Unresolved`].
    pub fn address_to_names(
        &mut self,
        address: IpAddr,
        deadline: Duration,
    ) -> Result<Vec<Vec<u8>>, Unresolved> {
        let hosts = self.places.hosts.clone();
        let config = self.config()?;
        look_up(
            config,
            || hosts::name(&hosts, address).map(|name| [name].into()).ok_or(Unresolved::Unknown),
            || {
                let name = DomainName::of_address(address);
                let records = ask_one(config, Question { name, kind: Kind::Ptr }, deadline)?;
                let names = records.iter().filter_map(|record| match record {
                    Record::Name(name) if name.wire().len() > 1 => Some(name.text()),
                    Record::Name(_) | Record::Address(_) | Record::Text(_) => None,
                });
                not_empty(names.collect())
            },
        )
    }

    /// The texts of a name, as it stands, in the DNS: one for each record, any bytes. Never empty.
    ///
    /// # Errors
    /// See [`Unresolved`].
    pub fn txt(&mut self, name: &[u8], deadline: Duration) -> Result<Vec<Vec<u8>>, Unresolved> {
        let name = DomainName::from_text(name).ok_or(Unresolved::Temporary(Errno::PROTO))?;
        let config = self.config()?;
        let records = ask_one(config, Question { name, kind: Kind::Txt }, deadline)?;
        let texts = records.into_iter().filter_map(|record| match record {
            Record::Text(text) => Some(text),
            Record::Name(_) | Record::Address(_) => None,
        });
        not_empty(texts.collect())
    }

    /// The configuration, read anew if a file was changed.
    fn config(&mut self) -> Result<&Config, Unresolved> {
        let stamp = Stamp::of(&self.places, &self.environment);
        let known = self.known.take().filter(|(known, _)| *known == stamp);
        let known = match known {
            Some(known) => known,
            None => {
                let read = Config::read(&self.places, &self.environment);
                (stamp, read.map_err(Unresolved::Temporary)?)
            }
        };
        Ok(&self.known.insert(known).1)
    }
}

/// Asks the sources in the order of nsswitch.conf. Trouble is told if nobody after it knew better.
fn look_up<T>(
    config: &Config,
    in_files: impl Fn() -> Result<T, Unresolved>,
    in_dns: impl Fn() -> Result<T, Unresolved>,
) -> Result<T, Unresolved> {
    let mut outcome = Err(Unresolved::Unknown);
    for step in &config.steps {
        let found = match step.source {
            Source::Files => in_files(),
            Source::Dns => in_dns(),
        };
        match found {
            Ok(_) => return found,
            Err(Unresolved::Unknown) if step.ends_unknown => return found,
            Err(Unresolved::Temporary(_)) if step.ends_in_trouble => return found,
            Err(Unresolved::Unknown) => {}
            Err(Unresolved::Temporary(_)) => outcome = found,
        }
    }
    outcome
}

/// The first name that has something. Trouble ends the search: what comes later in it may be
/// another host.
fn first<T>(mut found: impl Iterator<Item = Result<T, Unresolved>>) -> Result<T, Unresolved> {
    found
        .find(|found| !matches!(found, Err(Unresolved::Unknown)))
        .unwrap_or(Err(Unresolved::Unknown))
}

fn in_files(hosts: &core::ffi::CStr, name: &[u8], families: Families) -> Option<Vec<IpAddr>> {
    let found = hosts::addresses(hosts, name.strip_suffix(b".").unwrap_or(name), families);
    (!found.is_empty()).then_some(found)
}

fn in_dns(
    config: &Config,
    name: &[u8],
    families: Families,
    deadline: Duration,
) -> Result<Vec<IpAddr>, Unresolved> {
    if is_local(name) {
        return of_families(loopback(), families);
    }
    let name = DomainName::from_text(name).ok_or(Unresolved::Temporary(Errno::PROTO))?;
    let kinds: &[Kind] = match families {
        Families::V4 => &[Kind::A],
        Families::V6 => &[Kind::Aaaa],
        Families::V4First | Families::V6First => &[Kind::A, Kind::Aaaa],
    };
    let questions: Vec<_> =
        kinds.iter().map(|kind| Question { name: name.clone(), kind: *kind }).collect();
    let mut addresses = Vec::new();
    let mut trouble = None;
    for outcome in ask(config, &questions, deadline)? {
        match outcome {
            Ok(Answer::NoSuchName) => {}
            Ok(Answer::Records(records)) => {
                addresses.extend(records.iter().filter_map(|record| match record {
                    Record::Address(address) => Some(*address),
                    Record::Name(_) | Record::Text(_) => None,
                }));
            }
            Err(errno) => trouble = Some(errno),
        }
    }
    match trouble {
        Some(errno) if addresses.is_empty() => Err(Unresolved::Temporary(errno)),
        _ => of_families(addresses, families),
    }
}

fn ask_one(
    config: &Config,
    question: Question,
    deadline: Duration,
) -> Result<Vec<Record>, Unresolved> {
    match ask(config, &[question], deadline)?.pop() {
        Some(Ok(Answer::Records(records))) => Ok(records),
        Some(Ok(Answer::NoSuchName)) | None => Err(Unresolved::Unknown),
        Some(Err(errno)) => Err(Unresolved::Temporary(errno)),
    }
}

fn ask(
    config: &Config,
    questions: &[Question],
    deadline: Duration,
) -> Result<Vec<Result<Answer, Errno>>, Unresolved> {
    let first = match config.rotate {
        true => usize::from(exchange::random().map_err(Unresolved::Temporary)?),
        false => 0,
    };
    let transport = if config.tcp_only { Transport::Tcp } else { Transport::Udp };
    let (servers, waits) = (&config.servers, &config.waits);
    Ok(exchange::ask(questions, &Plan { servers, first, waits, transport, deadline }))
}

/// `localhost` and what is below it never goes to a server (RFC 6761, section 6.3).
fn is_local(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    last.eq_ignore_ascii_case(b"localhost")
}

fn loopback() -> Vec<IpAddr> {
    [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].into()
}

fn of_families(mut addresses: Vec<IpAddr>, families: Families) -> Result<Vec<IpAddr>, Unresolved> {
    addresses.retain(|address| families.want(*address));
    families.sort(&mut addresses);
    not_empty(addresses)
}

fn not_empty<T>(found: Vec<T>) -> Result<Vec<T>, Unresolved> {
    if found.is_empty() { Err(Unresolved::Unknown) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_originals_words() {
        let name = Name("tcpclient");
        let failure = Unresolved::Unknown.no_address(name, b"x.example");
        assert_eq!(failure.text, b"tcpclient: fatal: no IP address for x.example\n");
        assert_eq!(failure.code, 111);
        let failure = Unresolved::Temporary(Errno::PROTO).no_address(name, b"x");
        assert_eq!(
            failure.text,
            b"tcpclient: fatal: temporarily unable to figure out IP address for x: protocol error\n"
        );
        assert_eq!(failure.code, 111);
    }

    #[test]
    fn what_is_below_localhost_is_local() {
        for name in ["localhost", "LocalHost.", "a.localhost"] {
            assert!(is_local(name.as_bytes()), "{name}");
        }
        for name in ["", ".", "localhost.example", "xlocalhost", "localhostx"] {
            assert!(!is_local(name.as_bytes()), "{name}");
        }
    }
}
