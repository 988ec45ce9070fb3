//! TERM, which leaves the rest to a successor, and ALRM, which rotates.

use crate::{SOON, left, logged};
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use tests::{Scratch, Signal, program, text, wait_until};

/// A multilog whose pipe the test holds both ends of, as svscan does.
struct Piped {
    child: std::process::Child,
    reader: std::io::PipeReader,
    writer: std::io::PipeWriter,
}

impl Piped {
    fn start(args: &[&str], dir: &Path) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let child = Command::new(program("multilog"))
            .args(args)
            .current_dir(dir)
            .stdin(reader.try_clone().expect("a copy"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let piped = Self { child, reader, writer };
        wait_until("it is ready", SOON, || {
            piped.signals("SigCgt:") & 1 << (Signal::SIGALRM as u32 - 1) != 0
        });
        piped
    }

    fn signals(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap_or("\t0");
        u64::from_str_radix(line.trim(), 16).expect("a mask")
    }

    /// Sends a signal, and waits until it was taken.
    fn signal(&self, signal: Signal) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, signal).expect("signalled");
        wait_until("it was taken", SOON, || {
            (self.signals("ShdPnd:") | self.signals("SigPnd:")) & 1 << (signal as u32 - 1) == 0
        });
    }

    /// How many bytes it has read in its life.
    fn read_so_far(&self) -> usize {
        let io = fs::read_to_string(format!("/proc/{}/io", self.child.id())).unwrap_or_default();
        let count = io.lines().find_map(|line| line.strip_prefix("rchar: "));
        count.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Writes, and waits until all of it has left the pipe.
    fn feed(&mut self, text: &str) {
        let after = self.read_so_far() + text.len();
        self.write(text);
        wait_until("all is read", SOON, || self.read_so_far() >= after);
    }

    fn write(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).expect("written");
    }

    /// Its exit code, and what it left in the pipe.
    fn end(mut self) -> (Option<i32>, String) {
        let mut status = None;
        wait_until("it ends", SOON, || {
            status = self.child.try_wait().expect("waited");
            status.is_some()
        });
        drop(self.writer);
        let mut rest = String::new();
        self.reader.read_to_string(&mut rest).expect("ASCII");
        (status.and_then(|status| status.code()), rest)
    }
}

#[test]
fn term_between_lines_ends_it_at_once() {
    let scratch = Scratch::new("multilog-term");
    let mut multilog = Piped::start(&["./d"], scratch.path());
    multilog.feed("one\n");
    multilog.signal(Signal::SIGTERM);
    assert_eq!(multilog.end(), (Some(0), String::new()));
    let files = left(&scratch.join("d"));
    assert_eq!((files[0].1, text(&files[0].2).as_str()), (0o744, "one\n"));
}

#[test]
fn term_within_a_line_waits_for_its_end_and_leaves_the_rest() {
    let scratch = Scratch::new("multilog-term-line");
    let mut multilog = Piped::start(&["./d"], scratch.path());
    multilog.feed("one\npart");
    multilog.signal(Signal::SIGTERM);
    assert!(multilog.child.try_wait().expect("waited").is_none(), "the line has not ended");
    multilog.write("ial\nrest\nof it");
    assert_eq!(multilog.end(), (Some(0), "rest\nof it".into()));
    assert_eq!(text(&logged(&scratch.join("d"))), "one\npartial\n");
}

#[test]
fn a_service_that_never_pauses_keeps_no_term_out_and_loses_nothing() {
    let scratch = Scratch::new("multilog-term-flood");
    let multilog = Piped::start(&["s1000000", "n100", "./d"], scratch.path());
    let mut writer = multilog.writer.try_clone().expect("a copy");
    let flood = std::thread::spawn(move || {
        let mut number = 0_u32;
        // Until the test has read what is left.
        while number < 400_000 && writer.write_all(format!("{number}\n").as_bytes()).is_ok() {
            number += 1;
        }
        number
    });
    wait_until("it reads", SOON, || multilog.read_so_far() > 200_000);
    multilog.signal(Signal::SIGTERM);
    let Piped { mut child, mut reader, writer } = multilog;
    wait_until("it ends", SOON, || child.try_wait().expect("waited").is_some());
    drop(writer);
    let mut rest = String::new();
    reader.read_to_string(&mut rest).expect("ASCII");
    let sent = flood.join().expect("sent");
    let all = text(&logged(&scratch.join("d"))) + &rest;
    let expected: String = (0..sent).map(|number| format!("{number}\n")).collect();
    assert!(all == expected, "{} and {} bytes", all.len(), expected.len());
}

#[test]
fn alrm_rotates_what_is_not_empty() {
    let scratch = Scratch::new("multilog-alrm");
    let mut multilog = Piped::start(&["./d", "./e"], scratch.path());
    let finished =
        |dir: &str| left(&scratch.join(dir)).iter().filter(|(name, ..)| name == "@.s").count();
    multilog.signal(Signal::SIGALRM);
    multilog.feed("one\n");
    wait_until("one is written", SOON, || logged(&scratch.join("e")) == b"one\n");
    assert_eq!(finished("d"), 0, "there was nothing to rotate");
    multilog.signal(Signal::SIGALRM);
    wait_until("both rotate", SOON, || finished("d") == 1 && finished("e") == 1);
    multilog.feed("two\n");
    multilog.signal(Signal::SIGTERM);
    assert_eq!(multilog.end(), (Some(0), String::new()));
    let files = left(&scratch.join("d"));
    assert_eq!((files[0].1, text(&files[0].2).as_str()), (0o744, "one\n"));
    assert_eq!((files[1].1, text(&files[1].2).as_str()), (0o744, "two\n"));
}

#[test]
fn a_line_is_there_as_soon_as_it_was_read() {
    let scratch = Scratch::new("multilog-soon");
    let mut multilog = Piped::start(&["./d", "=status"], scratch.path());
    for number in 0..20 {
        multilog.write(&format!("{number}\n"));
        let last = format!("{number}\n");
        wait_until("the line", SOON, || text(&logged(&scratch.join("d"))).ends_with(&last));
        wait_until("the status", SOON, || {
            fs::read(scratch.join("status")).is_ok_and(|status| text(&status).starts_with(&last))
        });
    }
}

#[test]
fn term_while_a_processor_runs_is_obeyed_after_it() {
    let scratch = Scratch::new("multilog-term-processor");
    let processor = "!cat; while [ ! -e ../go ]; do sleep 0.01; done";
    let mut multilog = Piped::start(&["s4096", processor, "./d"], scratch.path());
    multilog.write(&format!("{:03999}\n", 1));
    wait_until("the processor runs", SOON, || scratch.join("d/newstate").exists());
    let pid = nix::unistd::Pid::from_raw(multilog.child.id().cast_signed());
    nix::sys::signal::kill(pid, Signal::SIGTERM).expect("signalled");
    assert!(multilog.child.try_wait().expect("waited").is_none());
    scratch.file("go", "");
    assert_eq!(multilog.end(), (Some(0), String::new()));
    let files = left(&scratch.join("d"));
    assert_eq!((files[0].0.as_str(), files[0].2.len()), ("@.s", 4000));
    assert_eq!((files[1].0.as_str(), files[1].1), ("current", 0o744));
}
