//! The way by TCP (RFC 6587, octet counting) and TLS (RFC 5425): a connection that tcpclient makes, and a copy of
//! this program, which tcpclient runs, hands over. What is sent is kept until the other host has it.

mod attempt;
mod connection;
mod frames;

use super::destination::Server;
use super::way::Outcome;
use alloc::vec::Vec;
use attempt::{Attempt, Order, reap};
use common::decimal;
use connection::Connection;
use core::ffi::CStr;
use core::time::Duration;
use frames::Frames;
use sys::clock::monotonic;
use sys::poll::{PollFd, PollFlags};
use sys::signal::{Signal, SignalSet};
use sys::{Args, Env, Errno, OwnedFd};

/// Frames are collected up to so many bytes, and written at once.
const COLLECTED: usize = 16 * 1024;

/// So many bytes may be on their way before the kernel is asked what of them has arrived: that costs a call.
const LOOK: u64 = 32 * 1024;

/// Two attempts to connect begin at least so long after each other, and each failure doubles that.
const SHORTEST: Duration = Duration::from_millis(500);

/// It isn't doubled beyond this.
const LONGEST: Duration = Duration::from_secs(16);

pub(super) struct Stream {
    order: Order,
    state: State,
    frames: Frames,
    /// What was collected and not written.
    unwritten: Vec<u8>,
    /// No attempt before.
    earliest: Duration,
    /// How long after a failure that is.
    pause: Duration,
    /// Why there is no connection.
    reason: Errno,
    /// tcpclient has told its reason in this outage.
    told: bool,
}

enum State {
    Idle,
    Connecting(Attempt),
    Open(Connection),
}

impl Stream {
    pub(super) fn new(
        server: Server,
        tls: Option<Vec<&'static CStr>>,
        args: Args,
        env: Env,
        mask: SignalSet,
    ) -> Self {
        // A relay's pipe has no other way to say that nobody reads.
        sys::signal::ignore(Signal::PIPE);
        Self {
            order: Order { server, tls, args, env, mask },
            state: State::Idle,
            frames: Frames::default(),
            unwritten: Vec::new(),
            earliest: Duration::ZERO,
            pause: SHORTEST,
            reason: Errno::NOTCONN,
            told: false,
        }
    }

    pub(super) fn send(&mut self, packet: &[u8]) -> Outcome {
        match &self.state {
            State::Idle if monotonic() < self.earliest => Outcome::Away(self.reason),
            State::Idle => match self.connect() {
                Ok(()) => Outcome::Busy,
                Err(errno) => {
                    self.wait_longer(true);
                    Outcome::Away(errno)
                }
            },
            State::Connecting(_) => Outcome::Busy,
            State::Open(_) => {
                if self.unwritten.len() >= COLLECTED {
                    match self.flush() {
                        Outcome::Sent => {}
                        held @ (Outcome::Busy | Outcome::Away(_)) => return held,
                    }
                }
                let length = decimal(packet.len() as u64);
                self.unwritten.extend_from_slice(length.as_bytes());
                self.unwritten.push(b' ');
                self.unwritten.extend_from_slice(packet);
                self.frames.add(length.as_bytes().len() + 1 + packet.len());
                Outcome::Sent
            }
        }
    }

    pub(super) fn flush(&mut self) -> Outcome {
        let State::Open(connection) = &self.state else { return Outcome::Sent };
        while !self.unwritten.is_empty() {
            match connection.write(&self.unwritten) {
                Ok(count) => {
                    self.unwritten.drain(..count);
                    self.frames.written(count);
                }
                Err(Errno::AGAIN) => return Outcome::Busy,
                Err(errno) => {
                    self.disconnect(errno);
                    return Outcome::Away(errno);
                }
            }
        }
        Outcome::Sent
    }

    pub(super) fn unconfirmed(&mut self, look: bool) -> usize {
        if look || self.frames.bytes() > LOOK {
            self.confirm();
        }
        self.frames.count()
    }

    pub(super) fn lost(&mut self) -> usize {
        self.frames.clear()
    }

    /// Takes note of what has arrived.
    fn confirm(&mut self) {
        let State::Open(connection) = &self.state else { return };
        if let Ok(left) = connection.unconfirmed()
            && self.frames.confirm(left)
        {
            self.pause = SHORTEST;
        }
    }

    pub(super) fn close(&mut self) {
        if let State::Open(connection) = &mut self.state
            && self.unwritten.is_empty()
        {
            connection.close();
        }
    }

    pub(super) fn watch<'a>(&'a self, fds: &mut Vec<PollFd<'a>>) {
        match &self.state {
            State::Idle => {}
            State::Connecting(attempt) => {
                fds.push(PollFd::from_borrowed_fd(attempt.control(), PollFlags::IN));
            }
            State::Open(connection) => {
                fds.push(PollFd::from_borrowed_fd(connection.input(), PollFlags::IN));
                if !self.unwritten.is_empty() {
                    fds.push(PollFd::from_borrowed_fd(connection.output(), PollFlags::OUT));
                }
            }
        }
    }

    pub(super) fn attend(&mut self) -> Option<Errno> {
        let reason = match &self.state {
            State::Idle => return None,
            State::Connecting(attempt) => match self.begin(attempt.answer()) {
                Ok(()) | Err(Errno::AGAIN) => return None,
                Err(errno) => errno,
            },
            State::Open(connection) => match connection.has_ended() {
                Ok(false) => return None,
                Ok(true) => {
                    if connection.is_closing() {
                        // It ends after us: it has read all.
                        self.frames.clear();
                    }
                    Errno::PIPE
                }
                Err(errno) => errno,
            },
        };
        self.disconnect(reason);
        Some(reason)
    }

    fn connect(&mut self) -> Result<(), Errno> {
        let attempt = Attempt::start(&self.order, self.told)?;
        self.earliest = monotonic() + SHORTEST;
        self.state = State::Connecting(attempt);
        Ok(())
    }

    /// tcpclient has answered: with a connection, or why there is none.
    fn begin(&mut self, answer: Result<[OwnedFd; 2], Errno>) -> Result<(), Errno> {
        let ends = answer?;
        let is_tls = self.order.tls.is_some();
        connection::set(&ends, is_tls)?;
        match core::mem::replace(&mut self.state, State::Idle) {
            State::Connecting(attempt) => {
                let connection = Connection::new(ends, attempt.into_control(), is_tls);
                self.state = State::Open(connection);
                self.told = false;
                Ok(())
            }
            State::Idle | State::Open(_) => Err(Errno::NOTCONN),
        }
    }

    fn disconnect(&mut self, reason: Errno) {
        self.confirm();
        self.told = matches!(self.state, State::Connecting(_));
        self.state = State::Idle;
        self.unwritten.clear();
        self.reason = reason;
        self.wait_longer(self.told);
        reap();
    }

    /// Until the next attempt; what ends after it has worked is looked for at once.
    fn wait_longer(&mut self, failed: bool) {
        if failed {
            self.earliest = monotonic() + self.pause;
            self.pause = (self.pause * 2).min(LONGEST);
        } else {
            self.earliest = self.earliest.max(monotonic() + SHORTEST / 5);
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let State::Connecting(attempt) = &self.state {
            attempt.cancel();
        }
    }
}
