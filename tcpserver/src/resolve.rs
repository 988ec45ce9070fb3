//! What the host and port arguments lead to, and the name of the local host. The files are read
//! here; what they mean is for [`crate::hosts`] and [`crate::services`].

use crate::address::Host;
use crate::options::{NAME, Options};
use crate::{hosts, services};
use common::{Exit, Failure, number};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where to listen.
///
/// # Errors
/// An unknown host or port, exit code 111. The port is looked up first, as in the original.
pub fn listen_address(options: &Options) -> Result<SocketAddr, Failure> {
    let port = port(options.port)?;
    Ok(SocketAddr::new(ip(options)?, port))
}

/// A number, or the name of a service. (The original counts beyond 65535 in a circle.)
fn port(text: &[u8]) -> Result<u16, Failure> {
    let port = match number::whole(text) {
        Some(number) => u16::try_from(number).ok(),
        None => services::tcp_port(&read(services::FILE), text),
    };
    port.ok_or_else(|| {
        NAME.fatal(Exit::TEMPORARY.0, &[b"unable to figure out port number for ", text])
    })
}

fn ip(options: &Options) -> Result<IpAddr, Failure> {
    match Host::parse(options.host) {
        Host::Any if options.prefer_ipv6 => Ok(Ipv6Addr::UNSPECIFIED.into()),
        Host::Any => Ok(Ipv4Addr::UNSPECIFIED.into()),
        Host::Address(address) => Ok(address),
        Host::Name(name) => hosts::address(&read(hosts::FILE), name, options.prefer_ipv6)
            .ok_or_else(|| NAME.fatal(Exit::TEMPORARY.0, &[b"no IP address for ", name])),
    }
}

/// The local host's name, for whatever local address a connection has.
pub enum LocalName {
    /// As given with `-l`.
    Given(&'static [u8]),
    /// As the hosts file, whose text this is, has it.
    LookedUp(Vec<u8>),
}

impl LocalName {
    /// `-l`, or else the hosts file as it is now.
    #[must_use]
    pub fn new(given: Option<&'static [u8]>) -> Self {
        given.map_or_else(|| Self::LookedUp(read(hosts::FILE)), Self::Given)
    }

    /// The name of the host with this address, if it is known.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Option<&[u8]> {
        match self {
            Self::Given(name) => Some(name),
            Self::LookedUp(hosts) => hosts::name(hosts, address),
        }
    }
}

/// A file that can't be read knows no names.
fn read(file: &str) -> Vec<u8> {
    fs::read(file).unwrap_or_default()
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

    #[test]
    fn a_given_name_counts_for_every_address() {
        let name = LocalName::new(Some(b"0"));
        assert_eq!(name.of(Ipv4Addr::LOCALHOST.into()), Some(&b"0"[..]));
        let name = LocalName::LookedUp(b"127.0.0.1 here\n".to_vec());
        assert_eq!(name.of(Ipv4Addr::LOCALHOST.into()), Some(&b"here"[..]));
        assert_eq!(name.of(Ipv6Addr::LOCALHOST.into()), None);
    }
}
