//! Following a log through its rotations: which of the files that have been finished since were read
//! already, while they were `current`. Pure.
//!
//! A file that was read as `current` gets its name later: at once, when the processor is through with it, or
//! never, when it is removed before. Meanwhile it is held open, so that its inode is its own.

use super::names::Finished;
use alloc::vec::Vec;

/// What can be told of a file that was read as `current`.
pub(crate) trait WasCurrent {
    /// Whether this is that very file.
    fn is(&self, file: &Finished) -> bool;
    /// Whether it has no name any more: it was removed, or something was made of it.
    fn is_gone(&self) -> bool;
    /// Whether this holds the same bytes.
    fn reads_as(&self, file: &Finished) -> bool;
}

/// Those of `files` (finished since, in order) that were not read as one of `read` (in order). What
/// has found its name leaves `read`, and so does what was removed.
///
/// `older_remain`: files that were finished before are still there. Then none of these was removed, as
/// the oldest are the first to go; and what is without a name has become the first file that is
/// nobody else's.
pub(crate) fn unread<T: WasCurrent>(
    read: &mut Vec<T>,
    files: &[Finished],
    older_remain: bool,
) -> Vec<Finished> {
    let mut is_read: Vec<bool> =
        files.iter().map(|file| read.iter().any(|one| one.is(file))).collect();
    // Of the files, so many belong to those of `read` that were looked at.
    let mut found = 0;
    read.retain(|one| {
        if files.iter().any(|file| one.is(file)) {
            found += 1;
            return false;
        }
        if !one.is_gone() {
            return true;
        }
        let mut nobodys = (0..files.len()).filter(|index| !is_read[*index]);
        let its = if older_remain {
            nobodys.next()
        } else {
            nobodys.find(|index| one.reads_as(&files[*index]))
        };
        if let Some(index) = its {
            is_read[index] = true;
            found += 1;
            return false;
        }
        // It may get its name yet, but not after another one.
        found == files.len()
    });
    let unread = files.iter().zip(is_read).filter(|(_, is_read)| !is_read);
    unread.map(|(file, _)| file.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::tai64n::Label;
    use core::time::Duration;
    use std::ffi::CString;

    struct Old {
        is: Option<u64>,
        gone: bool,
        like: Option<u64>,
    }

    fn seconds(file: &Finished) -> u64 {
        file.label.unix_seconds().cast_unsigned()
    }

    impl WasCurrent for Old {
        fn is(&self, file: &Finished) -> bool {
            self.is == Some(seconds(file))
        }
        fn is_gone(&self) -> bool {
            self.gone
        }
        fn reads_as(&self, file: &Finished) -> bool {
            self.like == Some(seconds(file))
        }
    }

    const ON_ITS_WAY: Old = Old { is: None, gone: false, like: None };

    fn named(number: u64) -> Old {
        Old { is: Some(number), gone: false, like: None }
    }

    fn gone(like: Option<u64>) -> Old {
        Old { is: None, gone: true, like }
    }

    fn rest(read: Vec<Old>, there: &[u64], older_remain: bool) -> (Vec<u64>, usize) {
        let files: Vec<Finished> = there
            .iter()
            .map(|number| {
                let label = Label::from_unix(Duration::from_secs(*number));
                Finished { label, name: CString::default() }
            })
            .collect();
        let mut read = read;
        let unread = unread(&mut read, &files, older_remain);
        (unread.iter().map(seconds).collect(), read.len())
    }

    #[test]
    fn every_way_in_which_a_file_gets_its_name() {
        for (read, there, older_remain, expected) in [
            (vec![], &[1, 2][..], true, (vec![1, 2], 0)),
            // Nothing but a rename.
            (vec![named(1)], &[1], true, (vec![], 0)),
            (vec![named(1)], &[1, 2, 3], true, (vec![2, 3], 0)),
            // A processor is at it, or it waits for its name.
            (vec![ON_ITS_WAY], &[], true, (vec![], 1)),
            (vec![ON_ITS_WAY], &[2], true, (vec![2], 1)),
            // It was compressed, or otherwise processed.
            (vec![gone(None)], &[1, 2], true, (vec![2], 0)),
            (vec![gone(Some(1))], &[1, 2], false, (vec![2], 0)),
            (vec![gone(None)], &[], true, (vec![], 1)),
            // It was removed, with all that was older.
            (vec![gone(None)], &[2, 3], false, (vec![2, 3], 0)),
            (vec![gone(None), named(2)], &[2], false, (vec![], 0)),
            (vec![named(1), gone(None)], &[1], true, (vec![], 1)),
            // Several at once.
            (vec![gone(None), named(2)], &[1, 2, 3], true, (vec![3], 0)),
            (vec![gone(None), gone(None)], &[1, 2, 3], true, (vec![3], 0)),
            (vec![gone(Some(2)), gone(Some(3))], &[2, 3, 4], false, (vec![4], 0)),
            (vec![gone(None), gone(Some(2))], &[2, 3], false, (vec![3], 0)),
        ] {
            assert_eq!(rest(read, there, older_remain), expected, "{there:?} {older_remain}");
        }
    }
}
