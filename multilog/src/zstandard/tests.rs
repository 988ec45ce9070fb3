//! What is compressed is expanded by a decoder that others wrote. (The end-to-end tests ask zstd(1), too.)

use super::*;
use crate::expansion::{Feed, Trouble, expand};
use proptest::prelude::*;

fn compressed(bytes: &[u8], most: usize) -> Vec<u8> {
    let (mut rest, mut out) = (bytes, Vec::new());
    let read = |buffer: &mut [u8]| {
        let count = buffer.len().min(rest.len()).min(most);
        buffer[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        Ok(count)
    };
    let write = |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok(())
    };
    compress(read, write).expect("memory");
    out
}

fn expanded(bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
    let (mut rest, mut out) = (bytes, Vec::new());
    let read = |buffer: &mut [u8]| {
        let count = buffer.len().min(rest.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        Ok(count)
    };
    expand(Feed::new(read), |bytes| out.extend_from_slice(bytes))?;
    Ok(out)
}

/// There and back again; how much it was in between.
fn there_and_back(bytes: &[u8]) -> usize {
    let small = compressed(bytes, usize::MAX);
    assert!(expanded(&small).is_ok_and(|back| back == bytes), "{} bytes", bytes.len());
    assert!(small.len() <= bytes.len() + 13 + 3 * (bytes.len() / BLOCK));
    small.len()
}

/// Numbers that look random: the same in each run.
fn dice() -> impl FnMut(u64) -> u64 {
    let mut state = 1_u64;
    move |below| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

fn noise(length: usize, kinds: u64) -> Vec<u8> {
    let mut dice = dice();
    (0..length).map(|_| dice(kinds).to_le_bytes()[0]).collect()
}

#[test]
fn sizes_at_which_something_changes() {
    for length in [
        0, 1, 2, 3, 8, 9, 31, 32, 63, 64, 255, 256, 257, 1023, 1024, 4095, 4096, 16383, 16384,
        65536,
    ] {
        for kinds in [1, 2, 3, 5, 40, 128, 129, 256] {
            there_and_back(&noise(length, kinds));
        }
    }
    for length in [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, WINDOW + 3 * BLOCK + 7] {
        there_and_back(&noise(length, 256));
        there_and_back(&noise(length, 60));
        assert!(there_and_back(&noise(length, 1)) < 200);
    }
}

#[test]
fn what_was_there_before_is_found_as_far_as_the_window_reaches() {
    let piece = noise(5000, 256);
    let between = |count| [piece.clone(), b"x".repeat(count), piece.clone()].concat();
    let near = there_and_back(&between(WINDOW - 20_000));
    let far = there_and_back(&between(WINDOW + 20_000));
    assert!(near < 6000 && far > 10_000, "{near} {far}");
}

/// A frame in which blocks that can't be compressed stand between others: what those say of earlier ones must hold.
#[test]
fn raw_blocks_in_between() {
    let text = b"@4000000065a1b2c3 tcpserver: status: 3/40\n".repeat(BLOCK / 30);
    let all = [&text[..BLOCK], &noise(BLOCK, 256), &text[..BLOCK], &noise(BLOCK, 256)[..99], &text]
        .concat();
    assert!(there_and_back(&all) < BLOCK + 3000);
}

#[test]
fn lines_become_a_fifth() {
    let mut dice = dice();
    let mut log = Vec::new();
    for number in 0..4000 {
        let line = format!(
            "@40000000{:08x}{:08x} tcpserver: end {} status {}\n",
            0x65a1_b2c3_u64 + number / 9,
            dice(1_000_000_000),
            20_000 + dice(10_000),
            [0, 0, 0, 256, 9][dice(5) as usize]
        );
        log.extend_from_slice(line.as_bytes());
    }
    assert!(there_and_back(&log) * 7 < log.len() * 2, "{}", there_and_back(&log));
    assert_eq!(compressed(&log, 1000), compressed(&log, usize::MAX), "however it is read");
}

#[test]
fn what_is_broken_is_not_believed_or_is_not_the_same() {
    let log = b"one line and another one, and a line\n".repeat(50);
    let whole = compressed(&log, usize::MAX);
    for length in 0..whole.len() - 4 {
        assert!(expanded(&whole[..length]).is_err(), "{length}");
    }
    for index in 6..whole.len() - 4 {
        let mut broken = whole.clone();
        broken[index] ^= 0x55;
        assert!(expanded(&broken).map_or(true, |back| back != log), "{index}");
    }
}

#[test]
fn trouble_is_handed_on() {
    assert_eq!(compress(|_| Err(Errno::IO), |_| Ok(())), Err(Errno::IO));
    assert_eq!(compress(|_| Ok(0), |_| Err(Errno::NOSPC)), Err(Errno::NOSPC));
}

fn contents() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        prop::sample::select(vec![
            &b"status: "[..],
            b"tcpserver: ",
            b"\n",
            b"192.0.2.1",
            "äöü".as_bytes()
        ])
        .prop_map(<[u8]>::to_vec),
        (any::<u8>(), 0_usize..400).prop_map(|(byte, count)| vec![byte; count]),
    ];
    (
        prop::collection::vec(word, 1..40),
        prop::collection::vec(any::<prop::sample::Index>(), 0..800),
    )
        .prop_map(|(words, order)| {
            order.iter().flat_map(|index| words[index.index(words.len())].clone()).collect()
        })
}

proptest! {
    #[test]
    fn whatever_it_is(contents in contents()) {
        there_and_back(&contents);
    }
}
