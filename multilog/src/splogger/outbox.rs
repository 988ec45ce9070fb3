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
    /// Whether it was said that the spool can't be read.
    unreadable: bool,
    /// Whether it was said that it can't be written.
    unwritable: bool,
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
        Self { name, form, way, backlog, outage: false, unreadable: false, unwritable: false }
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
                Ok(packet) => packet,
                Err(errno) => {
                    say_once(&mut self.unreadable, b"unable to read spool", errno);
                    return Held::Away;
                }
            };
            self.unreadable = false;
            let Some(packet) = packet else { break self.way.flush() };
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
            Ok(()) => self.unwritable = false,
            Err(errno) => say_once(&mut self.unwritable, b"unable to write spool", errno),
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
}

/// Until it is over.
fn say_once(said: &mut bool, what: &[u8], errno: Errno) {
    if !*said {
        *said = true;
        NAME.warn_errno(&[what], errno);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splogger::delivery::Delivery;
    use crate::splogger::request::Spooling;
    use alloc::ffi::CString;
    use core::time::Duration;
    use std::os::unix::net::UnixDatagram;
    use std::path::PathBuf;
    use sys::net::SocketAddrUnix;

    struct Scratch(PathBuf);

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_spool_that_cannot_be_read_is_told_once_however_often_it_is_looked_at() {
        let name = format!("splogger-outbox-{}", std::process::id());
        let scratch = Scratch(std::env::temp_dir().join(name));
        std::fs::create_dir(&scratch.0).expect("made");
        let socket = scratch.0.join("log");
        let spool = scratch.0.join("spool");
        let directory = CString::new(spool.to_str().expect("UTF-8")).expect("no NUL");
        // Arguments live as long as the program.
        let directory = Box::leak(directory.into_boxed_c_str());
        let wanted = Spooling { directory, bytes: 1 << 20, drop_oldest: false };
        let address = SocketAddrUnix::new(socket.to_str().expect("UTF-8")).expect("short");
        let way = Way::Local(Delivery::new(address));
        let form = Form::Traditional { facility: 2, tag: b"x" };
        let mut outbox =
            Outbox::new(b"log", form, way, Some(Spool::open(&wanted).expect("opened")));
        let message = Message {
            priority: Priority::Info,
            stamp: Duration::ZERO,
            continuation: false,
            text: b"one".to_vec(),
        };
        outbox.add(&message, None);
        assert!(outbox.deliver() == Held::Away && !outbox.is_unsettled());

        let segment = spool.join("0000000000000001");
        let content = std::fs::read(&segment).expect("a segment");
        std::fs::write(&segment, &content[..20]).expect("cut");
        for _ in 0..3 {
            assert!(outbox.deliver() == Held::Away);
            assert!(outbox.unreadable, "it isn't over, so it isn't told again");
        }
        std::fs::write(&segment, &content).expect("mended");
        let daemon = UnixDatagram::bind(&socket).expect("bound");
        assert!(outbox.deliver() == Held::Nothing && !outbox.unreadable);
        let mut buffer = [0; 100];
        let length = daemon.recv(&mut buffer).expect("a packet");
        assert_eq!(&buffer[..length], b"<22>x: 0.000000 one");
    }
}
