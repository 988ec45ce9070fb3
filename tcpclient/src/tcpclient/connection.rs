//! Making a connection, in a given time.

use super::NAME;
use super::options::Local;
use crate::socket;
use common::{Exit, Failure};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use core::time::Duration;
use sys::clock::monotonic;
use sys::net::sockopt;
use sys::{Errno, OwnedFd};

/// A connection that stands, and its two ends.
pub(super) struct Connection {
    pub(super) socket: OwnedFd,
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
}

/// Why there is none.
pub(super) enum Refused {
    /// Another address may do.
    There(Errno),
    /// This host can't do it, whatever the address.
    ByUs(Failure),
}

impl Connection {
    /// Connects to `remote`, from our end `local`, within `wait`.
    pub(super) fn open(remote: SocketAddr, local: Local, wait: Duration) -> Result<Self, Refused> {
        let ours = |what: &'static [u8]| {
            move |errno| Refused::ByUs(NAME.fatal_errno(Exit::TEMPORARY.0, &[what], errno))
        };
        let socket = socket::open(remote).map_err(ours(b"unable to create socket"))?;
        if let Some(end) = local.end(remote) {
            sys::net::bind(&socket, &end).map_err(ours(b"unable to bind socket"))?;
        }
        socket::connect(&socket, remote, monotonic() + wait).map_err(Refused::There)?;
        let local = sys::net::getsockname(&socket)
            .and_then(|address| SocketAddr::try_from(address).map_err(|_| Errno::AFNOSUPPORT))
            .map_err(ours(b"unable to get local address"))?;
        sys::io::ioctl_fionbio(&socket, false).map_err(ours(b"unable to prepare socket"))?;
        Ok(Self { socket, local, remote })
    }

    /// Small pieces are sent as they are written. Without that it works, too.
    pub(super) fn send_at_once(&self) {
        let _ = sockopt::set_tcp_nodelay(&self.socket, true);
    }
}

impl Local {
    /// Our end of a connection to `remote`, if it isn't all the system's to choose.
    fn end(self, remote: SocketAddr) -> Option<SocketAddr> {
        let any: IpAddr = match remote {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let address = self.address.filter(|address| !address.is_unspecified());
        let chosen = address.is_some() || self.port != 0;
        chosen.then(|| SocketAddr::new(address.unwrap_or(any), self.port))
    }
}
