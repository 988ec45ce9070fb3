//! What svlog reads: times that people type, lines of many files, and files that claim to be compressed.

use super::pieces::Pieces;
use crate::svlog::civil::Twice;
use crate::svlog::content::Content;
use crate::svlog::lines::Lines;
use crate::svlog::{stamp, time};
use crate::tai64nlocal::rules::Rules;
use crate::tai64nlocal::zone::Zone;
use common::tai64n::Label;
use core::time::Duration;
use std::rc::Rc;

/// Rules of a time zone, a newline, and a time as an administrator types it: it isn't before 1970, and of two moments
/// that may be meant the first is the first; what begins a line with a stamp reads the same alone.
pub fn svlog_time(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let zone = Rules::parse(&data[..end]).map_or(Zone::Utc, Zone::Rules);
    let text = data.get(end + 1..).unwrap_or_default();
    let now = Duration::new(1_795_472_101, 5);
    let [first, second] =
        [Twice::First, Twice::Second].map(|twice| time::parse(text, now, &zone, twice));
    assert!(first <= second && first.is_some() == second.is_some());
    if let Some(label) = first
        && !text.starts_with(b"@")
    {
        assert!(label >= Label::from_unix(Duration::ZERO) && label.nanoseconds() < 1_000_000_000);
    }
    if let Some(found) = stamp::read(text, &zone) {
        assert!((16..=stamp::LONGEST).contains(&found.length));
        assert_eq!(stamp::read(&text[..found.length], &zone), Some(found));
    }
}

/// The files of a log, each ended by a NUL, in whatever pieces: their lines are those that one gets who has all of it at once.
pub fn svlog_lines(data: &[u8]) {
    let is_stamp = |line: &[u8]| stamp::read(line, &Zone::Utc).is_some();
    let pieces = Pieces::of(data);
    let (mut lines, mut found): (Lines, Vec<Vec<u8>>) = (Lines::default(), Vec::new());
    let mut drain = |lines: &mut Lines| {
        while let Some(piece) = lines.next(is_stamp) {
            if piece.begins {
                found.push(Vec::new());
            }
            found.last_mut().expect("a line").extend_from_slice(lines.bytes(&piece));
            lines.take(&piece);
        }
    };
    for piece in pieces.iter() {
        for part in piece.split_inclusive(|byte| *byte == 0) {
            let bytes = part.strip_suffix(b"\0").unwrap_or(part);
            for bytes in bytes.chunks(1000) {
                lines.room()[..bytes.len()].copy_from_slice(bytes);
                lines.filled(bytes.len());
                drain(&mut lines);
            }
            if bytes.len() < part.len() {
                lines.next_file(is_stamp);
                drain(&mut lines);
            }
        }
    }
    lines.next_file(is_stamp);
    lines.seal();
    drain(&mut lines);
    let mut whole: Vec<u8> = Vec::new();
    for file in pieces.whole.split(|byte| *byte == 0) {
        let torn = whole.last().is_some_and(|last| *last != b'\n');
        if torn && file.split(|byte| *byte == b'\n').next().is_some_and(is_stamp) {
            whole.push(b'\n');
        }
        whole.extend_from_slice(file);
    }
    let expected: Vec<&[u8]> = whole
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\n").unwrap_or(line))
        .collect();
    assert_eq!(found, expected);
}

/// A finished file that claims to be compressed: it is read to its end, or to where it is wrong; from a place on, it is what
/// it was from there on.
pub fn svlog_content(data: &[u8]) {
    const MOST: usize = 1 << 20;
    let file = sys::fs::memfd_create(c"content", sys::fs::MemfdFlags::CLOEXEC).expect("memory");
    sys::write_all(&file, data).expect("written");
    let file = Rc::new(file);
    let read = |start| {
        let (mut all, mut buffer) = (Vec::new(), [0; 999]);
        let mut content = Content::of_finished(file.clone(), start).ok()?;
        while all.len() < MOST {
            match content.read(&mut buffer) {
                Ok(0) => return Some((all, true)),
                Ok(count) => all.extend_from_slice(&buffer[..count]),
                Err(_) => return Some((all, false)),
            }
        }
        None
    };
    if let Some((all, true)) = read(0) {
        let place = all.len() / 2;
        assert_eq!(read(place as u64), Some((all[place..].to_vec(), true)));
    }
}
