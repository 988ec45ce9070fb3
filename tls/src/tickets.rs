//! Session tickets (RFC 5077, RFC 8446 4.6.1) that work across forked processes.
//!
//! The keys are rustls's `Ticketer`: random, in memory only, replaced after six hours, good for
//! decrypting for six more. Two things in it are meant for one process that serves everybody, and
//! keep it from resuming anything where each connection has a process of its own:
//!
//! * It refuses a ticket that is longer than the longest it has issued, and a process that was
//!   just forked has issued none.
//! * It replaces its keys when it is used and the time has come. A child that does so has keys
//!   that nobody else has.
//!
//! So the parent uses it once before each fork, with a message longer than any session.

use rustls::Error;
use rustls::crypto::ring::Ticketer;
use rustls::server::ProducesTickets;
use std::sync::Arc;

/// Longer than any session that we put into a ticket: secret, server name, cipher suite, times.
const LONGEST: usize = 1024;

/// The same with the certificates that a client has shown. One with more of them is not resumed.
const LONGEST_WITH_CERTIFICATES: usize = 16 * 1024;

/// Keys for session tickets.
pub(super) struct Tickets {
    producer: Arc<dyn ProducesTickets>,
    longest: usize,
}

impl Tickets {
    /// New keys, for clients who show certificates or for those who don't.
    pub(super) fn new(certificates: bool) -> Result<Self, Error> {
        let longest = if certificates { LONGEST_WITH_CERTIFICATES } else { LONGEST };
        Ok(Self { producer: Ticketer::new()?, longest })
    }

    /// Call in the parent before each fork. Some microseconds.
    pub(super) fn before_fork(&self) {
        // Without random numbers there is no ticket: the child does a full handshake.
        let _ = self.producer.encrypt(&[0; LONGEST_WITH_CERTIFICATES][..self.longest]);
    }

    pub(super) fn producer(&self) -> Arc<dyn ProducesTickets> {
        self.producer.clone()
    }
}
