//! Which finished files must go. Pure; `files` are those of [`finished::in_order`], oldest first.

use super::finished;
use core::ffi::CStr;
use core::time::Duration;

/// How many of the oldest `files` must go, so that fewer than `number` remain.
pub(crate) fn too_many(files: &[&CStr], number: usize) -> usize {
    files.len().saturating_sub(number.saturating_sub(1))
}

/// How many of the oldest `files` were finished `age` ago, or longer.
///
/// A file whose name tells no time goes with those before which it stands, and one that is said to come from the future
/// stays until that is past.
pub(crate) fn expired(files: &[&CStr], age: Duration, now: Duration) -> usize {
    let is_expired = |file: &&CStr| moment_of_end(file, age).is_some_and(|end| end <= now);
    files.iter().rposition(is_expired).map_or(0, |last| last + 1)
}

/// When the first of the `files` will be so old; since 1970.
pub(crate) fn next_expiry(files: &[&CStr], age: Duration) -> Option<Duration> {
    files.iter().find_map(|file| moment_of_end(file, age))
}

fn moment_of_end(file: &CStr, age: Duration) -> Option<Duration> {
    finished::moment(file.to_bytes())?.checked_add(age)
}

/// How many of the oldest files must go, so that all that remain, and a `current` of its full size, are no more than
/// `total`. The newest one stays, whatever its size.
pub(crate) fn too_large(sizes: &[u64], current: u64, total: u64) -> usize {
    let mut room = total.saturating_sub(current);
    let fits = |size: &&u64| {
        let left = room.checked_sub(**size);
        room = left.unwrap_or(room);
        left.is_some()
    };
    let kept = sizes.iter().rev().take_while(fits).count().max(1);
    sizes.len().saturating_sub(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::tai64n::Label;
    use proptest::prelude::*;
    use std::ffi::CString;

    fn named(seconds: u64) -> CString {
        let stamp = Label::from_unix(Duration::from_secs(seconds)).to_hex();
        CString::new([&stamp[..], b".s"].concat()).expect("no NUL")
    }

    fn named_all(seconds: &[u64]) -> Vec<CString> {
        seconds.iter().map(|second| named(*second)).collect()
    }

    fn files(names: &[CString]) -> Vec<&CStr> {
        names.iter().map(|name| &**name).collect()
    }

    #[test]
    fn a_number() {
        let names = named_all(&[1, 2, 3]);
        for (number, goes) in [(2, 2), (3, 1), (4, 0), (100, 0), (0, 3)] {
            assert_eq!(too_many(&files(&names), number), goes, "{number}");
        }
    }

    #[test]
    fn an_age() {
        let names = named_all(&[100, 200, 300, 900]);
        let files = files(&names);
        let second = Duration::from_secs;
        for (now, goes, left) in [
            (149, 0, Some(150)),
            (150, 1, Some(250)),
            (349, 2, Some(350)),
            (350, 3, Some(950)),
            (1000, 4, None),
        ] {
            assert_eq!(expired(&files, second(50), second(now)), goes, "{now}");
            assert_eq!(next_expiry(&files[goes..], second(50)), left.map(second), "{now}");
        }
        assert_eq!(expired(&files, Duration::MAX, second(1000)), 0);
        assert_eq!(next_expiry(&files, Duration::MAX), None);
    }

    #[test]
    fn a_file_without_a_time_goes_with_those_around_it() {
        let names = [c"@000000000000000000000000.s".into(), named(100), named(200)];
        let files = files(&names);
        let second = Duration::from_secs;
        assert_eq!(expired(&files, second(50), second(120)), 0);
        assert_eq!(expired(&files, second(50), second(160)), 2);
        assert_eq!(next_expiry(&files, second(50)), Some(second(150)));
    }

    #[test]
    fn a_size() {
        for (sizes, total, goes) in [
            (&[][..], 10, 0),
            (&[50, 50][..], 200, 0),
            (&[50, 50][..], 199, 1),
            (&[50, 50, 1][..], 151, 1),
            (&[50, 50, 50][..], 0, 2),
            (&[500][..], 100, 0),
            (&[1, 500, 50][..], 500, 2),
            (&[u64::MAX, u64::MAX, u64::MAX][..], u64::MAX, 2),
        ] {
            assert_eq!(too_large(sizes, 100, total), goes, "{sizes:?} {total}");
        }
    }

    proptest! {
        #[test]
        fn as_few_go_as_will_do(sizes in prop::collection::vec(0_u64..100, 1..20), total in 0_u64..1500) {
            let goes = too_large(&sizes, 10, total);
            let fits = |goes: usize| sizes[goes..].iter().sum::<u64>() + 10 <= total;
            prop_assert!(goes < sizes.len());
            prop_assert!(fits(goes) || goes == sizes.len() - 1);
            prop_assert!(goes == 0 || !fits(goes - 1));
        }

        #[test]
        fn what_has_gone_was_old_and_what_stays_has_a_time_to_go(mut seconds in prop::collection::vec(0_u64..1000, 0..20), age in 1_u64..1000, now in 0_u64..2000) {
            seconds.sort_unstable();
            let names = named_all(&seconds);
            let files = files(&names);
            let (age, now) = (Duration::from_secs(age), Duration::from_secs(now));
            let goes = expired(&files, age, now);
            prop_assert!(seconds[..goes].iter().all(|second| Duration::from_secs(*second) + age <= now));
            let next = next_expiry(&files[goes..], age);
            prop_assert_eq!(next.is_some(), goes < files.len());
            prop_assert!(next.is_none_or(|next| next > now));
        }
    }
}
