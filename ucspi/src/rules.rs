//! Rules: what tcpserver does with a client, by its address, its host name and what it says of itself.
//!
//! A rule file is text, a line a rule ([`line`]); tcprules makes a [database](crate::cdb) of it, with a record
//! a rule: its key is the address, its value the [instructions](Instructions). tcpserver asks it for one
//! [candidate](candidates) after the other, from the most particular to the most general, and follows the
//! first rule that there is.
//!
//! # IPv6
//! `[2001:db8::1]` is an address, `[2001:db8::]/32` a network, `joe@[2001:db8::1]` what joe says there. To the
//! original such a line is an error, since it ends an address at the first colon and finds neither "allow"
//! nor "deny" there; so no rule file of before can mean anything by it. The keys are the same text with the
//! address in its canonical form (RFC 5952), a colon in each: no rule of before has such a key.

mod candidates;
mod canonical;
mod instructions;
pub mod line;
mod network;
mod range;

use crate::cdb::{Damage, Reader, Source};
use alloc::vec::Vec;

pub use candidates::{Peer, candidates};
pub use instructions::{Instruction, Instructions};

/// The rule for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The address that it stands under.
    pub key: Vec<u8>,
    value: Vec<u8>,
}

impl Found {
    /// What it says, in its order.
    #[must_use]
    pub fn instructions(&self) -> Instructions<'_> {
        Instructions::new(&self.value)
    }
}

/// The rule for this client; `None` if there is none, which allows all.
///
/// # Errors
/// A database that can't be read, or is none.
pub fn look_up<S: Source>(reader: &Reader<S>, peer: &Peer<'_>) -> Result<Option<Found>, Damage> {
    for key in candidates(peer) {
        if let Some(value) = reader.find(&key)? {
            return Ok(Some(Found { key, value }));
        }
    }
    Ok(None)
}
