//! Files that are written, read, damaged and made up.

use super::*;
use crate::names::Encoded;
use proptest::prelude::*;
use std::string::String;
use std::vec;

type Message = (Facts, Place, Vec<u8>);

/// A file with these messages.
fn written(title: Title, messages: &[Message]) -> Vec<u8> {
    let mut forms = Forms::default();
    let encoded: Vec<_> = messages
        .iter()
        .map(|(_, place, name)| {
            let mut encoded = Encoded::default();
            forms.encode(*place, name, &mut encoded);
            encoded
        })
        .collect();
    let mut file = vec![];
    let write = |bytes: &[u8]| {
        file.extend_from_slice(bytes);
        Ok(())
    };
    let mut writer = Writer::new(write, &title, &forms).unwrap();
    for ((facts, ..), encoded) in messages.iter().zip(&encoded) {
        writer.add(*facts, encoded.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
    file
}

/// What is read of a file, in pieces of this size; and whether it was whole.
fn read(file: &[u8], piece: usize) -> Result<(Title, Vec<Message>, bool), Damaged> {
    let mut rest = file;
    let source = |space: &mut [u8]| {
        let count = space.len().min(rest.len()).min(piece);
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        Ok(count)
    };
    let mut reader = Reader::new(source)?;
    let (title, forms) = (reader.title(), reader.forms());
    let (mut messages, mut name) = (vec![], FileName::default());
    loop {
        match reader.next(&forms, &mut name) {
            Ok(Some(record)) => {
                messages.push((record.facts, record.place, name.as_bytes().to_vec()));
            }
            end => return Ok((title, messages, end.is_ok())),
        }
    }
}

fn message(modified: u32, size: Size, check: u32, new: bool, name: String) -> Message {
    let place = if new { Place::New } else { Place::Cur };
    (Facts { modified, size, check }, place, name.into_bytes())
}

fn messages(longest: usize) -> impl Strategy<Value = Vec<Message>> {
    let octets = || prop_oneof![0_u64..5000, Just(LARGE.into()), any::<u64>()];
    let size = prop_oneof![octets().prop_map(Size::OnDisk), octets().prop_map(Size::AsSent)];
    let one = (any::<u32>(), size, any::<u32>(), any::<bool>(), "[a-z0-9]{1,30}(:2,S?)?");
    let one = one
        .prop_map(|(modified, size, check, new, name)| message(modified, size, check, new, name));
    prop::collection::vec(one, 0..longest)
}

fn title(messages: &[Message]) -> Title {
    let stamp = |inode| Stamp { inode, modified: (u64::MAX, 2), changed: (3, 999_999_999) };
    let messages = messages.len() as u32;
    Title { messages, distinct: true, new: stamp(7), cur: stamp(8) }
}

#[test]
fn names_that_no_message_has() {
    for name in ["", ".", "..", ".hidden", "a/b", "a\0b"] {
        let wrong = [message(1, Size::OnDisk(1), 1, true, name.into())];
        let read = read(&written(title(&wrong), &wrong), 99);
        assert!(!matches!(read, Ok((_, _, true))), "{name:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_written_is_read(messages in messages(40), piece in 1_usize..50_000) {
        let file = written(title(&messages), &messages);
        prop_assert_eq!(read(&file, piece), Ok((title(&messages), messages, true)));
    }

    #[test]
    fn damage_is_noticed(messages in messages(20), at in any::<usize>(), bit in 0..8) {
        let whole = written(title(&messages), &messages);
        let mut file = whole.clone();
        let at = at % file.len();
        file[at] ^= 1_u8 << bit;
        prop_assert!(!matches!(read(&file, 4096), Ok((_, _, true))), "byte {}", at);
        prop_assert!(!matches!(read(&whole[..at], 4096), Ok((_, _, true))), "cut at {}", at);
    }
}

#[test]
fn many_blocks() {
    let messages: Vec<_> = (0..9000)
        .map(|n| message(n, Size::AsSent(n.into()), n, n % 3 == 0, std::format!("{n}.x.host")))
        .collect();
    let file = written(title(&messages), &messages);
    assert!(file.len() > 3 * BLOCK);
    assert_eq!(read(&file, usize::MAX), Ok((title(&messages), messages, true)));
}
