//! What messages look like on their way.

use super::fields::Fields;
use super::line::{FOLD, Lines, Text};
use super::message::Message;
use super::syslog::Header;
use alloc::vec::Vec;

/// One of three forms, with what all messages have in common.
pub(super) enum Form {
    /// RFC 3164's, as ever.
    Traditional { facility: u8, tag: &'static [u8] },
    /// RFC 5424's, with so much room for a line.
    Structured { header: Header, room: usize },
    /// The journal's.
    Journal(Fields),
}

/// So much of a line is one entry of the journal.
const ENTRY: usize = 256 * 1024;

impl Form {
    pub(super) fn lines(&self) -> Lines {
        match self {
            Self::Traditional { .. } => Lines::new(Text::Printable, FOLD),
            Self::Structured { room, .. } => Lines::new(Text::Escaped, *room),
            Self::Journal(_) => Lines::new(Text::Whole, ENTRY),
        }
    }

    /// Whether it tells of the service's process.
    pub(super) fn names_process(&self) -> bool {
        !matches!(self, Self::Traditional { .. })
    }

    pub(super) fn packet(&self, message: &Message, process: Option<u32>) -> Vec<u8> {
        match self {
            Self::Traditional { facility, tag } => message.packet(*facility, tag),
            Self::Structured { header, .. } => header.packet(message, process),
            Self::Journal(fields) => fields.packet(message, process),
        }
    }
    /// What of a packet is for people.
    pub(super) fn legible<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        match self {
            // The priority isn't, and the tag is there.
            Self::Traditional { .. } => {
                let at = packet.iter().position(|byte| *byte == b'>').map_or(0, |at| at + 1);
                &packet[at..]
            }
            Self::Structured { .. } | Self::Journal(_) => packet,
        }
    }
}
