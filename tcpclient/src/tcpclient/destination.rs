//! Where to: the host's addresses, and the port.

use super::NAME;
use super::options::Options;
use alloc::vec::Vec;
use common::{Exit, Failure, number};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::time::Duration;
use dns::{Families, Resolver, services};

/// How long looking up the host may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A number, or the name of a service.
pub(super) fn port(text: &[u8]) -> Result<u16, Failure> {
    let port = match number::whole(text) {
        Some(number) => u16::try_from(number).ok(),
        None => services::tcp_port(services::FILE, text),
    };
    let parts = [b"unable to figure out port number for ", text];
    port.ok_or_else(|| NAME.fatal(Exit::TEMPORARY.0, &parts))
}

/// The addresses to be tried, in order; never none. `0` and nothing stand for this host.
pub(super) fn addresses(
    host: &[u8],
    options: &Options,
    resolver: &mut Resolver,
) -> Result<Vec<IpAddr>, Failure> {
    let mut found = match host {
        b"" | b"0" => [this_host(options.families)].into(),
        host => {
            let deadline = sys::clock::monotonic() + PATIENCE;
            let found = resolver.name_to_addresses(host, options.families, deadline);
            found.map_err(|why| why.no_address(NAME, host))?
        }
    };
    // From an address of ours, only those of its family can be reached.
    if let Some(local) = options.local.address.filter(|local| !local.is_unspecified()) {
        found.retain(|address| address.is_ipv4() == local.is_ipv4());
    }
    match found.is_empty() {
        true => Err(dns::Unresolved::Unknown.no_address(NAME, host)),
        false => Ok(found),
    }
}

fn this_host(families: Families) -> IpAddr {
    match families {
        Families::V6 => Ipv6Addr::LOCALHOST.into(),
        Families::V4 | Families::V4First | Families::V6First => Ipv4Addr::LOCALHOST.into(),
    }
}
