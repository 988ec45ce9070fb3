//! A message as systemd's journal takes it: fields, each a name and a value (systemd's JOURNAL_NATIVE_PROTOCOL).

use super::message::Message;
use super::syslog::stamp;
use alloc::vec::Vec;
use common::decimal;

/// The fields that no message changes.
pub(crate) struct Fields {
    pub(crate) facility: u8,
    pub(crate) identifier: &'static [u8],
    /// The service's name, in any bytes, if there is one.
    pub(crate) service: Option<Vec<u8>>,
}

impl Fields {
    /// The message, with the service's process if that is known.
    pub(crate) fn packet(&self, message: &Message, process: Option<u32>) -> Vec<u8> {
        let mut packet = Vec::with_capacity(200 + message.text.len());
        let mut put = |name: &[u8], value: &[u8]| field(name, value, &mut packet);
        put(b"MESSAGE", &message.text);
        put(b"PRIORITY", decimal(message.priority as u64).as_bytes());
        put(b"SYSLOG_FACILITY", decimal(self.facility.into()).as_bytes());
        put(b"SYSLOG_IDENTIFIER", self.identifier);
        let mut time = Vec::with_capacity(28);
        stamp(message.stamp, &mut time);
        put(b"SYSLOG_TIMESTAMP", &time);
        if let Some(process) = process {
            put(b"SYSLOG_PID", decimal(process.into()).as_bytes());
        }
        if let Some(service) = &self.service {
            put(b"SERVICE", service);
        }
        if message.continuation {
            put(b"CONTINUES", b"1");
        }
        packet
    }
}

/// Appends `NAME=value`, or, as a value with a newline would end there, the name, the length in 64 bits,
/// little-endian, and the value.
pub(crate) fn field(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name);
    if value.contains(&b'\n') {
        out.push(b'\n');
        out.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        out.push(b'=');
    }
    out.extend_from_slice(value);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splogger::message::Priority;
    use core::time::Duration;

    #[test]
    fn packets() {
        let mut fields = Fields { facility: 2, identifier: b"pop3d", service: None };
        let mut message = Message {
            priority: Priority::Warning,
            stamp: Duration::from_micros(1_500_000),
            continuation: false,
            text: b"warning: \0\xff".to_vec(),
        };
        assert_eq!(
            fields.packet(&message, None),
            b"MESSAGE=warning: \0\xff\nPRIORITY=4\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=pop3d\n\
              SYSLOG_TIMESTAMP=1970-01-01T00:00:01.500000Z\n"
        );
        fields.service = Some(b"a\nb".to_vec());
        message.continuation = true;
        let packet = fields.packet(&message, Some(17));
        let end = b"\nSYSLOG_PID=17\nSERVICE\n\x03\0\0\0\0\0\0\0a\nb\nCONTINUES=1\n";
        assert!(packet.ends_with(end), "{packet:?}");
    }
}
