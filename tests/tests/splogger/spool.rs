//! The spool: written while the other side is away, read back in order; full, killed, damaged, on a full disk.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::mount::{MsFlags, mount};
use tests::{Scratch, Signal, alone, free_port, program, wait_until};

use super::receiver::Receiver;
use super::tcp::assert_each_came;
use super::{SOON, catches_term, forward, held_back, numbered, numbers, read_so_far};

/// Splogger that has its spool in `place`, with these options besides.
fn spooling(port: u16, place: &Path, options: &[&str]) -> tests::Run {
    let spool = place.join("spool").display().to_string();
    forward(&format!("tcp:127.0.0.1:{port}"), &[&["--spool", &spool], options, &["s"]].concat())
}

fn segments(place: &Path) -> Vec<String> {
    let entries = fs::read_dir(place.join("spool")).into_iter().flatten();
    let names =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("ASCII"));
    let mut names: Vec<String> = names.filter(|name| name != "lock").collect();
    names.sort();
    names
}

#[test]
fn the_service_goes_on_and_a_successor_sends_all() {
    let scratch = Scratch::new("splogger-spool");
    let port = free_port();
    let mut child = spooling(port, scratch.path(), &[]).spawn();
    child.write(numbered(0..30_000).as_bytes());
    child.close();
    // Nobody listens; all is on disk, so there is nothing to wait for.
    let outcome = child.wait(SOON);
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    assert!(outcome.err().contains("unable to send to tcp:"), "{}", outcome.err());
    assert!(segments(scratch.path()).len() > 1);
    let receiver = Receiver::at(port);
    let outcome = spooling(port, scratch.path(), &[]).stdin(numbered(30_000..30_010)).output();
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
    assert_eq!(numbers(&receiver.end()), (0..30_010).collect::<Vec<_>>());
    assert!(segments(scratch.path()).is_empty());
}

#[test]
fn once_all_has_arrived_the_spool_is_empty_and_not_needed() {
    let scratch = Scratch::new("splogger-spool-back");
    let port = free_port();
    let mut child = spooling(port, scratch.path(), &[]).spawn();
    child.write(numbered(0..2000).as_bytes());
    child.expect_stderr("unable to send to");
    wait_until("it is written", SOON, || !segments(scratch.path()).is_empty());
    let mut receiver = Receiver::at(port);
    assert_eq!(numbers(&receiver.expect(2000)), (0..2000).collect::<Vec<_>>());
    wait_until("it is removed", SOON, || segments(scratch.path()).is_empty());
    child.write(numbered(2000..2500).as_bytes());
    receiver.expect(2500);
    let mut got = receiver.end();
    receiver = Receiver::at(port);
    child.write(numbered(2500..3000).as_bytes());
    receiver.expect(500);
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
    got.extend(receiver.end());
    assert_each_came(&numbers(&got), 3000);
}

/// A splogger that reads a pipe of the test's.
fn reading(port: u16, place: &Path, pipe: &std::io::PipeReader) -> std::process::Child {
    Command::new(program("splogger"))
        .args(["--to", &format!("tcp:127.0.0.1:{port}"), "--hostname", "here", "--spool"])
        .arg(place.join("spool"))
        .arg("s")
        .env("PATH", tests::path())
        .stdin(pipe.try_clone().expect("a copy"))
        .stderr(Stdio::null())
        .spawn()
        .expect("started")
}

/// It is killed again and again, with the other side away, there, and in between: what had come to the spool comes once
/// at least, in order. Each kill may cost what one read had taken: 1024 bytes, and a line.
#[test]
fn killed_it_loses_no_more_than_one_read() {
    let rounds =
        std::env::var("STORM_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let scratch = Scratch::new("splogger-spool-killed");
    let port = free_port();
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let (mut next, mut got, mut receiver) = (0, Vec::new(), None::<Receiver>);
    for round in 0..rounds {
        let mut child = reading(port, scratch.path(), &reader);
        let text = numbered(next..next + 700);
        next += 700;
        writer.write_all(text.as_bytes()).expect("written");
        // Killed at another place each time.
        let enough = 1700 + 997 * (round as u64 % 5);
        wait_until("it reads", SOON, || read_so_far(child.id()) > enough);
        child.kill().expect("killed");
        child.wait().expect("waited");
        match receiver.take() {
            Some(receiver) => got.extend(receiver.end()),
            None => receiver = Some(Receiver::at(port)),
        }
    }
    drop(writer);
    let last = receiver.unwrap_or_else(|| Receiver::at(port));
    let mut child = reading(port, scratch.path(), &reader);
    wait_until("it ends", SOON * 3, || child.try_wait().expect("waited").is_some());
    got.extend(last.end());
    // Of a line that was in hand, a successor finds the rest.
    got.retain(|text| text.starts_with("line "));
    let got = numbers(&got);
    let (mut expected, mut lost) = (0, 0);
    for number in got {
        if number > expected {
            lost += numbered(expected..number).len();
        }
        expected = expected.max(number + 1);
    }
    lost += numbered(expected..next).len();
    assert!(lost <= rounds * (1024 + 2 * 11), "{lost} bytes by {rounds} kills");
    assert!(segments(scratch.path()).is_empty());
}

#[test]
fn a_full_spool_holds_the_service_back() {
    let scratch = Scratch::new("splogger-spool-full");
    let port = free_port();
    let mut child = spooling(port, scratch.path(), &["--spool-bytes", "1048576"]).spawn();
    let count = 40_000;
    child.write(numbered(0..count).as_bytes());
    let size =
        |name: &String| fs::metadata(scratch.join("spool").join(name)).map_or(0, |file| file.len());
    let total = || segments(scratch.path()).iter().map(size).sum::<u64>();
    wait_until("the spool is full", SOON, || total() >= 900_000);
    held_back(&child, 100_000);
    assert!((900_000..=1_048_600).contains(&total()), "{}", total());
    let receiver = Receiver::at(port);
    child.close();
    assert_eq!(child.wait(SOON * 2).code, 0);
    assert_eq!(numbers(&receiver.end()), (0..count).collect::<Vec<_>>());
}

#[test]
fn the_oldest_are_dropped_and_counted_if_that_is_asked_for() {
    let scratch = Scratch::new("splogger-spool-drop");
    let port = free_port();
    let options = ["--spool-bytes", "1048576", "--drop-oldest"];
    let mut child = spooling(port, scratch.path(), &options).spawn();
    let count = 40_000;
    child.write(numbered(0..count).as_bytes());
    child.close();
    let outcome = child.wait(SOON * 2);
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    assert!(outcome.err().contains(" messages dropped: the spool is full\n"), "{}", outcome.err());
    let receiver = Receiver::at(port);
    assert_eq!(spooling(port, scratch.path(), &options).output().code, 0);
    let messages = receiver.end_with_messages();
    let end = " messages dropped: the spool is full";
    let (told, lines): (Vec<&String>, Vec<&String>) =
        messages.iter().partition(|message| message.ends_with(end));
    let number = |message: &String| {
        message.rsplit(' ').next().and_then(|number| number.parse::<usize>().ok())
    };
    let got: Vec<usize> = lines.iter().map(|message| number(message).expect("a number")).collect();
    assert!(got.is_sorted());
    assert!(got.len() > 5000, "{}", got.len());
    assert_eq!(got.last(), Some(&(count - 1)), "of {}", got.len());
    // Such a line may itself have been dropped, and then counts in a later one.
    let said = outcome.err();
    let dropped: usize = said
        .lines()
        .filter_map(|line| line.strip_prefix("splogger: warning: ")?.strip_suffix(end))
        .map(|count| count.parse::<usize>().expect("a number"))
        .sum();
    let notices = said.lines().filter(|line| line.ends_with(end)).count();
    assert!(!told.is_empty());
    assert_eq!(dropped + messages.len(), count + notices);
}

#[test]
fn a_spool_is_one_process_s_own() {
    let scratch = Scratch::new("splogger-spool-lock");
    let first = spooling(free_port(), scratch.path(), &[]).spawn();
    // It takes the spool before it is ready for TERM.
    wait_until("it has the spool", SOON, || catches_term(first.pid().cast_unsigned()));
    let spool = scratch.join("spool").display().to_string();
    let outcome = spooling(free_port(), scratch.path(), &[]).output();
    let said = format!("splogger: fatal: unable to use spool {spool}: ");
    assert!(outcome.code == 111 && outcome.err().starts_with(&said), "{}", outcome.err());
    drop(first);
}

#[test]
fn what_is_damaged_is_said_and_the_rest_sent() {
    let scratch = Scratch::new("splogger-spool-damaged");
    let port = free_port();
    assert_eq!(
        spooling(port, scratch.path(), &["--spool-bytes", "1048576"])
            .stdin(numbered(0..6000))
            .output()
            .code,
        0
    );
    let names = segments(scratch.path());
    assert!(names.len() > 2, "{names:?}");
    let damage = |name: &String, at: usize| {
        let path = scratch.join("spool").join(name);
        let mut bytes = fs::read(&path).expect("readable");
        bytes[at] ^= 1;
        fs::write(&path, bytes).expect("written");
    };
    // The head of one, a message of another.
    damage(&names[0], 0);
    damage(&names[1], 1000);
    let receiver = Receiver::at(port);
    let outcome = spooling(port, scratch.path(), &[]).output();
    assert_eq!(outcome.code, 0);
    for name in &names[..2] {
        assert!(
            outcome.err().contains(&format!(" of {name} in the spool: damaged\n")),
            "{}",
            outcome.err()
        );
    }
    let got = numbers(&receiver.end());
    assert!(got.is_sorted() && got[0] > 0 && got.last() == Some(&5999));
    let jumps = got.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
    assert_eq!(jumps, 1, "only the rest of one segment is missing");
    assert!(segments(scratch.path()).is_empty());
}

#[test]
fn on_a_full_disk_nothing_is_lost() {
    alone!();
    let scratch = Scratch::new("splogger-spool-disk");
    let at = scratch.dir("disk");
    mount(Some("tmpfs"), &at, Some("tmpfs"), MsFlags::empty(), Some("size=256k")).expect("a tmpfs");
    let port = free_port();
    let mut child = spooling(port, &at, &[]).spawn();
    let count = 20_000;
    child.write(numbered(0..count).as_bytes());
    child.expect_stderr("splogger: warning: unable to write spool: out of disk space\n");
    held_back(&child, 100_000);
    let receiver = Receiver::at(port);
    child.close();
    let outcome = child.wait(SOON * 2);
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    assert_eq!(numbers(&receiver.end()), (0..count).collect::<Vec<_>>());
    assert!(segments(&at).is_empty());
}

#[test]
fn after_term_what_is_left_is_in_the_spool() {
    let scratch = Scratch::new("splogger-spool-term");
    let port = free_port();
    let mut child = spooling(port, scratch.path(), &[]).spawn();
    child.write(numbered(0..10).as_bytes());
    child.expect_stderr("unable to send to");
    child.signal(Signal::SIGTERM);
    let outcome = child.wait(SOON);
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    let receiver = Receiver::at(port);
    assert_eq!(spooling(port, scratch.path(), &[]).output().code, 0);
    assert_eq!(numbers(&receiver.end()), (0..10).collect::<Vec<_>>());
}
