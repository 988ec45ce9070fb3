//! What the fuzzer runs here: see fuzz/.

use crate::encoding::{Encoder, Size, Top};
use crate::line::{LIMIT, Line, Lines};
use crate::maildrop::{Facts, Maildrop, Place, Size as MessageSize};
use crate::names::{self, Encoded, FileName, Forms};
use crate::size_file;
use crate::transaction::{Effect, Transaction};
use pieces::Pieces;
use std::collections::HashSet;

mod before_login;
#[path = "../../fuzz/pieces.rs"]
mod pieces;
#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

pub use before_login::{pop3_encrypted, pop3_login};

const MESSAGES: usize = 70;

/// What a client says after login, in whatever packets: each line has its one answer, and the messages that are
/// marked are those that it has named.
pub fn pop3(data: &[u8]) {
    let pieces = Pieces::of(data);
    let mut heard = Vec::new();
    arrive(pieces.iter(), |lines| {
        while let Some(line) = lines.next() {
            heard.push(match line {
                Line::Whole(line) => Some(line.to_vec()),
                Line::TooLong => None,
            });
        }
    });
    let whole = pieces.whole.split_inclusive(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\n")?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some((line.len() <= LIMIT).then(|| line.to_vec()))
    });
    assert_eq!(heard, whole.collect::<Vec<_>>());

    let mut transaction = Transaction::new(MESSAGES);
    let mut deleted = HashSet::new();
    for line in &heard {
        let line = line.as_ref().map_or(Line::TooLong, |line| Line::Whole(line));
        let kept = transaction.kept();
        let effect = transaction.handle(line);
        note(line, effect, &mut deleted);
        if let Effect::List(message)
        | Effect::Uidl(message)
        | Effect::Retr(message)
        | Effect::Top(message, _) = effect
        {
            assert!(message < MESSAGES && !deleted.contains(&message));
        }
        assert!(transaction.kept() + 1 >= kept);
        assert_eq!(transaction.kept(), MESSAGES - deleted.len());
        assert!(transaction.all_kept().all(|message| !deleted.contains(&message)));
    }
}

/// Packets arrive, and what takes lines out is asked each time that there may be some.
fn arrive<'a>(packets: impl Iterator<Item = &'a [u8]>, mut take: impl FnMut(&mut Lines)) {
    let mut lines = Lines::default();
    for mut packet in packets {
        while !packet.is_empty() {
            let space = lines.space();
            let count = packet.len().min(space.len());
            assert!(count > 0);
            space[..count].copy_from_slice(&packet[..count]);
            lines.filled(count);
            packet = &packet[count..];
            take(&mut lines);
        }
    }
}

/// What a DELE that was agreed to, or an RSET, does.
fn note(line: Line<'_>, effect: Effect, deleted: &mut HashSet<usize>) {
    let (Line::Whole(line), Effect::Say(b"+OK\r\n")) = (line, effect) else { return };
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    match words.next().unwrap_or_default().to_ascii_uppercase().as_slice() {
        b"DELE" => {
            let number =
                words.next().and_then(|word| str::from_utf8(word).ok()?.parse::<usize>().ok());
            assert!(deleted.insert(number.expect("a number") - 1), "marked twice");
        }
        b"RSET" => deleted.clear(),
        _ => {}
    }
}

/// A message on its way to the client, read in whatever pieces: no line of it ends the reply, the client gets back
/// what was sent, its size is the one that was promised, and TOP is its beginning.
pub fn pop3_message(data: &[u8]) {
    let pieces = Pieces::of(data);
    let (mut encoder, mut size, mut sent) = (Encoder::default(), Size::default(), Vec::new());
    for piece in pieces.iter() {
        encoder.encode(piece, &mut sent);
        size.count(piece);
    }
    encoder.finish(&mut sent);
    let body = sent.strip_suffix(b".\r\n").expect("the end of a reply");
    let mut received = Vec::new();
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        assert!(line.ends_with(b"\r\n") && line != b".\r\n");
        received.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    let mut expected = Vec::new();
    for line in pieces.whole.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let bare = line.strip_suffix(b"\r").unwrap_or(line);
        expected.extend_from_slice(text.unwrap_or(bare));
        expected.extend_from_slice(b"\r\n");
    }
    assert_eq!(received, expected);
    assert_eq!(size.total(), received.len() as u64);

    for wanted in [0, 1, 3] {
        let mut top = Top::new(wanted);
        let mut taken = 0;
        for piece in pieces.iter() {
            let part = top.take(piece);
            taken += part;
            if part < piece.len() {
                assert!(top.is_over());
                break;
            }
        }
        assert_eq!(taken, top_of(pieces.whole, wanted));
    }
}

/// How much of a message its header and so many lines are.
fn top_of(message: &[u8], wanted: u64) -> usize {
    let (mut length, mut body) = (0, None::<u64>);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        match &mut body {
            Some(lines) if *lines == wanted => return length,
            Some(lines) => *lines += 1,
            None if matches!(line, b"\n" | b"\r\n") => body = Some(0),
            None => {}
        }
        length += line.len();
    }
    length
}

/// A `qmail-pop3d.sizes` with whatever in its blocks, and digests that are right: all that is read is lawful and
/// bounded, and what can be read to its end is the same when it is written and read again.
pub fn pop3_sizes(data: &[u8]) {
    assert!(sizes_in(data).is_none() || data.len() > 64, "no digest is as good as that");
    let mut file = Vec::new();
    for (number, piece) in (0..).zip(Pieces::of(data).iter()) {
        let block = if number == 0 { [size_file::TITLE, piece].concat() } else { piece.to_vec() };
        file.extend_from_slice(&(block.len() as u32).to_le_bytes());
        file.extend_from_slice(&size_file::digest_of(number, &block).to_le_bytes());
        file.extend_from_slice(&block);
    }
    let Some((title, messages)) = sizes_in(&file) else { return };
    assert_eq!(title.messages as usize, messages.len());
    let (mut forms, mut again) = (Forms::default(), Vec::new());
    let mut encoded = Vec::new();
    for (_, place, name) in &messages {
        let mut one = Encoded::default();
        forms.encode(*place, name, &mut one);
        encoded.push(one);
    }
    let write = |bytes: &[u8]| {
        again.extend_from_slice(bytes);
        Ok(())
    };
    let mut writer = size_file::Writer::new(write, &title, &forms).expect("memory");
    for ((facts, ..), one) in messages.iter().zip(&encoded) {
        writer.add(*facts, one.as_bytes()).expect("memory");
    }
    writer.finish().expect("memory");
    assert_eq!(sizes_in(&again), Some((title, messages)));
}

type Remembered = (Facts, Place, Vec<u8>);

/// What is in such a file, if it is whole.
fn sizes_in(file: &[u8]) -> Option<(size_file::Title, Vec<Remembered>)> {
    let mut rest = file;
    let source = |space: &mut [u8]| {
        let count = space.len().min(rest.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        Ok(count)
    };
    let mut reader = size_file::Reader::new(source).ok()?;
    let (title, forms) = (reader.title(), reader.forms());
    let (mut name, mut messages) = (FileName::default(), Vec::new());
    while let Some(record) = reader.next(&forms, &mut name).ok()? {
        let bytes = name.as_bytes();
        assert!((1..=names::LONGEST).contains(&bytes.len()) && bytes[0] != b'.');
        assert!(!bytes.contains(&0) && !bytes.contains(&b'/'));
        assert_eq!(name.as_c_str().to_bytes(), bytes);
        messages.push((record.facts, record.place, bytes.to_vec()));
        assert!(messages.len() <= file.len(), "more than there is");
    }
    Some((title, messages))
}

/// File names, kept in little memory: each comes back as it was, and so does their order.
pub fn pop3_names(data: &[u8]) {
    let lawful = |name: &&[u8]| name.len() <= names::LONGEST && !name.is_empty();
    let lines: Vec<&[u8]> =
        data.split(|byte| matches!(byte, 0 | b'/' | b'\n')).filter(lawful).collect();
    let mut maildrop = Maildrop::default();
    for (nth, name) in lines.iter().enumerate() {
        let facts = Facts {
            modified: (name.len() % 3) as u32,
            size: MessageSize::OnDisk(nth as u64),
            check: 1,
        };
        let place = if nth % 2 == 0 { Place::New } else { Place::Cur };
        maildrop.add(place, name, facts).expect("memory");
    }
    maildrop.sort();
    let mut expected: Vec<_> = (0..lines.len()).collect();
    expected.sort_by_key(|nth| (lines[*nth].len() % 3, names::unique(lines[*nth]), lines[*nth]));
    assert_eq!(maildrop.len(), lines.len());
    let mut name = FileName::default();
    for (message, expected) in expected.into_iter().enumerate() {
        let place = maildrop.name(message, &mut name);
        assert_eq!(name.as_bytes(), lines[expected]);
        let MessageSize::OnDisk(nth) = maildrop.facts(message).size else { panic!("another size") };
        assert_eq!(name.as_bytes(), lines[nth as usize]);
        assert_eq!(place, if nth % 2 == 0 { Place::New } else { Place::Cur });
    }
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("pop3", super::pop3);
        replay("pop3-login", super::pop3_login);
        replay("pop3-encrypted", super::pop3_encrypted);
        replay("pop3-message", super::pop3_message);
        replay("pop3-names", super::pop3_names);
        replay("pop3-sizes", super::pop3_sizes);
    }
}
