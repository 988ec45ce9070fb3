//! One message: what a line, or a piece of a long one, becomes for syslogd.

use alloc::vec::Vec;
use common::decimal;
use core::time::Duration;

/// How urgent a line is, by its first word. The numbers are syslog's severities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    Alert = 1,
    Warning = 4,
    Info = 6,
}

/// A line, or a piece of a long one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) priority: Priority,
    /// When the line's first byte was read, since 1970.
    pub(crate) stamp: Duration,
    /// Whether this goes on with a line whose beginning was sent before.
    pub(crate) continuation: bool,
    pub(crate) text: Vec<u8>,
}

impl Priority {
    pub(crate) fn of(line: &[u8]) -> Self {
        if line.starts_with(b"alert:") {
            Self::Alert
        } else if line.starts_with(b"warning:") {
            Self::Warning
        } else {
            Self::Info
        }
    }
}

impl Message {
    /// `SECONDS.MICROSECONDS TEXT`, or with a `+` in place of the blank.
    pub(crate) fn content(&self) -> Vec<u8> {
        let mut content = Vec::with_capacity(32 + self.text.len());
        content.extend_from_slice(decimal(self.stamp.as_secs()).as_bytes());
        content.push(b'.');
        content.extend_from_slice(decimal(self.stamp.subsec_micros().into()).padded(6));
        content.push(if self.continuation { b'+' } else { b' ' });
        content.extend_from_slice(&self.text);
        content
    }

    /// `<PRIORITY>TAG: CONTENT`, as daemons take it on a local socket (after RFC 3164, section 4.1).
    ///
    /// There is no time and host name in the header. A time would have to be local, and its zone
    /// read from a database: daemons put in their own, and the content has ours, exactly.
    pub(crate) fn packet(&self, facility: u8, tag: &[u8]) -> Vec<u8> {
        let content = self.content();
        let priority = decimal(u64::from(facility) * 8 + self.priority as u64);
        let parts: [&[u8]; 6] = [b"<", priority.as_bytes(), b">", tag, b": ", &content];
        parts.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str, continuation: bool) -> Message {
        Message {
            priority: Priority::of(text.as_bytes()),
            stamp: Duration::new(1_700_000_000, 12_345_678),
            continuation,
            text: text.into(),
        }
    }

    #[test]
    fn packets() {
        for (text, continuation, facility, expected) in [
            ("status: 1/40", false, 2, "<22>pop3d: 1700000000.012345 status: 1/40"),
            ("of a line", true, 2, "<22>pop3d: 1700000000.012345+of a line"),
            ("warning: x", false, 2, "<20>pop3d: 1700000000.012345 warning: x"),
            ("alert: x", false, 0, "<1>pop3d: 1700000000.012345 alert: x"),
            ("Alert: x", false, 23, "<190>pop3d: 1700000000.012345 Alert: x"),
        ] {
            let packet = message(text, continuation).packet(facility, b"pop3d");
            assert_eq!(String::from_utf8(packet).expect("ASCII"), expected);
        }
    }
}
