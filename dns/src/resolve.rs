//! One question on its way from server to server, without any input or output: what to send where,
//! how long to wait, and what to make of what comes.
//!
//! Round by round, each server is asked by UDP and waited for. One that says that it can't or won't
//! answer, that is malformed, or that can't be reached, isn't asked again; a silent one is, in the
//! next round, which is more patient. A truncated answer is asked for again by TCP, of the same
//! server.

use crate::message::{self, Answer, Question, Reading};
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;
use sys::Errno;

/// A question by TCP is waited for at least so long: connecting takes a round trip more, and the
/// server has said that there is an answer.
const TCP_WAIT: Duration = Duration::from_secs(10);

/// A question under way.
#[derive(Debug)]
pub struct Lookup {
    question: Question,
    servers: Vec<Server>,
    waits: Vec<Duration>,
    round: usize,
    /// The server that is asked.
    turn: usize,
    /// The server that each round begins with.
    first: usize,
    transport: Transport,
    always: Transport,
    id: u16,
    until: Duration,
    deadline: Duration,
    last: Errno,
}

#[derive(Debug)]
struct Server {
    address: SocketAddr,
    given_up: bool,
}

/// How a question travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A datagram.
    Udp,
    /// A connection, each message after its length in two bytes.
    Tcp,
}

/// Whom to ask, and how.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// In order; at least one.
    pub servers: &'a [SocketAddr],
    /// The one to begin with; any number.
    pub first: usize,
    /// How long each is waited for, round by round.
    pub waits: &'a [Duration],
    /// What a question is sent by at first.
    pub transport: Transport,
    /// When all must be over, on the monotonic clock.
    pub deadline: Duration,
}

/// What to send: the question, under a fresh id (see [`Lookup::query`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// Where to.
    pub server: SocketAddr,
    /// How.
    pub transport: Transport,
    /// How long to wait for an answer, on the monotonic clock.
    pub until: Duration,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A message came from the server that was asked.
    Message(&'a [u8]),
    /// The server can't be reached, or the connection broke.
    Unreachable(Errno),
    /// Time has gone by.
    Time,
}

/// What to do then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Go on waiting.
    Wait,
    /// Let go of what was sent before, and send this.
    Ask(Ask),
    /// An answer; or why there is none: `ETIMEDOUT`, `EAGAIN` (servers that can't or won't),
    /// `EPROTO` (nonsense), or what a system call said.
    Done(Result<Answer, Errno>),
}

impl Lookup {
    /// Begins.
    pub fn new(question: Question, plan: &Plan<'_>, now: Duration) -> (Self, Next) {
        let count = plan.servers.len().max(1);
        let server = |address: &SocketAddr| Server { address: *address, given_up: false };
        let mut lookup = Self {
            question,
            servers: plan.servers.iter().map(server).collect(),
            waits: plan.waits.to_vec(),
            round: 0,
            turn: plan.first % count,
            first: plan.first % count,
            transport: plan.transport,
            always: plan.transport,
            id: 0,
            until: now,
            deadline: plan.deadline,
            last: Errno::TIMEDOUT,
        };
        let next = if lookup.servers.is_empty() || lookup.waits.is_empty() {
            Next::Done(Err(Errno::DESTADDRREQ))
        } else {
            lookup.ask(now)
        };
        (lookup, next)
    }

    /// The message to send. `id` must be one that nobody can guess, and new for each [`Ask`]; an
    /// answer under another one doesn't count from now on.
    pub fn query(&mut self, id: u16) -> Vec<u8> {
        self.id = id;
        self.question.query(id)
    }

    /// When to come back with [`Event::Time`] at the latest.
    #[must_use]
    pub fn until(&self) -> Duration {
        self.until
    }

    /// From now on, no more patience than that.
    pub fn hurry(&mut self, deadline: Duration) {
        self.deadline = self.deadline.min(deadline);
        self.until = self.until.min(deadline);
    }

    /// Tells what to do after `event`.
    pub fn handle(&mut self, event: Event<'_>, now: Duration) -> Next {
        let reading = match event {
            Event::Message(message) => message::read(message, &self.question, self.id),
            Event::Unreachable(errno) => return self.give_up_server(errno, now),
            Event::Time if now < self.until => return Next::Wait,
            Event::Time => return self.out_of_patience(now),
        };
        match (reading, self.transport) {
            (Reading::Answer(answer), _) => Next::Done(Ok(answer)),
            (Reading::Failed, _) => self.give_up_server(Errno::AGAIN, now),
            (Reading::Truncated, Transport::Udp) => {
                self.transport = Transport::Tcp;
                self.ask(now)
            }
            // Anybody can send a datagram with the server's address: the true answer may follow.
            (Reading::Foreign, Transport::Udp) if now < self.until => Next::Wait,
            (Reading::Foreign, Transport::Udp) => self.out_of_patience(now),
            (Reading::Malformed, _) | (Reading::Truncated | Reading::Foreign, Transport::Tcp) => {
                self.give_up_server(Errno::PROTO, now)
            }
        }
    }

    /// Asks the server whose turn it is.
    fn ask(&mut self, now: Duration) -> Next {
        let Some(wait) = self.waits.get(self.round).filter(|_| now < self.deadline) else {
            return Next::Done(Err(self.last));
        };
        let wait = match self.transport {
            Transport::Udp => *wait,
            Transport::Tcp => TCP_WAIT.max(*wait),
        };
        self.until = (now + wait).min(self.deadline);
        let server = self.servers[self.turn].address;
        Next::Ask(Ask { server, transport: self.transport, until: self.until })
    }

    fn out_of_patience(&mut self, now: Duration) -> Next {
        if self.transport == Transport::Tcp {
            return self.give_up_server(Errno::TIMEDOUT, now);
        }
        self.last = Errno::TIMEDOUT;
        self.ask_next(now)
    }

    fn give_up_server(&mut self, errno: Errno, now: Duration) -> Next {
        self.servers[self.turn].given_up = true;
        self.last = errno;
        self.ask_next(now)
    }

    /// The next server of this round that wasn't given up, or the first of the next round.
    fn ask_next(&mut self, now: Duration) -> Next {
        self.transport = self.always;
        if self.servers.iter().all(|server| server.given_up) {
            return Next::Done(Err(self.last));
        }
        loop {
            self.turn = (self.turn + 1) % self.servers.len();
            if self.turn == self.first {
                self.round += 1;
            }
            if self.round >= self.waits.len() {
                return Next::Done(Err(self.last));
            }
            if !self.servers[self.turn].given_up {
                return self.ask(now);
            }
        }
    }
}

#[cfg(test)]
mod tests;
