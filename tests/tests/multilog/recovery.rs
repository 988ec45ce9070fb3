//! After a crash: whatever files are found, Debian's makes the same of them.

use crate::{fed, left};
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use tests::{Scratch, Signal, both, program, wait_until};

/// The states in which a file can be: not there, half written, complete.
const STATES: [Option<u32>; 3] = [None, Some(0o644), Some(0o744)];

#[derive(Debug, Clone, Copy)]
struct Situation {
    current: Option<u32>,
    previous: Option<u32>,
    /// Whether `previous` has its final name already.
    is_linked: bool,
    processed: Option<u32>,
    has_newstate: bool,
    has_processor: bool,
}

impl Situation {
    fn all() -> impl Iterator<Item = Self> {
        let choices = (0..3 * 3 * 3 * 8).map(|number| Self {
            current: STATES[number % 3],
            previous: STATES[number / 3 % 3],
            processed: STATES[number / 9 % 3],
            is_linked: number / 27 % 2 == 1,
            has_newstate: number / 54 % 2 == 1,
            has_processor: number / 108 % 2 == 1,
        });
        choices.filter(|situation| situation.previous.is_some() || !situation.is_linked)
    }

    fn prepare(self, dir: &Path) {
        let newstate = self.has_newstate.then_some(0o644);
        for (name, mode) in [
            ("current", self.current),
            ("previous", self.previous),
            ("processed", self.processed),
            ("state", Some(0o600)),
            ("newstate", newstate),
        ] {
            if let Some(mode) = mode {
                let path = dir.join(name);
                fs::write(&path, format!("{name}\n")).expect("written");
                fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
            }
        }
        if self.is_linked {
            let old = dir.join("@40000000111111110000000a.s");
            fs::hard_link(dir.join("previous"), old).expect("linked");
        }
    }
}

#[test]
fn each_situation() {
    assert_eq!(Situation::all().count(), 180);
    for situation in Situation::all() {
        let mut found = Vec::new();
        for (_, multilog) in both("multilog") {
            let scratch = Scratch::new("multilog-recovery");
            let dir = scratch.dir("d");
            situation.prepare(&dir);
            let args: &[&str] = if situation.has_processor { &["!cat", "./d"] } else { &["./d"] };
            let outcome = fed(&multilog, args, &[b"x\n".to_vec()], scratch.path());
            let links: u64 = fs::read_dir(&dir)
                .expect("listed")
                .map(|entry| entry.expect("an entry").metadata().expect("stat").nlink())
                .sum();
            found.push((outcome.code, outcome.err(), left(&dir), links));
        }
        assert!(found.iter().all(|one| *one == found[0]), "{situation:?}: {found:#?}");
        let (code, said, files, _) = &found[0];
        assert_eq!((*code, said.as_str()), (0, ""), "{situation:?}");
        let current = files.iter().find(|(name, ..)| name == "current").expect("current");
        assert!(current.1 == 0o744 && current.2.ends_with(b"x\n"), "{situation:?}");
    }
}

/// Killed at any moment, and started again, over and over: what was written is there, once.
#[test]
fn kill_minus_nine_loses_nothing_that_was_written() {
    let scratch = Scratch::new("multilog-killed");
    let dir = scratch.join("d");
    let mut sent = 0;
    for round in 0..25 {
        let mut child = tests::Run::new(program("multilog"))
            .args(["s4096", "n1000", "./d"])
            .cwd(scratch.path())
            .spawn();
        let first = sent;
        let lines: String = (0..400).map(|number| format!("{:080}\n", first + number)).collect();
        child.write(lines.as_bytes());
        let enough = first + 1 + round * 15;
        // The last line that was seen in the files, and must be there afterwards.
        let mut seen = 0;
        wait_until("some lines", crate::SOON, || {
            seen = last_number(&dir).unwrap_or(0);
            seen >= enough
        });
        child.signal(Signal::SIGKILL);
        child.wait(crate::SOON);
        let last = last_number(&dir).expect("lines");
        assert!(last >= seen, "round {round}");
        sent = last + 1;
    }
    let log = tests::text(&crate::logged(&dir));
    let mut last = None;
    for line in log.lines() {
        let number: usize = line.parse().unwrap_or_else(|_| panic!("a torn line: {line}"));
        assert!(last.is_none_or(|last| last + 1 == number), "{last:?}, then {number}");
        last = Some(number);
    }
}

/// The number on the last line of a log. (While a file gets its final name, it can be missed.)
fn last_number(dir: &Path) -> Option<usize> {
    let all = left(dir);
    let numbers = all
        .iter()
        .filter(|(name, ..)| name.starts_with('@') || name == "current" || name == "previous");
    numbers
        .filter_map(|(.., content)| {
            tests::text(content).lines().last().and_then(|line| line.parse().ok())
        })
        .max()
}
