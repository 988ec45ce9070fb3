//! What splogger is told, and what lies in its spool.

use super::pieces::Pieces;
use crate::splogger::destination::{self, Destination};
use crate::splogger::line as splogger;
use crate::splogger::spool::segment::{self, Found};
use crate::splogger::structured;
use core::time::Duration;

/// What an administrator writes for splogger, and what lies in a spool: structured data that are taken hold nothing that
/// ends a header; a destination is a name and a port; whatever a segment holds, its records are read to an end, and each
/// is what would be written.
pub fn forwarding(data: &[u8]) {
    if structured::is_valid(data) && data != b"-" {
        let text = std::str::from_utf8(data).expect("UTF-8");
        assert!(text.starts_with('[') && text.ends_with(']') && !text.contains(char::is_control));
        assert!(structured::is_valid(b"[q@1]") && !structured::is_valid(&[data, b" "].concat()));
        assert!(!structured::is_valid(&[data, data].concat()), "no element comes twice");
    }
    if let Ok(Destination::Udp(server) | Destination::Tcp(server) | Destination::Tls(server)) =
        destination::parse(data)
    {
        let host = server.host.to_bytes();
        assert!(server.port != 0 && !host.is_empty() && host.iter().all(u8::is_ascii_graphic));
    }
    let mut rest = data;
    while let Found::Record(length) = segment::record(rest) {
        let (record, later) = rest.split_at(length);
        let mut again = Vec::new();
        segment::put(&record[segment::RECORD..], &mut again);
        assert_eq!(again, record);
        rest = later;
    }
    if let Found::More(needed) = segment::record(rest) {
        assert!(needed > rest.len());
    }
    if let Some(head) = data.first_chunk() {
        assert!(segment::arrived(head).is_none_or(|arrived| arrived >= segment::HEAD));
    }
    if let Some(number) = segment::number(data) {
        assert_eq!(format!("{number:016x}").as_bytes(), data);
    }
    let pieces = Pieces::of(data);
    for (text, room) in [(splogger::Text::Whole, 4), (splogger::Text::Escaped, 9)] {
        let (mut lines, mut sent) = (splogger::Lines::new(text, room), Vec::new());
        let mut emit = |message: crate::splogger::message::Message| {
            assert!((1..=room).contains(&message.text.len()));
            if !message.continuation {
                sent.push(b'\n');
            }
            sent.extend(message.text);
        };
        pieces.iter().for_each(|piece| lines.feed(piece, Duration::ZERO, &mut emit));
        lines.finish(&mut emit);
        let mut expected = Vec::new();
        for line in pieces.whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            expected.push(b'\n');
            for byte in line {
                match (text, byte) {
                    (splogger::Text::Escaped, 0..32) => {
                        expected.extend(format!("#{byte:03o}").bytes());
                    }
                    _ => expected.push(*byte),
                }
            }
        }
        assert_eq!(sent, expected);
    }
}
