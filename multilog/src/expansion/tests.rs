use super::*;
use crate::crc32::crc32;
use alloc::vec::Vec;
use miniz_oxide::deflate::compress_to_vec;
use ruzstd::encoding::{CompressionLevel, compress_to_vec as zstandard};

/// All that comes out, and how that ends, when it comes a few bytes at a time.
fn read(bytes: &[u8]) -> (Vec<u8>, Option<Trouble>) {
    let mut rest = bytes;
    let feed = Feed::new(move |buffer| {
        let (now, later) = rest.split_at(rest.len().min(buffer.len()).min(777));
        buffer[..now.len()].copy_from_slice(now);
        rest = later;
        Ok(now.len())
    });
    let mut all = Vec::new();
    let trouble = expand(feed, |bytes| all.extend_from_slice(bytes)).err();
    (all, trouble)
}

/// A member with these flags, and what belongs to them.
pub(crate) fn gzip(text: &[u8], flags: u8, extra: &[u8]) -> Vec<u8> {
    let header = [&gzip::MAGIC[..], &[flags, 0, 0, 0, 0, 0, 3], extra].concat();
    let size = u32::try_from(text.len()).expect("small").to_le_bytes();
    let trailer = [crc32(0, text).to_le_bytes(), size].concat();
    [header, compress_to_vec(text, 6), trailer].concat()
}

pub(crate) fn zstd(text: &[u8]) -> Vec<u8> {
    zstandard(text, CompressionLevel::Fastest)
}

/// Lines that compress, but not to nothing.
pub(crate) fn log(size: usize) -> Vec<u8> {
    let mut number = 1_u32;
    let mut text = Vec::with_capacity(size + 40);
    while text.len() < size {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.extend_from_slice(
            format!("{number:08x} connection from {}\n", number >> 20).as_bytes(),
        );
    }
    text
}

#[test]
fn every_part_of_a_gzip_header() {
    let text = b"a line\n";
    for (flags, extra) in [
        (1, &b""[..]),
        (4, b"\x03\x00abc"),
        (8, b"@4000.s\0"),
        (16, b"comment\0"),
        (2, b"\x12\x34"),
        (4 + 8 + 16 + 2, b"\x00\x00name\0comment\0\x12\x34"),
    ] {
        assert_eq!(read(&gzip(text, flags, extra)), (text.to_vec(), None), "{flags}");
    }
}

#[test]
fn several_in_one_file() {
    let (one, two) = (b"one\n", b"two\n");
    let both = (b"one\ntwo\n".to_vec(), None);
    assert_eq!(read(&[gzip(one, 0, b""), gzip(two, 0, b"")].concat()), both);
    assert_eq!(read(&[gzip(one, 0, b""), gzip(two, 0, b""), vec![0; 512]].concat()), both);
    assert_eq!(read(&[zstd(one), zstd(two)].concat()), both);
    let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc".to_vec();
    assert_eq!(read(&[skippable.clone(), zstd(one), skippable, zstd(two)].concat()), both);
}

#[test]
fn what_is_cut_off_or_damaged_is_said_and_the_rest_was_good() {
    let text = log(40_000);
    for whole in [gzip(&text, 0, b""), zstd(&text)] {
        for length in (4..whole.len()).step_by(97) {
            let (found, trouble) = read(&whole[..length]);
            assert_eq!(trouble, Some(Trouble::Damaged), "{length}");
            assert!(text.starts_with(&found), "{length}");
        }
        let (mut found, mut damaged) = (0, whole.clone());
        for place in (whole.len() / 2..whole.len()).step_by(301) {
            damaged[place] ^= 0x10;
            found += usize::from(read(&damaged) != (text.clone(), None));
            damaged[place] ^= 0x10;
        }
        assert!(found > 5, "{found}");
        let mut sum = whole;
        let place = sum.len() - 6;
        sum[place..].fill(7);
        assert_eq!(read(&sum).1, Some(Trouble::Damaged));
    }
    assert_eq!(read(&[gzip(b"a", 0, b""), b"x".to_vec()].concat()).1, Some(Trouble::Damaged));
}

#[test]
fn what_nobody_here_understands() {
    for (begin, by) in FOREIGN {
        assert_eq!(read(begin).1, Some(Trouble::Foreign(by)));
    }
    assert!(!is_compressed(b"\x1F\x8B"), "two bytes are no header");
    assert_eq!(read(b"a line\n").1, Some(Trouble::Damaged));
}

#[test]
fn a_window_beyond_all_memory() {
    let huge = b"\x28\xb5\x2f\xfd\x00\xff\0\0\0\0\0\0\0\0\0\0\0\0";
    let trouble = read(huge).1;
    assert!(matches!(trouble, Some(Trouble::Window | Trouble::Damaged)), "{trouble:?}");
}

#[test]
fn trouble_is_handed_on() {
    for whole in [gzip(b"text", 0, b""), zstd(b"text")] {
        for length in 0..whole.len() {
            let mut begin = Some(&whole[..length]);
            let feed = Feed::new(move |buffer| {
                let begin = begin.take().filter(|begin| !begin.is_empty()).ok_or(Errno::IO)?;
                buffer[..begin.len()].copy_from_slice(begin);
                Ok(begin.len())
            });
            assert_eq!(expand(feed, |_| {}), Err(Trouble::Errno(Errno::IO)), "{length}");
        }
    }
}
