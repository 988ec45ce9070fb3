//! What the host and port arguments lead to.

use crate::address::Host;
use crate::options::{NAME, Options};
use common::{Exit, Failure, number};
use dns::{Environment, Families, Places, Resolver, services};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use sys::{Env, clock};

/// How long the host's name may take to be looked up: as long as the original's four rounds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where to listen.
///
/// # Errors
/// An unknown host or port, exit code 111. The port is looked up first, as in the original.
pub fn listen_address(options: &Options, env: Env) -> Result<SocketAddr, Failure> {
    let port = port(options.port)?;
    Ok(SocketAddr::new(ip(options, env)?, port))
}

/// The port argument: a number, or the name of a service. (The original counts beyond 65535 in a circle.)
///
/// # Errors
/// An unknown port, exit code 111.
pub fn port(text: &[u8]) -> Result<u16, Failure> {
    let port = match number::whole(text) {
        Some(number) => u16::try_from(number).ok(),
        None => services::tcp_port(services::FILE, text),
    };
    port.ok_or_else(|| {
        NAME.fatal(Exit::TEMPORARY.0, &[b"unable to figure out port number for ", text])
    })
}

fn ip(options: &Options, env: Env) -> Result<IpAddr, Failure> {
    match Host::parse(options.host) {
        Host::Any if options.families == Families::V6First => Ok(Ipv6Addr::UNSPECIFIED.into()),
        Host::Any => Ok(Ipv4Addr::UNSPECIFIED.into()),
        Host::Address(address) => Ok(address),
        Host::Name(name) => {
            let mut resolver = Resolver::new(Places::default(), Environment::from(env));
            let deadline = clock::monotonic() + PATIENCE;
            resolver
                .name_to_addresses(name, options.families, deadline)
                .and_then(|found| found.first().copied().ok_or(dns::Unresolved::Unknown))
                .map_err(|why| why.no_address(NAME, name))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ports() {
        assert_eq!(port(b"0"), Ok(0));
        assert_eq!(port(b"0110"), Ok(110));
        assert_eq!(port(b"65535"), Ok(65535));
    }

    #[test]
    fn what_is_no_port_is_said() {
        for text in ["65536", "99999999999999999999", "-1", "", "4321x", "no such service"] {
            let failure = port(text.as_bytes()).expect_err("no port");
            let expected =
                format!("tcpserver: fatal: unable to figure out port number for {text}\n");
            assert_eq!(failure.text, expected.as_bytes());
            assert_eq!(failure.code, 111);
        }
    }
}
