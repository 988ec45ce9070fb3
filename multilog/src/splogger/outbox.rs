//! What has to be sent, from when it is a message until it has arrived, and what is said when it doesn't.

use super::NAME;
use super::backlog::Backlog;
use super::form::Form;
use super::message::{Message, Priority};
use super::spool::Spool;
use super::way::{Outcome, Way};
use alloc::vec::Vec;
use common::decimal;
use sys::Errno;
use sys::clock::realtime;
use sys::poll::PollFd;

pub(super) struct Outbox {
    /// Where to.
    name: &'static [u8],
    form: Form,
    way: Way,
    backlog: Backlog,
    /// Whether it was said that nobody listens.
    outage: bool,
    /// Whether it was said that the spool can't be used.
    spool_trouble: bool,
}

/// What holds up the messages that aren't sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Nothing,
    /// The other side is slower than we are.
    Busy,
    /// Nobody listens.
    Away,
}

impl Outbox {
    pub(super) fn new(name: &'static [u8], form: Form, way: Way, spool: Option<Spool>) -> Self {
        let backlog = Backlog::new(spool);
        Self { name, form, way, backlog, outage: false, spool_trouble: false }
    }

    /// Whether messages name the service's process.
    pub(super) fn names_process(&self) -> bool {
        self.form.names_process()
    }

    /// Whether more messages may come.
    pub(super) fn has_room(&self) -> bool {
        self.backlog.has_room()
    }

    pub(super) fn add(&mut self, message: &Message, process: Option<u32>) {
        self.backlog.add(self.form.packet(message, process));
    }

    /// Sends what waits, as far as it is taken, and puts the rest into the spool.
    pub(super) fn deliver(&mut self) -> Held {
        let held = self.send();
        if held != Held::Nothing || self.backlog.is_spooling() {
            self.store();
        }
        held
    }

    /// Adds what to wait for, when [`Self::deliver`] has given `held`.
    pub(super) fn watch<'a>(&'a self, held: Held, fds: &mut Vec<PollFd<'a>>) {
        self.way.watch(held == Held::Busy, fds);
    }

    /// What was watched is ready.
    pub(super) fn attend(&mut self) {
        if let Some(errno) = self.way.attend() {
            self.away(errno);
        }
    }

    /// Whether there is something to look after even if nothing happens: what only memory has, or what may not have
    /// arrived.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.backlog.is_stored() || self.backlog.is_in_flight()
    }

    /// No more messages come: whether nothing is left to do. If something is, and nothing holds messages up, that is to
    /// wait for word of what has arrived: the other side is told to end, for its end says that.
    pub(super) fn is_over(&mut self, held: Held) -> bool {
        match held {
            Held::Away => self.backlog.has_spool() && self.backlog.is_stored(),
            Held::Busy => false,
            Held::Nothing => {
                let unconfirmed = self.way.unconfirmed(true);
                self.backlog.confirm(unconfirmed);
                if unconfirmed > 0 {
                    self.way.close();
                }
                unconfirmed == 0
            }
        }
    }

    /// Tries once more. What can't be delivered, and isn't in the spool, goes to standard error; gives whether there was
    /// none.
    pub(super) fn give_up(&mut self) -> bool {
        if self.deliver() == Held::Nothing && self.way.unconfirmed(true) == 0 {
            return true;
        }
        self.backlog.confirm(self.way.lost());
        self.backlog.rewind();
        self.store();
        let mut all = true;
        for packet in self.backlog.take_rest() {
            all = false;
            NAME.warn(&[b"undelivered: ", self.form.legible(&packet)]);
        }
        all
    }
    fn send(&mut self) -> Held {
        let spooling = self.backlog.is_spooling();
        if spooling {
            self.store();
        }
        let outcome = loop {
            let packet = match self.backlog.next() {
                Ok(Some(packet)) => packet,
                Ok(None) => break self.way.flush(),
                Err(errno) => {
                    self.trouble(b"unable to read spool", errno);
                    return Held::Away;
                }
            };
            match self.way.send(packet) {
                Outcome::Sent => self.backlog.sent(),
                held @ (Outcome::Busy | Outcome::Away(_)) => break held,
            }
        };
        let held = match outcome {
            Outcome::Sent => {
                if self.way.is_heard() {
                    self.outage = false;
                }
                Held::Nothing
            }
            Outcome::Busy => Held::Busy,
            Outcome::Away(errno) => {
                self.away(errno);
                return Held::Away;
            }
        };
        self.backlog.confirm(self.way.unconfirmed(spooling));
        held
    }

    /// Nobody listens: what may be lost is sent again.
    fn away(&mut self, errno: Errno) {
        self.backlog.confirm(self.way.lost());
        self.backlog.rewind();
        let nothing = matches!(self.backlog.next(), Ok(None));
        if !self.outage && !nothing {
            self.outage = true;
            NAME.warn_errno(&[b"unable to send to ", self.name], errno);
        }
    }

    fn store(&mut self) {
        match self.backlog.store() {
            Ok(()) => self.spool_trouble = false,
            Err(errno) => self.trouble(b"unable to write spool", errno),
        }
        match self.backlog.dropped() {
            0 => {}
            count => {
                let count = decimal(count);
                let parts: [&[u8]; 2] = [count.as_bytes(), b" messages dropped: the spool is full"];
                NAME.warn(&parts);
                // Who reads the messages is told where some are missing.
                let message = Message {
                    priority: Priority::Warning,
                    stamp: realtime(),
                    continuation: false,
                    text: [b"warning: ", parts[0], parts[1]].concat(),
                };
                self.add(&message, None);
            }
        }
    }

    /// Said once, until it is over.
    fn trouble(&mut self, what: &[u8], errno: Errno) {
        if !self.spool_trouble {
            self.spool_trouble = true;
            NAME.warn_errno(&[what], errno);
        }
    }
}
