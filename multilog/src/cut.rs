//! Input that comes in several reads, for tests.

use proptest::prelude::*;
use std::vec::Vec;

/// `bytes` in order, cut at these places, in any order; who is beyond the end, cuts there.
pub(crate) fn cut_at(bytes: &[u8], cuts: impl IntoIterator<Item = usize>) -> Vec<&[u8]> {
    let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
    cuts.sort_unstable();
    let mut start = 0;
    let ends = cuts.into_iter().chain([bytes.len()]);
    ends.map(|end| &bytes[core::mem::replace(&mut start, end)..end]).collect()
}

/// Short lines of any bytes, and long ones, of as many bytes as `long` says.
pub(crate) fn input(long: core::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![4 => Just(b'x'), 1 => Just(b'\n'), 2 => any::<u8>()];
    let piece = prop_oneof![
        prop::collection::vec(byte, 0..60),
        long.prop_map(|length| b"y".repeat(length)),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}
