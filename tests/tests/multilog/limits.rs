//! Limits beside the number of files: their age, and how much they are.

use crate::{SOON, fed, finished, logged};
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};
use tests::{Run, Scratch, program, wait_until};

/// The name of a file that was finished so many seconds ago.
fn finished_before(ago: u64, ending: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    format!("@{:016x}00000000{ending}", (1_u64 << 62) + 10 + now - ago)
}

/// A kilobyte each.
fn lines(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("{number:01023}\n").into_bytes()).collect()
}

#[test]
fn what_is_too_old_goes_at_the_start() {
    let scratch = Scratch::new("multilog-age");
    let day = 24 * 3600;
    let there = [
        (40 * day, ".s"),
        (31 * day, ".s.gz"),
        (30 * day + 60, ".u"),
        (30 * day - 600, ".s"),
        (1, ".s.zst"),
    ];
    let there = there.map(|(ago, ending)| finished_before(ago, ending));
    for name in &there {
        scratch.file(&format!("d/{name}"), "x\n");
    }
    for (limit, left) in [("n10", 5), ("a0", 5), ("a5w", 4), ("a30d", 2), ("a719h", 1), ("a", 1)] {
        let outcome = fed(&program("multilog"), &[limit, "./d"], &[], scratch.path());
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
        assert_eq!(finished(&scratch.join("d")), there[5 - left..], "{limit}");
    }
}

/// A log into which nothing is written must let go of what it has, too.
#[test]
fn what_gets_too_old_goes_without_a_line() {
    let scratch = Scratch::new("multilog-expires");
    let there = [finished_before(57, ".s.gz"), finished_before(3, ".s")];
    for name in &there {
        scratch.file(&format!("d/{name}"), "x\n");
    }
    let child = Run::new(program("multilog")).args(["a1m", "./d"]).cwd(scratch.path()).spawn();
    wait_until("it is ready", SOON, || scratch.join("d/current").exists());
    wait_until("the older one is gone", SOON, || finished(&scratch.join("d")) == there[1..]);
    drop(child);
}

#[test]
fn no_more_is_kept_than_was_said() {
    for (limit, total, kept) in
        [("b1", 1, 1), ("b12k", 12 << 10, 2), ("b16384", 16384, 3), ("b1M", 1 << 20, 9)]
    {
        let scratch = Scratch::new("multilog-total");
        let args = ["s4096", "n100", limit, "./d"];
        let outcome = fed(&program("multilog"), &args, &lines(37), scratch.path());
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
        // A file has three or four lines, by where its last newline stands.
        let dir = scratch.join("d");
        let files = finished(&dir);
        let sizes: Vec<u64> =
            files.iter().map(|name| fs::metadata(dir.join(name)).expect("stat").len()).collect();
        assert!(sizes.iter().all(|size| (2096..=4096).contains(size)), "{sizes:?}");
        let all = sizes.iter().sum::<u64>();
        assert!(all + 4096 <= total || files.len() == 1, "{limit}: {sizes:?}");
        assert!(files.len() >= kept, "{limit}: {sizes:?}");
        assert!(lines(37).concat().ends_with(&logged(&dir)));
    }
}

#[test]
fn what_is_too_much_goes_at_the_start_and_compressed_files_count_as_they_are() {
    let scratch = Scratch::new("multilog-total-start");
    let there = [30, 20, 10].map(|ago| finished_before(ago, ".s.gz"));
    for name in &there {
        scratch.file(&format!("d/{name}"), "x".repeat(3000));
    }
    for (limit, left) in [("b13097", 3), ("b13095", 2), ("b1", 1)] {
        let outcome = fed(&program("multilog"), &["s4096", limit, "./d"], &[], scratch.path());
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
        assert_eq!(finished(&scratch.join("d")), there[3 - left..], "{limit}");
    }
}

/// `a30D` might be taken for 30 seconds, and all would be gone.
#[test]
fn a_limit_that_is_not_understood_is_said_and_passed_over() {
    let scratch = Scratch::new("multilog-unclear");
    let name = finished_before(1000, ".s");
    scratch.file(&format!("d/{name}"), "x\n");
    let args = ["a30D", "b1kB", "zxz", "./d"];
    let outcome = fed(&program("multilog"), &args, &[b"a\n".to_vec()], scratch.path());
    let said: String = args[..3]
        .iter()
        .map(|arg| format!("multilog: warning: unable to understand {arg}: passed over\n"))
        .collect();
    assert_eq!((outcome.code, outcome.err()), (0, said));
    assert_eq!(finished(&scratch.join("d")), [name]);
}
