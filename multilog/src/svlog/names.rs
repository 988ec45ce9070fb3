//! The finished files of a log, by their names. Pure.

use alloc::ffi::CString;
use alloc::vec::Vec;
use common::tai64n::Label;
use core::ffi::CStr;

/// `@` and the digits of a label.
const STAMP: usize = 25;

/// A finished file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finished {
    /// When it was finished: no line in it is of a later time.
    pub(crate) label: Label,
    pub(crate) name: CString,
}

impl Finished {
    /// The file that is called so; `None` if that isn't the name of a finished file: a stamp, and an
    /// ending or two of letters and digits.
    pub(crate) fn named(name: &CStr) -> Option<Self> {
        let (stamp, ending) = name.to_bytes().split_at_checked(STAMP)?;
        let label = Label::from_hex(stamp)?;
        let endings = ending.strip_prefix(b".").unwrap_or(ending).split(|byte| *byte == b'.');
        let plain =
            endings.clone().all(|one| one.iter().all(u8::is_ascii_alphanumeric) && !one.is_empty());
        let ends = ending.is_empty() || plain && ending[0] == b'.' && endings.count() <= 2;
        ends.then(|| Self { label, name: name.into() })
    }

    /// Whether it was being written during a crash: its last line may lack its end.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.name.to_bytes()[STAMP..].starts_with(b".u")
    }

    /// Whether the name says that it is compressed.
    fn is_compressed(&self) -> bool {
        let name = self.name.to_bytes();
        [&b".gz"[..], b".zst", b".xz", b".bz2", b".lz4"].iter().any(|ending| name.ends_with(ending))
    }
}

/// In the order in which they were finished. One that is there twice, as it is just being
/// compressed, is the one that isn't.
pub(crate) fn in_order(mut files: Vec<Finished>) -> Vec<Finished> {
    files.sort_by(|one, other| {
        let key = |file: &Finished| (file.label, file.is_compressed());
        key(one).cmp(&key(other)).then_with(|| one.name.cmp(&other.name))
    });
    files.dedup_by_key(|file| file.label);
    files
}

/// How many files at the front hold nothing but lines from before this time.
pub(crate) fn before(files: &[Finished], since: Label) -> usize {
    files.partition_point(|file| file.label < since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::time::Duration;
    use proptest::prelude::*;

    fn stamp(seconds: u64) -> String {
        let hex = Label::from_unix(Duration::from_secs(seconds)).to_hex();
        String::from_utf8(hex.to_vec()).expect("ASCII")
    }

    fn file(seconds: u64, ending: &str) -> Finished {
        let name = CString::new(stamp(seconds) + ending).expect("no NUL");
        Finished::named(&name).expect("a finished file")
    }

    #[test]
    fn names_of_finished_files() {
        for ending in ["", ".s", ".u", ".gz", ".s.gz", ".s.zst", ".7"] {
            assert_eq!(file(5, ending).label, Label::from_unix(Duration::from_secs(5)), "{ending}");
        }
        let stamp = stamp(5);
        for name in [
            "current",
            "@4000.s",
            &stamp[1..],
            &format!("{stamp}s"),
            &format!("{stamp}."),
            &format!("{stamp}.s.gz.new"),
            &format!("{stamp}.s\x1b"),
            &format!("{stamp}.."),
            &format!("{}.s", stamp.to_uppercase()),
        ] {
            let name = CString::new(name).expect("no NUL");
            assert_eq!(Finished::named(&name), None, "{name:?}");
        }
    }

    #[test]
    fn one_of_each_and_rather_the_one_that_is_plain() {
        let files =
            vec![file(7, ".s"), file(5, ".s.gz"), file(5, ".s"), file(6, ".zst"), file(6, ".s.gz")];
        assert_eq!(in_order(files), [file(5, ".s"), file(6, ".s.gz"), file(7, ".s")]);
        assert!(file(5, ".u").is_cut_off() && file(5, ".u.gz").is_cut_off());
        assert!(!file(5, ".s").is_cut_off() && !file(5, "").is_cut_off());
    }

    #[test]
    fn a_file_counts_to_the_moment_that_it_was_finished() {
        let files = [file(5, ".s"), file(7, ".s")];
        let before = |seconds| before(&files, Label::from_unix(Duration::from_secs(seconds)));
        assert_eq!([4, 5, 6, 7, 8].map(before), [0, 0, 1, 1, 2]);
    }

    proptest! {
        #[test]
        fn what_is_passed_over_is_older_and_what_stays_is_not(
            seconds in prop::collection::vec(0_u64..50, 0..20), since in 0_u64..50,
        ) {
            let files = in_order(seconds.iter().map(|one| file(*one, ".s")).collect());
            let since = Label::from_unix(Duration::from_secs(since));
            let (gone, stay) = files.split_at(before(&files, since));
            prop_assert!(gone.iter().all(|file| file.label < since));
            prop_assert!(stay.iter().all(|file| file.label >= since));
        }
    }
}
