//! Finished files: what they are called, and in which order they came. Pure.

use super::compression::Format;
use alloc::{ffi::CString, vec::Vec};
use common::tai64n::Label;
use core::ffi::CStr;
use core::time::Duration;

/// `@` and the digits of a label.
pub(super) const STAMP: usize = 25;

/// A label beyond this (some 30,000 years) is nobody's clock.
const LAST: i64 = 1 << 40;

/// The name of a file that is finished `now`.
///
/// It comes after all that are there, even if the clock was set back: the file with the smallest
/// stamp is the first to be removed, and that must not be the newest one. And no file is ever
/// replaced.
pub(crate) fn name(now: Duration, there: &[CString], code: &[u8]) -> CString {
    let newest = there.iter().filter_map(|name| moment(name.to_bytes())).max();
    let moment = newest.map_or(now, |newest| now.max(newest + Duration::from_nanos(1)));
    let stamp = Label::from_unix(moment).to_hex();
    // A code comes from the command line: there is no NUL in it.
    CString::new([&stamp[..], b".", code].concat()).unwrap_or_default()
}

/// When a file was finished, by its name; since 1970.
pub(super) fn moment(name: &[u8]) -> Option<Duration> {
    let label = Label::from_hex(name.get(..STAMP)?)?;
    let seconds = label.unix_seconds();
    let valid = (0..LAST).contains(&seconds) && label.nanoseconds() < 1_000_000_000;
    valid.then(|| Duration::new(seconds.cast_unsigned(), label.nanoseconds()))
}

/// The finished files, the one with the smallest stamp first.
///
/// As in the original, what counts is how a name begins: `@`, and 24 characters more. One that is there compressed and
/// as it was before, for a moment or since a crash, is one file.
pub(crate) fn in_order(there: &[CString]) -> Vec<&CStr> {
    let is_finished = |name: &&CStr| {
        let name = name.to_bytes();
        name.len() >= STAMP && name < b"@z"
    };
    let mut found: Vec<&CStr> = there.iter().map(|name| &**name).filter(is_finished).collect();
    found.sort_unstable();
    let is_there = |name: &[u8]| found.binary_search_by(|other| other.to_bytes().cmp(name)).is_ok();
    let is_copy = |name: &CStr| Format::stripped(name.to_bytes()).is_some_and(is_there);
    let copies: Vec<bool> = found.iter().map(|name| is_copy(name)).collect();
    found.into_iter().zip(copies).filter_map(|(name, copy)| (!copy).then_some(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(list: &[&str]) -> Vec<CString> {
        list.iter().map(|name| CString::new(*name).expect("no NUL")).collect()
    }

    fn stamp(seconds: u64, nanoseconds: u32) -> String {
        let hex = Label::from_unix(Duration::new(seconds, nanoseconds)).to_hex();
        String::from_utf8(hex.to_vec()).expect("ASCII")
    }

    fn named(now: (u64, u32), there: &[&str]) -> String {
        let name = name(Duration::new(now.0, now.1), &names(there), b"s");
        name.into_string().expect("ASCII")
    }

    #[test]
    fn the_clock_gives_the_name() {
        assert_eq!(named((100, 5), &[]), stamp(100, 5) + ".s");
        assert_eq!(named((100, 5), &[&(stamp(100, 4) + ".u")]), stamp(100, 5) + ".s");
    }

    #[test]
    fn no_name_is_given_twice_or_out_of_order() {
        assert_eq!(named((100, 5), &[&(stamp(100, 5) + ".u")]), stamp(100, 6) + ".s");
        assert_eq!(named((7, 0), &[&(stamp(100, 999_999_999) + ".s")]), stamp(101, 0) + ".s");
    }

    #[test]
    fn what_no_clock_can_have_written_says_nothing() {
        for strange in ["@ffffffffffffffffffffffff.s", "@4000000000000064ffffffff.s", "@1.s", "@"] {
            assert_eq!(named((100, 5), &[strange]), stamp(100, 5) + ".s", "{strange}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_stamps() {
        let there = names(&[
            "@400000000000000000000003.s.gz",
            "@400000000000000000000001.u",
            "@400000000000000000000002.s",
            "@40000000000000000000000",
            "@zzzzzzzzzzzzzzzzzzzzzzzz.s",
        ]);
        assert_eq!(in_order(&there), [&*there[1], &*there[2], &*there[0]]);
    }

    #[test]
    fn what_is_there_twice_is_one_file() {
        let there = names(&[
            "@400000000000000000000001.s.zst",
            "@400000000000000000000001.s",
            "@400000000000000000000001.s-",
            "@400000000000000000000002.gz",
            "@400000000000000000000002.s",
        ]);
        assert_eq!(in_order(&there), [&*there[1], &*there[2], &*there[3], &*there[4]]);
    }

    proptest! {
        #[test]
        fn the_newest_file_comes_last(now in 0_u64..1000, there in prop::collection::vec((0_u64..1000, 0_usize..5), 0..20)) {
            let endings = [".s", ".u", ".s.gz", ".s.zst", ".gz"];
            let there: Vec<String> = there.iter().map(|(second, ending)| stamp(*second, 0) + endings[*ending]).collect();
            let mut all = names(&there.iter().map(String::as_str).collect::<Vec<_>>());
            all.sort();
            all.dedup();
            let new = name(Duration::from_secs(now), &all, b"s");
            prop_assert!(all.iter().all(|other| other.to_bytes()[..STAMP] < new.to_bytes()[..STAMP]));
            all.push(new.clone());
            let files = in_order(&all);
            prop_assert_eq!(files.last(), Some(&&*new));
        }
    }
}
