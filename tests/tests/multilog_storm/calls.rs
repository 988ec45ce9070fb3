//! Killed before each system call, and again while it sets that right.

use std::fs;
use std::io::{PipeReader, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use nix::fcntl::{FcntlArg, fcntl};
use tests::{Scratch, program};

use crate::logged::{assert_same, logged, without_stamps};
use crate::traced::{End, killed_before};

/// Lines of all lengths, which lie across several batches and several files; many are alike.
fn input() -> Vec<u8> {
    let mut input = Vec::new();
    for (number, length) in
        [3, 1500, 0, 700, 5000, 1, 999, 975, 1001, 0, 300, 2500, 80].iter().enumerate()
    {
        for _ in 0..2 {
            input.extend_from_slice(if number % 2 == 0 { b"error " } else { b"" });
            input.extend_from_slice(&b"x".repeat(*length));
            input.push(b'\n');
        }
    }
    input.extend_from_slice(b"no end");
    input
}

/// What of the input a log of errors has.
fn errors(all: &[u8]) -> Vec<u8> {
    let lines = all.split_inclusive(|byte| *byte == b'\n');
    lines.filter(|line| line.starts_with(b"error ")).flatten().copied().collect()
}

/// The input, in a pipe of which a page is read at once; and who writes it.
pub(crate) fn fed() -> (PipeReader, JoinHandle<()>) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    fcntl(reader.as_fd(), FcntlArg::F_SETPIPE_SZ(4096)).expect("a small pipe");
    (reader, std::thread::spawn(move || writer.write_all(&input()).expect("written")))
}

/// A life ends before the N-th call, its successor's before some other; the third reads to the end. Whether the first had so
/// many calls.
fn each_call(args: &[&str], nth: u64, dir: &Path) -> bool {
    let (reader, writing) = fed();
    let multilog = program("multilog");
    let first = killed_before(nth, &multilog, args, dir, &reader);
    if first == End::Killed {
        killed_before(nth * 7 % 61 + 1, &multilog, args, dir, &reader);
        let last = killed_before(0, &multilog, args, dir, &reader);
        assert_eq!(last, End::Exited(0), "at {nth}");
    }
    writing.join().expect("written");
    first == End::Killed
}

/// In a short trial, only one of so many calls has its turn.
const SHORT: u64 = 17;

fn stamped(args: &[&str], size: &str) {
    let step = if std::env::var_os("STORM").is_some() { 1 } else { SHORT };
    let next = AtomicU64::new(1);
    let calls = std::thread::scope(|scope| {
        let live = || {
            loop {
                let nth = next.fetch_add(step, Ordering::Relaxed);
                let scratch = Scratch::new("multilog-calls");
                let args = [&["t", size, "n1000"], args].concat();
                let was_killed = each_call(&args, nth, scratch.path());
                let mut expected = input();
                expected.push(b'\n');
                let when = format!("{args:?}, call {nth}");
                let all = without_stamps(&logged(&scratch.join("d")));
                assert_same(&all, &expected, &when);
                if scratch.join("e").exists() {
                    let some = without_stamps(&logged(&scratch.join("e")));
                    assert_same(&some, &errors(&expected), &when);
                }
                let left: Vec<_> =
                    fs::read_dir(scratch.join("d")).expect("listed").flatten().collect();
                assert!(
                    left.iter()
                        .all(|entry| !entry.file_name().to_string_lossy().starts_with("journal"))
                );
                if !was_killed {
                    return nth;
                }
            }
        };
        let lives: Vec<_> = (0..6).map(|_| scope.spawn(live)).collect();
        lives.into_iter().map(|life| life.join().expect("a life")).min().expect("some")
    });
    assert!(calls > 100, "{calls} calls");
}

#[test]
fn with_a_journal_nothing_is_lost_or_doubled() {
    stamped(&["j", "./d"], "s4096");
}

#[test]
fn nor_in_several_logs_of_lines_that_are_selected() {
    stamped(&["j", "D", "./d", "-*", "+* error *", "!cat; echo >&5", "./e"], "s5000");
}
