//! What the fuzzer runs here: see fuzz/.

use crate::getopt::{Getopt, Opt};
use crate::number;
use crate::tai64n::Label;
use crate::takeover::state::{Malformed, Reader, Tag, Writer};
use std::ffi::CString;
use sys::Args;

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

/// Arguments, a line each: read as the originals' getopt reads them.
pub fn getopt(text: &[u8]) {
    let mut words: Vec<Vec<u8>> = vec![b"program".to_vec()];
    words.extend(text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
    words.iter_mut().for_each(|word| word.retain(|byte| *byte != 0));
    let args = words.iter().map(|word| CString::new(&word[..]).expect("no NUL")).collect();
    let mut options = Getopt::new(Args::new(args), b"ab:c-:");
    let mut found = Vec::new();
    let mut illegal = false;
    for option in &mut options {
        match option {
            Ok(Opt::Flag(letter)) => found.push((letter, None)),
            Ok(Opt::Value(letter, value)) => found.push((letter, Some(value.to_bytes().to_vec()))),
            Err(_) => illegal = true,
        }
        assert!(found.len() <= text.len());
    }
    let (expected, rest) = plain_getopt(&words);
    assert_eq!((found, illegal), (expected, rest.is_none()));
    if let Some(rest) = rest {
        assert!(options.rest().iter().map(std::ffi::CStr::to_bytes).eq(rest));
    }
}

/// The same by the book: what was found, and what is left; `None` after an illegal option.
#[expect(clippy::type_complexity, reason = "used once")]
fn plain_getopt(words: &[Vec<u8>]) -> (Vec<(u8, Option<Vec<u8>>)>, Option<&[Vec<u8>]>) {
    let mut found = Vec::new();
    let mut rest = &words[1..];
    while let [word, after @ ..] = rest {
        if word.first() != Some(&b'-') || word.len() == 1 {
            break;
        }
        rest = after;
        if word[1] == b'-' {
            break;
        }
        for (at, letter) in word.iter().enumerate().skip(1) {
            match letter {
                b'a' | b'c' => found.push((*letter, None)),
                b'b' | b'-' => {
                    let value = match (&word[at + 1..], rest) {
                        ([], []) => return (found, None),
                        ([], [next, after @ ..]) => {
                            rest = after;
                            &next[..]
                        }
                        (inline, _) => inline,
                    };
                    found.push((*letter, Some(value.to_vec())));
                    break;
                }
                _ => return (found, None),
            }
        }
    }
    (found, Some(rest))
}

/// A TAI64N label, and numbers: what is read is what is written.
pub fn label(text: &[u8]) {
    let shape = text.len() == 25
        && text[0] == b'@'
        && text[1..].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let label = Label::from_hex(text);
    assert_eq!(label.is_some(), shape);
    if let Some(label) = label {
        assert_eq!(label.to_hex(), text);
        assert_eq!(Label::from_bytes(label.to_bytes()), label);
        assert_eq!(label.seconds_since(label), 0);
    }
    let plain = str::from_utf8(text).ok().filter(|text| !text.starts_with('+'));
    assert_eq!(number::whole(text), plain.and_then(|text| text.parse().ok()));
    if let Some(value) = number::whole(text) {
        assert_eq!(number::ulong(text), Some((value, text.len())));
        assert_eq!(number::whole(number::decimal(value).as_bytes()), Some(value));
    }
}

/// The state that a program hands to its successor: what was read, written again, is the same.
pub fn takeover(bytes: &[u8]) {
    let Ok(state) = Reader::new(bytes) else { return };
    let mut copy = Writer::default();
    for tag in tags(bytes) {
        for value in state.all(tag) {
            assert!(value.len() < bytes.len());
        }
        let number = state.number(tag);
        let first = state.bytes(tag).expect("it is there");
        match number {
            Ok(found) => {
                assert!(found.is_some() && first.len() <= 8);
                let mut one = Writer::default();
                one.number(tag, found.unwrap_or_default());
                assert_eq!(Reader::new(one.as_bytes()).map(|one| one.number(tag)), Ok(Ok(found)));
            }
            Err(Malformed) => assert!(first.len() > 8),
        }
        for record in state.records(tag).flatten() {
            assert!(record.bytes(tag).is_none_or(|inner| inner.len() < bytes.len()));
        }
    }
    let mut rest = bytes;
    while let Some((tag, value, after)) = field(rest) {
        copy.bytes(tag, value);
        rest = after;
    }
    assert_eq!(copy.as_bytes(), bytes);
}

fn tags(bytes: &[u8]) -> Vec<Tag> {
    let mut rest = bytes;
    let mut found = Vec::new();
    while let Some((tag, _, after)) = field(rest).filter(|_| found.len() < 16) {
        found.push(tag);
        rest = after;
    }
    found
}

fn field(bytes: &[u8]) -> Option<(Tag, &[u8], &[u8])> {
    let length = u32::from_le_bytes(bytes.get(2..6)?.try_into().ok()?) as usize;
    let value = bytes.get(6..6 + length)?;
    Some((Tag::from_le_bytes([bytes[0], bytes[1]]), value, &bytes[6 + length..]))
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("getopt", super::getopt);
        replay("label", super::label);
        replay("takeover", super::takeover);
    }
}
