//! The way that messages go, whichever it is.

use super::delivery::Delivery;
use super::destination::Destination;
use super::request::Request;
use super::stream::Stream;
use super::udp::Udp;
use alloc::{boxed::Box, vec::Vec};
use sys::poll::{PollFd, PollFlags};
use sys::signal::SignalSet;
use sys::{Args, Env, Errno};

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Sent,
    /// The same message is to be sent again, once what [`Way::watch`] watches is ready.
    Busy,
    /// Nobody listens; what [`Way::lost`] counts, and this message, are to be sent again after a while.
    Away(Errno),
}

/// The ways there are.
pub(super) enum Way {
    /// A socket of this host.
    Local(Delivery),
    Udp(Box<Udp>),
    /// TCP, and TLS.
    Stream(Stream),
}

impl Way {
    pub(super) fn to(request: &Request, args: Args, env: Env, mask: SignalSet) -> Self {
        match &request.destination {
            Destination::Local(address) => Self::Local(Delivery::new(address.clone())),
            Destination::Journal(address) => Self::Local(Delivery::to_journal(address.clone())),
            Destination::Udp(server) => Self::Udp(Box::new(Udp::new(server.clone(), env))),
            Destination::Tcp(server) => {
                Self::Stream(Stream::new(server.clone(), None, args, env, mask))
            }
            Destination::Tls(server) => {
                let tls = Some(request.tls.clone());
                Self::Stream(Stream::new(server.clone(), tls, args, env, mask))
            }
        }
    }

    /// Sends one message, connecting first where that is needed. What a stream takes is sent with [`Self::flush`].
    pub(super) fn send(&mut self, packet: &[u8]) -> Outcome {
        match self {
            Self::Local(delivery) => delivery.send(packet),
            Self::Udp(udp) => udp.send(packet),
            Self::Stream(stream) => stream.send(packet),
        }
    }

    /// Sends what was taken and not sent yet.
    pub(super) fn flush(&mut self) -> Outcome {
        match self {
            Self::Local(_) | Self::Udp(_) => Outcome::Sent,
            Self::Stream(stream) => stream.flush(),
        }
    }

    /// After [`Outcome::Sent`]: whether somebody is known to listen, as far as that can be.
    pub(super) fn is_heard(&self) -> bool {
        match self {
            Self::Local(_) | Self::Stream(_) => true,
            Self::Udp(udp) => udp.is_trusted(),
        }
    }

    /// How many of the messages that were sent last may still be lost, as far as that is known; `look`: is looked up
    /// now.
    pub(super) fn unconfirmed(&mut self, look: bool) -> usize {
        match self {
            Self::Local(_) => 0,
            Self::Udp(udp) => udp.unconfirmed(),
            Self::Stream(stream) => stream.unconfirmed(look),
        }
    }

    /// After [`Outcome::Away`]: how many of the messages that were sent last are to be sent again.
    pub(super) fn lost(&mut self) -> usize {
        match self {
            Self::Local(_) => 0,
            Self::Udp(udp) => udp.lost(),
            Self::Stream(stream) => stream.lost(),
        }
    }

    /// Nothing more is going to be sent: tells the other side, so that it can confirm all by its own end.
    pub(super) fn close(&mut self) {
        if let Self::Stream(stream) = self {
            stream.close();
        }
    }

    /// Adds what to wait for. `held`: [`Outcome::Busy`] was the last outcome.
    pub(super) fn watch<'a>(&'a self, held: bool, fds: &mut Vec<PollFd<'a>>) {
        match self {
            Self::Local(delivery) if held => {
                let socket = delivery.socket();
                fds.extend(socket.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::OUT)));
            }
            Self::Local(_) => {}
            Self::Udp(udp) => udp.watch(held, fds),
            Self::Stream(stream) => stream.watch(fds),
        }
    }

    /// What was watched is ready. `Some`: nobody listens any more.
    pub(super) fn attend(&mut self) -> Option<Errno> {
        match self {
            Self::Local(_) => None,
            Self::Udp(udp) => udp.attend(),
            Self::Stream(stream) => stream.attend(),
        }
    }
}
