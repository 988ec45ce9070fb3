//! Starting the program for a connection with TLS: a process that relays, and forks the program.

use crate::address;
use crate::launch::{Connection, Dropped, Launcher, leave};
use crate::options::{NAME, Verbosity};
use crate::signals::Signals;
use crate::socket::Listener;
use nix::fcntl::{FcntlArg, fcntl};
use std::os::fd::OwnedFd;
use std::time::Duration;
use sys::Errno;
use sys::fork::{self, Fork};
use sys::process::Pid;
use tls::{Cage, Exports, Offer, Server, Terms};

/// When TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// `-s`: with the connection.
    AtOnce,
    /// `-n` without `-s`: when the program asks for it, if it does (UCSPI-TLS).
    WhenAsked,
}

/// What all connections with TLS share.
pub struct Encryption {
    /// Key and certificates.
    pub server: Server,
    /// What relays are shut in with.
    pub cage: Cage,
    /// When TLS begins.
    pub beginning: Beginning,
    /// How long a handshake may take.
    pub limit: Duration,
}

impl Launcher {
    /// Whether programs can have TLS. `UCSPITLS=-` in the environment means that it is not to be
    /// offered; rules may say so for one connection.
    #[must_use]
    pub fn has_tls(&self, encryption: &Encryption) -> bool {
        match encryption.beginning {
            Beginning::AtOnce => true,
            Beginning::WhenAsked => self.environment.get(b"UCSPITLS") != Some(b"-"),
        }
    }

    /// Starts the program over TLS, or with TLS on offer. Gives the relay's process, which ends as the
    /// program does.
    ///
    /// # Errors
    /// [`Dropped::Fork`]; what happens later, the relay says itself.
    pub fn start_encrypted(
        &mut self,
        connection: Connection,
        signals: &Signals,
        encryption: &Encryption,
        listener: &mut Listener,
    ) -> Result<Pid, Dropped> {
        encryption.server.before_fork();
        match fork::fork().map_err(Dropped::Fork)? {
            Fork::Parent(pid) => Ok(pid),
            Fork::Child => {
                let code = match leave(signals, listener) {
                    Ok(()) => self.relay(connection, signals, encryption),
                    Err(dropped) => self.give_up(dropped),
                };
                fork::exit(code)
            }
        }
    }

    /// Gives the exit code that tells how the program ended.
    fn relay(&mut self, connection: Connection, signals: &Signals, encryption: &Encryption) -> u8 {
        // Who begins with TLS has the banner encrypted.
        let in_the_clear = encryption.beginning == Beginning::WhenAsked;
        let (pid, client) = match self.admit(&connection, in_the_clear.then_some(self.banner)) {
            Ok(admitted) => admitted,
            Err(dropped) => return self.give_up(dropped),
        };
        if !self.has_tls(encryption) {
            let stream = &connection.stream;
            return self.give_up(self.become_program(stream, stream, signals));
        }
        let whose = format!("pid {pid} from {}: ", address::text(client));
        let quiet = self.verbosity == Verbosity::Quiet;
        let mut log = |reason: &[u8]| {
            if !quiet {
                NAME.warn(&[whose.as_bytes(), reason]);
            }
        };
        let terms = Terms { limit: encryption.limit, banner: self.banner, cage: &encryption.cage };
        let stream = OwnedFd::from(connection.stream);
        let server = &encryption.server;
        let status = match encryption.beginning {
            Beginning::AtOnce => {
                let run = |input: OwnedFd, output: OwnedFd, exports: &Exports| {
                    for (name, value) in exports.iter() {
                        self.environment.set(name, value);
                    }
                    self.give_up(self.become_program(&input, &output, signals))
                };
                tls::serve(server, stream, terms, run, &mut log)
            }
            Beginning::WhenAsked => {
                let run = |stream: OwnedFd, offer: Offer| match self.put_on_offer(offer) {
                    Ok(()) => self.give_up(self.become_program(&stream, &stream, signals)),
                    Err(dropped) => self.give_up(dropped),
                };
                tls::offer(server, stream, terms, run, &mut log)
            }
        };
        tls::exit_code(status)
    }

    /// Hands on the descriptors of UCSPI-TLS, and says in the environment which they are.
    fn put_on_offer(&mut self, offer: Offer) -> Result<(), Dropped> {
        if self.environment.get(b"UCSPITLS").is_none() {
            self.environment.set(b"UCSPITLS", b"");
        }
        let named = [
            (&b"SSLCTLFD"[..], offer.control),
            (b"SSLREADFD", offer.input),
            (b"SSLWRITEFD", offer.output),
        ];
        for (name, descriptor) in named {
            // A copy that stays open, at the lowest number that is free: shells can't name those above 9.
            // So each one makes room for the next.
            let number = fcntl(&descriptor, FcntlArg::F_DUPFD(3))
                .map_err(|error| Dropped::HandOver(Errno::from_raw_os_error(error as i32)))?;
            drop(descriptor);
            let number = u64::from(number.unsigned_abs());
            self.environment.set(name, common::decimal(number).as_bytes());
        }
        Ok(())
    }
}
