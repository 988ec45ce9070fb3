//! What lies in a log's directory: finished files, compressed ones, and a journal's record.

use super::pieces::Pieces;
use crate::expansion::{Feed, expand};
use crate::multilog::compression::Format;
use crate::multilog::journal::place::File;
use crate::multilog::journal::record::{Record, checksum};
use crate::multilog::journal::replay::plan;
use crate::multilog::{finished as names, limits};
use crate::{gzip, zstandard};
use common::tai64n::Label;
use core::time::Duration;
use std::ffi::CString;
use sys::Errno;

/// The names of the files in a log's directory: the next one comes after all that count, and never more go than
/// there are too many.
pub fn finished(data: &[u8]) {
    let names = data.split(|byte| *byte == b'\n').filter_map(|name| CString::new(name).ok());
    let there: Vec<CString> = names.collect();
    let name = names::name(Duration::from_secs(1_700_000_000), &there, b"s");
    assert!(!there.contains(&name));
    assert!(name.to_bytes().len() == 27 && Label::from_hex(&name.to_bytes()[..25]).is_some());
    let files = names::in_order(&there);
    let counts = |name: &&CString| name.to_bytes().len() >= 25 && name.to_bytes() < b"@z";
    let counted = there.iter().filter(counts).count();
    let is_copy = |name: &&CString| Format::stripped(name.to_bytes()).is_some();
    assert!(
        files.len() <= counted && counted <= files.len() + there.iter().filter(is_copy).count()
    );
    assert!(files.is_sorted());
    assert_eq!(limits::too_many(&files, 5), files.len().saturating_sub(4));
    let (age, now) = (Duration::from_secs(1000), Duration::from_secs(1_700_000_000));
    let left = &files[limits::expired(&files, age, now)..];
    assert!(limits::next_expiry(left, age).is_none_or(|next| next > now));
}

/// A journal's record, as it may be found, and the size of a journal: what is read is written as it was, and nothing of the
/// journal is passed over that no record says is done.
pub fn journal_record(data: &[u8]) {
    let read = Record::decode(data);
    // The checksum would keep nearly everything out.
    let mut bytes = data.to_vec();
    if let (Ok(length), true) = (u32::try_from(bytes.len()), bytes.len() > 20) {
        bytes[..8].copy_from_slice(b"mlogjrn1");
        bytes[16..20].copy_from_slice(&length.to_le_bytes());
        let sum = checksum(&bytes[16..]);
        bytes[8..16].copy_from_slice(&sum.to_le_bytes());
    }
    let mended = Record::decode(&bytes);
    for record in [&read, &mended].into_iter().flatten() {
        assert_eq!(Record::decode(&record.encode()).as_ref(), Some(record));
        for place in &record.places {
            let current = File { number: record.begin, size: record.end };
            assert!(place.there(Some(current)) >= place.there(None));
            let mut left = *place;
            left.leave(Some(current));
            assert_eq!(left.there(Some(current)), place.there(Some(current)));
        }
    }
    let size = data.first_chunk().map_or(0, |size| u64::from_le_bytes(*size));
    let found = plan([read, mended], size);
    assert!(found.record.begin <= found.record.end && found.record.end == found.new.start);
    assert!(found.new.start <= found.new.end && found.new.end == size);
}

/// Anything at all, compressed and expanded: the same again, in whatever pieces it was read, and hardly larger on the way.
pub fn compressed(data: &[u8]) {
    let pieces = Pieces::of(data);
    let whole = pieces.whole;
    let mut chunks: Vec<&[u8]> = pieces.iter().filter(|piece| !piece.is_empty()).collect();
    chunks.reverse();
    let read = |buffer: &mut [u8]| {
        let Some(chunk) = chunks.pop() else { return Ok(0) };
        let (now, later) = chunk.split_at(chunk.len().min(buffer.len()));
        buffer[..now.len()].copy_from_slice(now);
        chunks.extend((!later.is_empty()).then_some(later));
        Ok(now.len())
    };
    let mut small = Vec::new();
    let write = |bytes: &[u8]| {
        small.extend_from_slice(bytes);
        Ok(())
    };
    zstandard::compress(read, write).expect("memory");
    assert!(small.len() <= whole.len() + 13 + 3 * (whole.len() / 0x20000));
    let mut back = Vec::new();
    expand(Feed::new(reader(&small)), |bytes| back.extend_from_slice(bytes)).expect("whole");
    assert!(back == whole);

    let mut small = Vec::new();
    let write = |bytes: &[u8]| {
        small.extend_from_slice(bytes);
        Ok(())
    };
    gzip::compress(reader(whole), write).expect("memory");
    back.clear();
    expand(Feed::new(reader(&small)), |bytes| back.extend_from_slice(bytes)).expect("whole");
    assert!(back == whole);
}

fn reader(bytes: &[u8]) -> impl FnMut(&mut [u8]) -> Result<usize, Errno> {
    let mut rest = bytes;
    move |buffer| {
        let (now, later) = rest.split_at(rest.len().min(buffer.len()));
        buffer[..now.len()].copy_from_slice(now);
        rest = later;
        Ok(now.len())
    }
}
