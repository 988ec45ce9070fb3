//! The way by UDP (RFC 5426): a message is a datagram, and nobody says that it has arrived. What a host says is that
//! nobody listens.

use super::destination::Server;
use super::way::Outcome;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use dns::{Environment, Families, Places, Resolver, Unresolved};
use sys::clock::monotonic;
use sys::net::{
    AddressFamily, SendFlags, SocketFlags, SocketType, connect, send, socket_with, sockopt,
};
use sys::poll::{PollFd, PollFlags};
use sys::{AsFd, Env, Errno, OwnedFd};

/// How long looking up the host may take. Nothing else is done meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// After a name that nobody knows, so long none is looked up.
const PAUSE: Duration = Duration::from_secs(10);

/// After a refusal, the next datagram is alone for so long: if it is refused, too, it isn't lost.
const PROBE: Duration = Duration::from_millis(400);

pub(super) struct Udp {
    server: Server,
    resolver: Resolver,
    socket: Option<OwnedFd>,
    trust: Trust,
    /// Nothing is tried before.
    pause: Duration,
    /// Why.
    reason: Errno,
}

/// What is known about who listens.
#[derive(Clone, Copy)]
enum Trust {
    /// Nothing, or that nobody did.
    None,
    /// A datagram was sent, and isn't refused until then.
    Until(Duration),
    /// Somebody does, or nobody tells.
    Full,
}

impl Udp {
    pub(super) fn new(server: Server, env: Env) -> Self {
        let resolver = Resolver::new(Places::default(), Environment::from(env));
        let (pause, reason) = (Duration::ZERO, Errno::NOTCONN);
        Self { server, resolver, socket: None, trust: Trust::None, pause, reason }
    }

    pub(super) fn send(&mut self, packet: &[u8]) -> Outcome {
        if monotonic() < self.pause {
            return Outcome::Away(self.reason);
        }
        match self.try_to(packet) {
            Ok(()) => Outcome::Sent,
            Err(Errno::AGAIN) => Outcome::Busy,
            Err(errno) => Outcome::Away(self.refused(errno)),
        }
    }

    fn try_to(&mut self, packet: &[u8]) -> Result<(), Errno> {
        if self.socket.is_none() {
            self.socket = Some(self.open()?);
        }
        let socket = self.socket.as_ref().ok_or(Errno::NOTCONN)?;
        let trust = match self.trust {
            Trust::None => Trust::Until(monotonic() + PROBE),
            Trust::Until(time) => {
                sockopt::socket_error(socket)??;
                if monotonic() < time {
                    return Err(Errno::AGAIN);
                }
                Trust::Full
            }
            Trust::Full => Trust::Full,
        };
        loop {
            match send(socket, packet, SendFlags::NOSIGNAL) {
                Err(Errno::INTR) => {}
                outcome => {
                    outcome?;
                    self.trust = trust;
                    return Ok(());
                }
            }
        }
    }

    fn open(&mut self) -> Result<OwnedFd, Errno> {
        let (host, deadline) = (self.server.host.to_bytes(), monotonic() + PATIENCE);
        let found = self.resolver.name_to_addresses(host, Families::V4First, deadline);
        let address = match found.as_deref() {
            Ok([first, ..]) => *first,
            Ok([]) | Err(Unresolved::Unknown) => return Err(self.unknown(Errno::HOSTUNREACH)),
            Err(Unresolved::Temporary(errno)) => return Err(self.unknown(*errno)),
        };
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = socket_with(family, SocketType::DGRAM, flags, None)?;
        connect(&socket, &SocketAddr::new(address, self.server.port))?;
        Ok(socket)
    }

    /// `EAGAIN` would seem to be the socket's.
    fn unknown(&mut self, errno: Errno) -> Errno {
        self.pause = monotonic() + PAUSE;
        if errno == Errno::AGAIN { Errno::HOSTUNREACH } else { errno }
    }

    /// After a while, with another look at the name: it may have moved.
    fn refused(&mut self, errno: Errno) -> Errno {
        self.socket = None;
        self.pause = self.pause.max(monotonic() + PROBE);
        self.reason = errno;
        errno
    }

    pub(super) fn is_trusted(&self) -> bool {
        matches!(self.trust, Trust::Full)
    }

    /// Somebody has said that nobody listens.
    pub(super) fn attend(&mut self) -> Option<Errno> {
        let outcome = sockopt::socket_error(self.socket.as_ref()?);
        let errno = outcome.and_then(|outcome| outcome).err()?;
        Some(self.refused(errno))
    }

    pub(super) fn unconfirmed(&mut self) -> usize {
        if let Trust::Until(time) = self.trust
            && monotonic() >= time
            && let Some(socket) = &self.socket
            && matches!(sockopt::socket_error(socket), Ok(Ok(())))
        {
            self.trust = Trust::Full;
        }
        usize::from(matches!(self.trust, Trust::Until(_)))
    }

    pub(super) fn lost(&mut self) -> usize {
        let alone = matches!(self.trust, Trust::Until(_));
        self.trust = Trust::None;
        usize::from(alone)
    }

    pub(super) fn watch<'a>(&'a self, held: bool, fds: &mut Vec<PollFd<'a>>) {
        if let Some(socket) = &self.socket {
            // An error shows in any case.
            let flags = match self.trust {
                Trust::Full if held => PollFlags::OUT,
                Trust::Full | Trust::Until(_) | Trust::None => PollFlags::empty(),
            };
            fds.push(PollFd::from_borrowed_fd(socket.as_fd(), flags));
        }
    }
}
