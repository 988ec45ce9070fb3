use super::*;
use crate::crc32::crc32;
use miniz_oxide::deflate::compress_to_vec;
use ruzstd::encoding::{CompressionLevel, compress_to_vec as zstandard};

/// A file that holds these bytes and has no name.
fn file(bytes: &[u8]) -> Rc<OwnedFd> {
    let fd = sys::fs::memfd_create(c"content", sys::fs::MemfdFlags::CLOEXEC).expect("memory");
    sys::write_all(&fd, bytes).expect("written");
    Rc::new(fd)
}

/// All that comes out, and how that ends.
fn read(bytes: &[u8], start: u64) -> (Vec<u8>, Option<Trouble>) {
    let mut content = match Content::of_finished(file(bytes), start) {
        Ok(content) => content,
        Err(trouble) => return (Vec::new(), Some(trouble)),
    };
    let (mut all, mut buffer) = (Vec::new(), [0; 1000]);
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return (all, None),
            Ok(count) => all.extend_from_slice(&buffer[..count]),
            Err(trouble) => return (all, Some(trouble)),
        }
    }
}

/// A member with these flags, and what belongs to them.
fn gzip(text: &[u8], flags: u8, extra: &[u8]) -> Vec<u8> {
    let header = [&gzip::MAGIC[..], &[flags, 0, 0, 0, 0, 0, 3], extra].concat();
    let size = u32::try_from(text.len()).expect("small").to_le_bytes();
    let trailer = [crc32(0, text).to_le_bytes(), size].concat();
    [header, compress_to_vec(text, 6), trailer].concat()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstandard(text, CompressionLevel::Fastest)
}

/// Lines that compress, but not to nothing.
fn log(size: usize) -> Vec<u8> {
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
fn what_was_compressed_comes_out() {
    for size in [0, 1, 100, 70_000, 600_000] {
        let text = log(size);
        for compressed in [text.clone(), gzip(&text, 0, b""), zstd(&text)] {
            assert!(read(&compressed, 0) == (text.clone(), None), "{size}");
            assert!(read(&compressed, 60) == (text[60.min(text.len())..].to_vec(), None), "{size}");
        }
    }
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
        assert_eq!(read(&gzip(text, flags, extra), 0), (text.to_vec(), None), "{flags}");
    }
}

#[test]
fn several_in_one_file() {
    let (one, two) = (b"one\n", b"two\n");
    let both = (b"one\ntwo\n".to_vec(), None);
    assert_eq!(read(&[gzip(one, 0, b""), gzip(two, 0, b"")].concat(), 0), both);
    assert_eq!(read(&[gzip(one, 0, b""), gzip(two, 0, b""), vec![0; 512]].concat(), 0), both);
    assert_eq!(read(&[zstd(one), zstd(two)].concat(), 0), both);
    let skippable = b"\x5a\x2a\x4d\x18\x03\0\0\0abc".to_vec();
    assert_eq!(read(&[skippable.clone(), zstd(one), skippable, zstd(two)].concat(), 0), both);
}

#[test]
fn what_is_cut_off_or_damaged_is_said_and_the_rest_was_good() {
    let text = log(40_000);
    for whole in [gzip(&text, 0, b""), zstd(&text)] {
        for length in (4..whole.len()).step_by(97) {
            let (found, trouble) = read(&whole[..length], 0);
            assert_eq!(trouble, Some(Trouble::Damaged), "{length}");
            assert!(text.starts_with(&found), "{length}");
        }
        let (mut found, mut damaged) = (0, whole.clone());
        for place in (whole.len() / 2..whole.len()).step_by(301) {
            damaged[place] ^= 0x10;
            found += usize::from(read(&damaged, 0) != (text.clone(), None));
            damaged[place] ^= 0x10;
        }
        assert!(found > 5, "{found}");
        let mut sum = whole;
        let place = sum.len() - 6;
        sum[place..].fill(7);
        assert_eq!(read(&sum, 0).1, Some(Trouble::Damaged));
    }
    assert_eq!(read(&[gzip(b"a", 0, b""), b"x".to_vec()].concat(), 0).1, Some(Trouble::Damaged));
}

#[test]
fn what_nobody_here_understands() {
    for (begin, by) in FOREIGN {
        assert_eq!(read(begin, 0).1, Some(Trouble::Foreign(by)));
    }
    assert_eq!(read(b"\x1F\x8B", 0), (b"\x1F\x8B".to_vec(), None), "two bytes are no header");
}

#[test]
fn a_window_beyond_all_memory() {
    let huge = b"\x28\xb5\x2f\xfd\x00\xff\0\0\0\0\0\0\0\0\0\0\0\0";
    let trouble = read(huge, 0).1;
    assert!(matches!(trouble, Some(Trouble::Window | Trouble::Damaged)), "{trouble:?}");
}

#[test]
fn the_same_bytes_in_two_files() {
    let text = log(100_000);
    let same = |one: &[u8], other: &[u8]| {
        let mut plain = Content::plain(file(one), 0, u64::MAX);
        let mut other = Content::of_finished(file(other), 0).unwrap_or_else(|_| panic!("opened"));
        alike(&mut plain, &mut other)
    };
    for compressed in [text.clone(), gzip(&text, 0, b""), zstd(&text)] {
        assert!(same(&text, &compressed));
        assert!(!same(&text[1..], &compressed));
        assert!(!same(&text[..text.len() - 1], &compressed));
        assert!(!same(&text, &compressed[..compressed.len() - 1]));
    }
    assert!(same(b"", b""));
}
