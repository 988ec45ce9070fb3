//! How many connections one client may have, and how often it may come: pure, and of bounded size.
//!
//! Who has IPv6 has 2^64 addresses at least, so a client is a /64 there, and an address of IPv4. A
//! neighbourhood is a /48, and a /24.

mod rate;

use crate::network::{Lengths, Network};
use rate::Rates;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

pub use rate::Rate;

/// What counts as one client.
pub const CLIENT: Lengths = Lengths { ipv4: 32, ipv6: 64 };

/// What counts as one neighbourhood.
pub const NEIGHBOURHOOD: Lengths = Lengths { ipv4: 24, ipv6: 48 };

/// A limit, and what is said to who comes beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<T> {
    /// So many may come.
    pub most: T,
    /// As it was given: `\r`, `\n` and `\\` stand for single bytes.
    pub message: &'static [u8],
}

/// The limits of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Connections of one client at once.
    pub client: Option<Limit<u32>>,
    /// Connections of one neighbourhood at once.
    pub neighbourhood: Option<Limit<u32>>,
    /// Connections of one client in a time.
    pub rate: Option<Limit<Rate>>,
}

/// How many connections there are, the one that is arriving included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Crowd {
    /// Of its client.
    pub client: u32,
    /// Of its neighbourhood.
    pub neighbourhood: u32,
}

/// Why a connection is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// [`Bounds::client`].
    Client(Network, Limit<u32>),
    /// [`Bounds::neighbourhood`].
    Neighbourhood(Network, Limit<u32>),
    /// [`Bounds::rate`].
    Rate(Network, Limit<Rate>),
}

impl Refusal {
    /// What is said to the client.
    #[must_use]
    pub fn message(self) -> Vec<u8> {
        match self {
            Self::Client(_, limit) | Self::Neighbourhood(_, limit) => unescaped(limit.message),
            Self::Rate(_, limit) => unescaped(limit.message),
        }
    }

    /// What is said in the log.
    #[must_use]
    pub fn reason(self) -> String {
        match self {
            Self::Client(network, limit) | Self::Neighbourhood(network, limit) => {
                format!("{} connections from {network}", limit.most)
            }
            Self::Rate(network, Limit { most: Rate { count, period }, .. }) => {
                format!("{count} connections in {} s from {network}", period.as_secs())
            }
        }
    }
}

/// The connections that there are, by where they come from.
#[derive(Debug)]
pub struct Limits {
    bounds: Bounds,
    /// Nobody asks otherwise.
    counts: bool,
    connections: BTreeMap<i32, IpAddr>,
    clients: BTreeMap<Network, u32>,
    neighbourhoods: BTreeMap<Network, u32>,
    rates: Rates,
}

impl Limits {
    /// `counts`: somebody asks for the [`Crowd`] even without bounds.
    #[must_use]
    pub fn new(bounds: Bounds, counts: bool) -> Self {
        Self {
            bounds,
            counts: counts || bounds.client.is_some() || bounds.neighbourhood.is_some(),
            connections: BTreeMap::new(),
            clients: BTreeMap::new(),
            neighbourhoods: BTreeMap::new(),
            rates: Rates::default(),
        }
    }

    /// Whether a connection from this address may be served, at `now` on the monotonic clock. Call
    /// [`Self::started`] if it is.
    ///
    /// # Errors
    /// Why not. It counts for nothing then.
    pub fn arrive(&mut self, ip: IpAddr, now: Duration) -> Result<Crowd, Refusal> {
        let (client, around) = (Network::around(ip, CLIENT), Network::around(ip, NEIGHBOURHOOD));
        let with_this =
            |counts: &BTreeMap<_, u32>, network| counts.get(network).map_or(1, |count| count + 1);
        let crowd = Crowd {
            client: with_this(&self.clients, &client),
            neighbourhood: with_this(&self.neighbourhoods, &around),
        };
        if let Some(limit) = self.bounds.client.filter(|limit| crowd.client > limit.most) {
            return Err(Refusal::Client(client, limit));
        }
        let bound = self.bounds.neighbourhood.filter(|limit| crowd.neighbourhood > limit.most);
        if let Some(limit) = bound {
            return Err(Refusal::Neighbourhood(around, limit));
        }
        match self.bounds.rate {
            Some(limit) if !self.rates.allows(client, limit.most, now) => {
                Err(Refusal::Rate(client, limit))
            }
            Some(_) | None => Ok(crowd),
        }
    }

    /// This process serves a connection from this address.
    pub fn started(&mut self, pid: i32, ip: IpAddr) {
        if self.counts && !self.connections.contains_key(&pid) {
            self.connections.insert(pid, ip);
            *self.clients.entry(Network::around(ip, CLIENT)).or_default() += 1;
            *self.neighbourhoods.entry(Network::around(ip, NEIGHBOURHOOD)).or_default() += 1;
        }
    }

    /// This process has ended.
    pub fn ended(&mut self, pid: i32) {
        let Some(ip) = self.connections.remove(&pid) else { return };
        for (counts, lengths) in
            [(&mut self.clients, CLIENT), (&mut self.neighbourhoods, NEIGHBOURHOOD)]
        {
            let network = Network::around(ip, lengths);
            if let Some(count) = counts.get_mut(&network) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&network);
                }
            }
        }
    }
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let single = match (byte, after.first()) {
            (b'\\', Some(b'r')) => b'\r',
            (b'\\', Some(b'n')) => b'\n',
            (b'\\', Some(b'\\')) => b'\\',
            _ => {
                bytes.push(*byte);
                continue;
            }
        };
        bytes.push(single);
        rest = &after[1..];
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T0: Duration = Duration::from_secs(1000);

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn bounds(client: u32, neighbourhood: u32) -> Bounds {
        let limit = |most| Some(Limit { most, message: &b"full\\r\\n"[..] });
        Bounds { client: limit(client), neighbourhood: limit(neighbourhood), rate: None }
    }

    #[test]
    fn a_client_has_so_many_and_no_more() {
        let mut limits = Limits::new(bounds(2, 3), false);
        let crowd = |client, neighbourhood| Ok(Crowd { client, neighbourhood });
        assert_eq!(limits.arrive(ip("192.0.2.1"), T0), crowd(1, 1));
        limits.started(1, ip("192.0.2.1"));
        assert_eq!(limits.arrive(ip("::ffff:192.0.2.1"), T0), crowd(2, 2));
        limits.started(2, ip("::ffff:192.0.2.1"));
        let refusal = limits.arrive(ip("192.0.2.1"), T0).expect_err("too many");
        assert_eq!(refusal.reason(), "2 connections from 192.0.2.1");
        assert_eq!(refusal.message(), b"full\r\n");
        limits.started(3, ip("192.0.2.2"));
        let refusal = limits.arrive(ip("192.0.2.3"), T0).expect_err("too many");
        assert_eq!(refusal.reason(), "3 connections from 192.0.2.0/24");
        assert_eq!(limits.arrive(ip("192.0.3.1"), T0), crowd(1, 1));
        limits.ended(1);
        limits.ended(1);
        assert_eq!(limits.arrive(ip("192.0.2.1"), T0), crowd(2, 3));
    }

    #[test]
    fn an_ipv6_client_is_a_network() {
        let mut limits = Limits::new(bounds(1, 2), false);
        limits.started(1, ip("2001:db8:1:2::1"));
        let refusal = limits.arrive(ip("2001:db8:1:2:ffff::1"), T0).expect_err("the same client");
        assert_eq!(refusal.reason(), "1 connections from 2001:db8:1:2::/64");
        limits.started(2, ip("2001:db8:1:3::1"));
        let refusal = limits.arrive(ip("2001:db8:1:4::1"), T0).expect_err("the same neighbours");
        assert_eq!(refusal.reason(), "2 connections from 2001:db8:1::/48");
        assert!(limits.arrive(ip("2001:db8:2::1"), T0).is_ok());
    }

    #[test]
    fn without_anybody_who_asks_nothing_is_kept() {
        let mut limits = Limits::new(Bounds::default(), false);
        limits.started(1, ip("192.0.2.1"));
        assert!(limits.connections.is_empty() && limits.clients.is_empty());
    }

    #[test]
    fn messages() {
        assert_eq!(unescaped(b"421 busy\\r\\n"), b"421 busy\r\n");
        assert_eq!(unescaped(b"a\\\\r\\x\\"), b"a\\r\\x\\");
    }

    proptest! {
        #[test]
        fn the_counts_are_those_of_the_connections(
            steps in proptest::collection::vec((any::<bool>(), 0_i32..8, 0_u32..6), 0..60)
        ) {
            let mut limits = Limits::new(Bounds::default(), true);
            for (starts, pid, address) in steps {
                if starts {
                    limits.started(pid, IpAddr::V4((0x0a00_0000 + address * 100).into()));
                } else {
                    limits.ended(pid);
                }
                let running = u32::try_from(limits.connections.len()).expect("few");
                prop_assert_eq!(limits.clients.values().sum::<u32>(), running);
                prop_assert_eq!(limits.neighbourhoods.values().sum::<u32>(), running);
                prop_assert!(limits.clients.values().all(|count| *count > 0));
            }
        }
    }
}
