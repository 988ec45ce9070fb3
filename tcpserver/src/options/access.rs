//! The options that say who is let in, and what is found out about clients.

use super::{MAX_BANNER, NAME};
use crate::limits::{Bounds, Limit, Rate};
use crate::network::Network;
use common::getopt::{Opt, Takes, Word};
use common::{Exit, Failure, number};
use std::ffi::CStr;
use std::time::Duration;

// Long options without a letter of their own.
const NEIGHBOURS: u8 = 0xA0;
const RATE: u8 = 0xA1;
const PROXY: u8 = 0xA2;
const LISTEN_FD: u8 = 0xA3;
const IPV6_ONLY: u8 = 0xA4;

/// The long options among them.
pub(super) const WORDS: [Word; 5] = [
    Word { name: "network-limit", letter: NEIGHBOURS, takes: Takes::Value },
    Word { name: "rate", letter: RATE, takes: Takes::Value },
    Word { name: "proxy", letter: PROXY, takes: Takes::Value },
    Word { name: "listen-fd", letter: LISTEN_FD, takes: Takes::Value },
    Word { name: "ipv6-only", letter: IPV6_ONLY, takes: Takes::Nothing },
];

/// What is found out about a client, and what decides whether it is let in.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    /// `-x`: the rules, compiled by tcprules.
    pub rules: Option<&'static CStr>,
    /// `-X`: without the file of `-x`, everybody is let in.
    pub rules_may_be_missing: bool,
    /// `-h`, `-H`: the name of the client's host is looked up.
    pub remote_name: bool,
    /// `-p`, `-P`: it counts only if it leads back to the client's address.
    pub paranoid: bool,
    /// `-r`, `-R`: the client's host is asked which user the client is.
    pub remote_info: bool,
    /// `-C`, `--network-limit`, `--rate`.
    pub bounds: Bounds,
    /// `--proxy`: connections from these networks begin with a PROXY header.
    pub proxies: Proxies,
    /// `--listen-fd`: the listening socket is there already, under this number.
    pub listen_fd: Option<i32>,
    /// `--ipv6-only`: a socket for all IPv6 addresses takes no IPv4 connections.
    pub ipv6_only: bool,
}

/// A list of networks, as it was given; each of them can be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Proxies(&'static [u8]);

impl Proxies {
    /// The networks.
    pub fn networks(self) -> impl Iterator<Item = Network> {
        self.0.split(|byte| *byte == b',').filter_map(Network::parse)
    }
}

impl Default for Access {
    fn default() -> Self {
        Self {
            rules: None,
            rules_may_be_missing: false,
            remote_name: true,
            paranoid: false,
            remote_info: true,
            bounds: Bounds::default(),
            proxies: Proxies::default(),
            listen_fd: None,
            ipv6_only: false,
        }
    }
}

impl Access {
    /// Takes an option, if it is one of these. False: it isn't.
    ///
    /// # Errors
    /// A value that can't be used: exit code 100.
    pub(super) fn take(&mut self, opt: Opt) -> Result<bool, Failure> {
        match opt {
            Opt::Flag(b'X') => self.rules_may_be_missing = true,
            Opt::Flag(b'h') => self.remote_name = true,
            Opt::Flag(b'H') => self.remote_name = false,
            Opt::Flag(b'p') => self.paranoid = true,
            Opt::Flag(b'P') => self.paranoid = false,
            Opt::Flag(b'r') => self.remote_info = true,
            Opt::Flag(b'R') => self.remote_info = false,
            Opt::Value(b'x', file) => self.rules = Some(file),
            Opt::Value(b'C', value) => self.bounds.client = Some(limit(b"-C", value, count)?),
            Opt::Value(NEIGHBOURS, value) => {
                self.bounds.neighbourhood = Some(limit(b"--network-limit", value, count)?);
            }
            Opt::Value(RATE, value) => self.bounds.rate = Some(limit(b"--rate", value, rate)?),
            Opt::Value(PROXY, value) => self.proxies = proxies(value)?,
            Opt::Value(LISTEN_FD, value) => self.listen_fd = Some(descriptor(value)?),
            Opt::Flag(IPV6_ONLY) => self.ipv6_only = true,
            Opt::Flag(_) | Opt::Value(..) => return Ok(false),
        }
        Ok(true)
    }
}

/// `VALUE` or `VALUE:MESSAGE`.
fn limit<T>(
    option: &[u8],
    value: &'static CStr,
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Limit<T>, Failure> {
    let value = value.to_bytes();
    let colon = value.iter().position(|byte| *byte == b':').unwrap_or(value.len());
    let message = value.get(colon + 1..).unwrap_or_default();
    if message.len() > MAX_BANNER {
        return Err(unusable(option, b"", b"more than 4096 bytes"));
    }
    let most = read(&value[..colon]);
    let most = most.ok_or_else(|| unusable(option, &value[..colon], b"not a positive number"))?;
    Ok(Limit { most, message })
}

fn count(text: &[u8]) -> Option<u32> {
    number::whole(text).and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0)
}

/// `COUNT/SECONDS`, or `COUNT`, in a minute.
fn rate(text: &[u8]) -> Option<Rate> {
    let slash = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
    let seconds = match text.get(slash + 1..) {
        Some(seconds) => count(seconds)?,
        None => 60,
    };
    let period = Duration::from_secs(u64::from(seconds));
    Some(Rate { count: count(&text[..slash])?, period })
}

fn proxies(value: &'static CStr) -> Result<Proxies, Failure> {
    let text = value.to_bytes();
    match text.split(|byte| *byte == b',').find(|part| Network::parse(part).is_none()) {
        Some(wrong) => Err(unusable(b"--proxy", wrong, b"not a network")),
        None => Ok(Proxies(text)),
    }
}

/// The standard descriptors are never a listening socket: they are let go.
fn descriptor(value: &CStr) -> Result<i32, Failure> {
    let number = number::whole(value.to_bytes()).and_then(|number| i32::try_from(number).ok());
    number
        .filter(|number| *number > 2)
        .ok_or_else(|| unusable(b"--listen-fd", value.to_bytes(), b"not a number above 2"))
}

fn unusable(option: &[u8], value: &[u8], reason: &[u8]) -> Failure {
    let blank: &[u8] = if value.is_empty() { b"" } else { b" " };
    NAME.fatal(Exit::USAGE.0, &[b"unable to use ", option, blank, value, b": ", reason])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(options: &[Opt]) -> Access {
        let mut access = Access::default();
        for option in options {
            assert_eq!(access.take(*option), Ok(true));
        }
        access
    }

    #[test]
    fn by_default_everything_is_looked_up_and_nobody_is_turned_away() {
        let access = Access::default();
        assert!(access.remote_name && access.remote_info && !access.paranoid);
        assert!(access.rules.is_none() && !access.rules_may_be_missing);
    }

    #[test]
    fn the_last_of_a_pair_counts() {
        let flags = |letters: &[u8]| {
            let access = taken(&letters.iter().map(|flag| Opt::Flag(*flag)).collect::<Vec<_>>());
            [access.remote_name, access.paranoid, access.remote_info]
        };
        assert_eq!(flags(b"HpR"), [false, true, false]);
        assert_eq!(flags(b"HhpPRr"), [true, false, true]);
        let access = taken(&[Opt::Value(b'x', c"a"), Opt::Flag(b'X'), Opt::Value(b'x', c"b")]);
        assert_eq!((access.rules, access.rules_may_be_missing), (Some(c"b"), true));
    }

    #[test]
    fn limits_have_messages() {
        let access = taken(&[
            Opt::Value(b'C', c"5:421 too many\\r\\n"),
            Opt::Value(NEIGHBOURS, c"20"),
            Opt::Value(RATE, c"30/10:later: please"),
        ]);
        let message = &b"421 too many\\r\\n"[..];
        assert_eq!(access.bounds.client, Some(Limit { most: 5, message }));
        assert_eq!(access.bounds.neighbourhood, Some(Limit { most: 20, message: b"" }));
        let most = Rate { count: 30, period: Duration::from_secs(10) };
        assert_eq!(access.bounds.rate, Some(Limit { most, message: b"later: please" }));
        let rate = taken(&[Opt::Value(RATE, c"7")]).bounds.rate.expect("a rate").most;
        assert_eq!((rate.count, rate.period.as_secs()), (7, 60));
    }

    #[test]
    fn what_can_not_be_used_is_refused() {
        for (opt, reason) in [
            (Opt::Value(b'C', c"0"), "-C 0: not a positive number"),
            (Opt::Value(b'C', c"x:y"), "-C x: not a positive number"),
            (Opt::Value(RATE, c"5/0"), "--rate 5/0: not a positive number"),
            (Opt::Value(RATE, c"/5"), "--rate /5: not a positive number"),
            (Opt::Value(PROXY, c"10.0.0.0/8,10.0.0.1/8"), "--proxy 10.0.0.1/8: not a network"),
            (Opt::Value(PROXY, c""), "--proxy: not a network"),
            (Opt::Value(LISTEN_FD, c"2"), "--listen-fd 2: not a number above 2"),
        ] {
            let failure = Access::default().take(opt).expect_err("unusable");
            let expected = format!("tcpserver: fatal: unable to use {reason}\n");
            assert_eq!((failure.code, failure.text), (100, expected.into_bytes()));
        }
    }

    #[test]
    fn proxies_are_networks() {
        let access = taken(&[Opt::Value(PROXY, c"10.0.0.0/8,::1")]);
        let networks: Vec<String> = access.proxies.networks().map(|n| n.to_string()).collect();
        assert_eq!(networks, ["10.0.0.0/8", "::1"]);
        assert_eq!(Access::default().proxies.networks().count(), 0);
    }

    #[test]
    fn other_options_are_left_alone() {
        assert_eq!(Access::default().take(Opt::Flag(b'v')), Ok(false));
        assert_eq!(Access::default().take(Opt::Value(b'c', c"1")), Ok(false));
    }
}
