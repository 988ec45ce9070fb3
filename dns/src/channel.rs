//! A socket to one server, for one question.

use crate::resolve::{Ask, Transport};
use alloc::vec::Vec;
use sys::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, connect, recv, send, socket_with,
    sockopt,
};
use sys::poll::PollFlags;
use sys::{BorrowedFd, Errno, OwnedFd};

/// No answer by UDP is longer: there is no EDNS. Some servers send more than 512 bytes all the same.
const LONGEST_DATAGRAM: usize = 4096;

/// Bytes of a length before a message on a connection.
const PREFIX: usize = 2;

/// A socket, and what has come through it.
pub(crate) struct Channel {
    fd: OwnedFd,
    state: State,
    /// A datagram; or, of a connection, what has come so far, its length first.
    received: Vec<u8>,
}

enum State {
    Datagram,
    /// What remains of the question to be sent, and whether the connection is known to stand.
    Sending {
        question: Vec<u8>,
        connected: bool,
    },
    Receiving,
}

/// What a channel has come to.
pub(crate) enum Progress<'a> {
    Pending,
    Message(&'a [u8]),
    Failed(Errno),
}

impl Channel {
    /// Opens a socket and sends the question, or begins to. The kernel gives each socket a port of
    /// its own choice, at random, and being connected, it lets in what comes from the server only.
    pub(crate) fn open(ask: &Ask, question: &[u8]) -> Result<Self, Errno> {
        let family = if ask.server.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let kind = match ask.transport {
            Transport::Udp => SocketType::DGRAM,
            Transport::Tcp => SocketType::STREAM,
        };
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(family, kind, flags, None)?;
        match connect(&fd, &ask.server) {
            // Interrupted or not, the connection is under way.
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        let state = match ask.transport {
            Transport::Udp => {
                send_some(&fd, question)?;
                State::Datagram
            }
            Transport::Tcp => {
                // A question has 271 bytes at most.
                let length = question.len() as u16;
                let question = [&length.to_be_bytes(), question].concat();
                State::Sending { question, connected: false }
            }
        };
        Ok(Self { fd, state, received: Vec::new() })
    }

    /// One that has sent its question on a connection.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn receiving(fd: OwnedFd) -> Self {
        Self { fd, state: State::Receiving, received: Vec::new() }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        sys::AsFd::as_fd(&self.fd)
    }

    /// What the channel waits for.
    pub(crate) fn waits_for(&self) -> PollFlags {
        match self.state {
            State::Datagram | State::Receiving => PollFlags::IN,
            State::Sending { .. } => PollFlags::OUT,
        }
    }

    /// Goes on, once that has come.
    pub(crate) fn progress(&mut self) -> Progress<'_> {
        let message = match self.state {
            State::Datagram => self.datagram(),
            State::Sending { .. } => self.send().map(|()| None),
            State::Receiving => self.receive(),
        };
        match message {
            Ok(Some(start)) => Progress::Message(&self.received[start..]),
            Ok(None) | Err(Errno::AGAIN | Errno::INTR) => Progress::Pending,
            Err(errno) => Progress::Failed(errno),
        }
    }

    fn datagram(&mut self) -> Result<Option<usize>, Errno> {
        self.received.resize(LONGEST_DATAGRAM, 0);
        let (length, _) = recv(&self.fd, self.received.as_mut_slice(), RecvFlags::empty())?;
        self.received.truncate(length);
        Ok(Some(0))
    }

    fn send(&mut self) -> Result<(), Errno> {
        let State::Sending { question, connected } = &mut self.state else { return Ok(()) };
        if !*connected {
            sockopt::socket_error(&self.fd)??;
            *connected = true;
        }
        let sent = send_some(&self.fd, question)?;
        question.drain(..sent);
        if question.is_empty() {
            self.state = State::Receiving;
        }
        Ok(())
    }

    /// First the length, then as much; where the message begins once it is whole.
    fn receive(&mut self) -> Result<Option<usize>, Errno> {
        loop {
            let held = self.received.len();
            let wanted = match *self.received {
                [high, low, ..] => PREFIX + usize::from(u16::from_be_bytes([high, low])),
                _ => PREFIX,
            };
            if held >= PREFIX && held == wanted {
                return Ok(Some(PREFIX));
            }
            self.received.resize(wanted, 0);
            let read = recv(&self.fd, &mut self.received[held..], RecvFlags::empty());
            self.received.truncate(held + read.map_or(0, |(length, _)| length));
            match read {
                // Cut short.
                Ok((0, _)) => return Err(Errno::PROTO),
                Ok(_) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

fn send_some(fd: &OwnedFd, bytes: &[u8]) -> Result<usize, Errno> {
    loop {
        match send(fd, bytes, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
