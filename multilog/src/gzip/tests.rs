//! There and back again. (The end-to-end tests ask gzip(1), too.)

use super::*;
use crate::expansion::{Feed, Trouble, expand};
use alloc::vec::Vec;
use proptest::prelude::*;

fn reader(bytes: &[u8], most: usize) -> impl FnMut(&mut [u8]) -> Result<usize, Errno> {
    let mut rest = bytes;
    move |buffer| {
        let count = buffer.len().min(rest.len()).min(most);
        buffer[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        Ok(count)
    }
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let write = |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok(())
    };
    compress(reader(bytes, 1000), write).expect("memory");
    out
}

fn expanded(bytes: &[u8], most: usize) -> Result<Vec<u8>, Trouble> {
    let mut out = Vec::new();
    expand(Feed::new(reader(bytes, most)), |bytes| out.extend_from_slice(bytes))?;
    Ok(out)
}

#[test]
fn there_and_back() {
    for log in [
        b"".to_vec(),
        b"a".to_vec(),
        b"a line\n".repeat(100_000),
        (0..=255).cycle().take(70_000).collect(),
    ] {
        let small = compressed(&log);
        assert!(small.len() < log.len() / 10 + 30);
        for most in [1, 7, usize::MAX] {
            assert_eq!(expanded(&small, most).as_ref(), Ok(&log));
        }
    }
}

#[test]
fn what_is_broken_is_not_believed() {
    let log = b"one line and another one, and a line\n".repeat(50);
    let whole = compressed(&log);
    for length in 0..whole.len() {
        assert_eq!(expanded(&whole[..length], usize::MAX), Err(Trouble::Damaged), "{length}");
    }
    // When, with how much effort and where it was compressed says nothing of what it holds.
    for index in (0..4).chain(HEADER.len()..whole.len()) {
        let mut broken = whole.clone();
        broken[index] ^= 0x55;
        assert_eq!(expanded(&broken, usize::MAX), Err(Trouble::Damaged), "{index}");
    }
    assert_eq!(expanded(&[&whole[..], b"x"].concat(), usize::MAX), Err(Trouble::Damaged));
}

#[test]
fn trouble_is_handed_on() {
    assert_eq!(compress(|_| Err(Errno::IO), |_| Ok(())), Err(Errno::IO));
    assert_eq!(compress(|_| Ok(0), |_| Err(Errno::NOSPC)), Err(Errno::NOSPC));
}

proptest! {
    #[test]
    fn whatever_it_is(log in prop::collection::vec(any::<u8>(), 0..5000), most in 1_usize..100) {
        prop_assert_eq!(expanded(&compressed(&log), most), Ok(log));
    }
}
