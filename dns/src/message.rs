//! DNS messages (RFC 1035, section 4): questions to a recursive server, and what its answers say.
//!
//! There is no EDNS: what doesn't fit into 512 bytes comes by TCP. So no answer by UDP is ever
//! fragmented, which is where forged ones are smuggled in, and no old server takes offence.

mod answer;
mod reader;

pub use answer::{Answer, LONGEST_CHAIN, MOST_RECORDS, Reading, Record, read};

use crate::DomainName;
use alloc::vec::Vec;

/// Bytes of a message before its question.
pub(crate) const HEADER: usize = 12;

/// The only class: the Internet's.
const CLASS_IN: u16 = 1;

/// An alias; the other types are those that are asked for.
const TYPE_CNAME: u16 = 5;

/// In the flags: this is an answer.
const RESPONSE: u16 = 0x8000;
const OPCODE: u16 = 0x7800;
const AUTHORITATIVE: u16 = 0x0400;
const TRUNCATED: u16 = 0x0200;
const RECURSION_DESIRED: u16 = 0x0100;
const RECURSION_AVAILABLE: u16 = 0x0080;
const RCODE: u16 = 0x000F;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Names, of an address.
    Ptr,
    /// Texts.
    Txt,
}

impl Kind {
    /// Its number (RFC 1035, RFC 3596).
    #[must_use]
    pub fn number(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Ptr => 12,
            Self::Txt => 16,
            Self::Aaaa => 28,
        }
    }
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// About which name.
    pub name: DomainName,
    /// What is asked for.
    pub kind: Kind,
}

impl Question {
    /// The message that asks a recursive server.
    #[must_use]
    pub fn query(&self, id: u16) -> Vec<u8> {
        let mut message = Vec::with_capacity(HEADER + self.name.wire().len() + 4);
        for field in [id, RECURSION_DESIRED, 1, 0, 0, 0] {
            message.extend_from_slice(&field.to_be_bytes());
        }
        message.extend_from_slice(self.name.wire());
        message.extend_from_slice(&self.kind.number().to_be_bytes());
        message.extend_from_slice(&CLASS_IN.to_be_bytes());
        message
    }
}

#[cfg(test)]
mod tests;
