use super::*;
use crate::expansion::tests::{gzip, log, zstd};

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
fn what_isnt_expanded() {
    assert_eq!(read(b"\x1F\x8B", 0), (b"\x1F\x8B".to_vec(), None));
    assert_eq!(read(b"BZh9", 0).1, Some(Trouble::Foreign(b"bzip2")));
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
