//! A message as RFC 5424 writes it.

use super::message::Message;
use alloc::vec::Vec;
use common::calendar::{DAY, Date};
use common::decimal;
use core::time::Duration;

/// What of the header no message changes. All of it is verified to be what the RFC allows.
pub(crate) struct Header {
    pub(crate) facility: u8,
    /// 1 to 255 visible characters; `-` is nobody.
    pub(crate) hostname: Vec<u8>,
    /// 1 to 48 visible characters.
    pub(crate) app_name: &'static [u8],
    /// `-`, or elements.
    pub(crate) structured: &'static [u8],
}

/// The longest tag that is an APP-NAME.
pub(crate) const MAX_APP_NAME: usize = 48;

/// The longest HOSTNAME.
pub(crate) const MAX_HOSTNAME: usize = 255;

/// Stands before a text that is UTF-8 and not ASCII (section 6.4).
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// `<191>1 2026-11-23T22:15:01.123456Z ` and ` 4294967295 - ` and what divides the rest, and the mark.
const FIXED: usize = 7 + 28 + 1 + 10 + 4 + 1 + BOM.len();

impl Header {
    /// How many bytes a message has beside its text, at most.
    pub(crate) fn most(&self) -> usize {
        FIXED + self.hostname.len() + self.app_name.len() + self.structured.len()
    }

    /// The message. PROCID is the service's process, if it is known; MSGID is `-`, and `+` in what goes on
    /// with a line.
    pub(crate) fn packet(&self, message: &Message, process: Option<u32>) -> Vec<u8> {
        let mut packet = Vec::with_capacity(self.most() + message.text.len());
        packet.push(b'<');
        let priority = u64::from(self.facility) * 8 + message.priority as u64;
        packet.extend_from_slice(decimal(priority).as_bytes());
        packet.extend_from_slice(b">1 ");
        stamp(message.stamp, &mut packet);
        packet.push(b' ');
        packet.extend_from_slice(&self.hostname);
        packet.push(b' ');
        packet.extend_from_slice(self.app_name);
        packet.push(b' ');
        match process {
            Some(process) => packet.extend_from_slice(decimal(process.into()).as_bytes()),
            None => packet.push(b'-'),
        }
        packet.extend_from_slice(if message.continuation { b" + " } else { b" - " });
        packet.extend_from_slice(self.structured);
        packet.push(b' ');
        if !message.text.is_ascii() && core::str::from_utf8(&message.text).is_ok() {
            packet.extend_from_slice(BOM);
        }
        packet.extend_from_slice(&message.text);
        packet
    }
}

/// Appends `2026-11-23T22:15:01.123456Z` (RFC 5424, section 6.2.3). The RFC ends with the year 9999.
pub(crate) fn stamp(time: Duration, out: &mut Vec<u8>) {
    let seconds = time.as_secs().min(253_402_300_799);
    let (day, of_day) = (seconds / DAY as u64, seconds % DAY as u64);
    let date = Date::of(day as i64);
    let mut put = |number: u64, width: usize, end: u8| {
        out.extend_from_slice(decimal(number).padded(width));
        out.push(end);
    };
    put(date.year as u64, 4, b'-');
    put(date.month as u64, 2, b'-');
    put(date.day as u64, 2, b'T');
    put(of_day / 3600, 2, b':');
    put(of_day / 60 % 60, 2, b':');
    put(of_day % 60, 2, b'.');
    put(time.subsec_micros().into(), 6, b'Z');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::splogger::message::Priority;

    fn packet(structured: &'static [u8], text: &[u8], process: Option<u32>, more: bool) -> Vec<u8> {
        let hostname = b"mymachine.example.com".to_vec();
        let header = Header { facility: 20, hostname, app_name: b"evntslog", structured };
        let message = Message {
            priority: Priority::Info,
            stamp: Duration::new(1_065_910_455, 3_000_999),
            continuation: more,
            text: text.into(),
        };
        let packet = header.packet(&message, process);
        assert!(packet.len() <= header.most() + text.len());
        packet
    }

    /// After the examples of section 6.5.
    #[test]
    fn packets() {
        for (structured, text, process, more, expected) in [
            (
                &b"-"[..],
                &b"%% It's time to make the do-nuts."[..],
                None,
                false,
                &b"<166>1 2003-10-11T22:14:15.003000Z mymachine.example.com evntslog - - - %% It's time to make the do-nuts."[..],
            ),
            (
                b"[exampleSDID@32473 iut=\"3\"]",
                "An application event: é".as_bytes(),
                Some(8710),
                true,
                b"<166>1 2003-10-11T22:14:15.003000Z mymachine.example.com evntslog 8710 + [exampleSDID@32473 iut=\"3\"] \xEF\xBB\xBFAn application event: \xC3\xA9",
            ),
            // Latin-1, and what isn't the shortest form, is no UTF-8, and must not seem to be.
            (b"-", b"\xe9", Some(u32::MAX), false, b"<166>1 2003-10-11T22:14:15.003000Z mymachine.example.com evntslog 4294967295 - - \xe9"),
            (b"-", b"\xc0\xaf", None, false, b"<166>1 2003-10-11T22:14:15.003000Z mymachine.example.com evntslog - - - \xc0\xaf"),
        ] {
            let packet = packet(structured, text, process, more);
            assert_eq!(String::from_utf8_lossy(&packet), String::from_utf8_lossy(expected));
            assert_eq!(packet, expected);
        }
    }

    #[test]
    fn stamps() {
        for (seconds, nanos, expected) in [
            (0, 0, "1970-01-01T00:00:00.000000Z"),
            // The third example of section 6.2.3.1.
            (1_065_910_455, 3_000_000, "2003-10-11T22:14:15.003000Z"),
            (482_196_050, 520_000_000, "1985-04-12T23:20:50.520000Z"),
            (951_782_399, 999_999_999, "2000-02-28T23:59:59.999999Z"),
            (951_782_400, 1_000, "2000-02-29T00:00:00.000001Z"),
            (u64::MAX, 0, "9999-12-31T23:59:59.000000Z"),
        ] {
            let mut text = Vec::new();
            stamp(Duration::new(seconds, nanos), &mut text);
            assert_eq!(String::from_utf8(text).expect("ASCII"), expected);
        }
    }
}
