//! TERM, and what is left in the pipe.

use std::io::{Read, Write};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::{Scratch, Signal, SyslogSocket, program, wait_until};

use super::{SOON, catches_term, pending_signals, read_so_far, receive, without_stamp};

/// A splogger whose pipe the test holds both ends of, as svscan does.
struct Piped {
    child: std::process::Child,
    reader: std::io::PipeReader,
    writer: std::io::PipeWriter,
}

fn piped(socket: &Path) -> Piped {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let child = Command::new(program("splogger"))
        .arg("term")
        .env("SYSLOG_SOCKET", socket)
        .stdin(reader.try_clone().expect("a copy"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    Piped { child, reader, writer }
}

impl Piped {
    /// Writes, and waits until all of it has left the pipe.
    fn feed(&mut self, text: &str) {
        let pid = self.child.id();
        wait_until("it is ready", SOON, || catches_term(pid));
        let before = read_so_far(pid);
        self.write(text);
        let after = before + text.len() as u64;
        wait_until("all is read", SOON, || read_so_far(pid) >= after);
    }

    fn write(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).expect("written");
    }

    fn terminate(&self) {
        let pid = nix::unistd::Pid::from_raw(self.child.id().cast_signed());
        nix::sys::signal::kill(pid, Signal::SIGTERM).expect("signalled");
    }

    /// Its exit code and what it said, and what it left in the pipe.
    fn end(mut self) -> (Option<i32>, String, String) {
        let mut status = None;
        wait_until("it ends", SOON, || {
            status = self.child.try_wait().expect("waited");
            status.is_some()
        });
        drop(self.writer);
        let (mut said, mut left) = (String::new(), String::new());
        self.child.stderr.take().expect("piped").read_to_string(&mut said).expect("ASCII");
        self.reader.read_to_string(&mut left).expect("ASCII");
        (status.and_then(|status| status.code()), said, left)
    }
}

#[test]
fn after_term_the_line_in_hand_is_finished_and_the_rest_left() {
    let scratch = Scratch::new("splogger-term");
    let path = scratch.join("log");
    let daemon = UnixDatagram::bind(&path).expect("bound");
    let mut splogger = piped(&path);
    splogger.feed("one\npart");
    assert_eq!(without_stamp(&receive(&daemon)), "<22>term: one");
    splogger.terminate();
    wait_until("TERM was taken", SOON, || pending_signals(splogger.child.id()) == 0);
    splogger.write("ial\nrest\n");
    assert_eq!(without_stamp(&receive(&daemon)), "<22>term: partial");
    assert_eq!(splogger.end(), (Some(0), String::new(), "rest\n".into()));
}

#[test]
fn after_term_a_line_that_never_ends_is_sent_as_it_is() {
    let scratch = Scratch::new("splogger-term-part");
    let path = scratch.join("log");
    let daemon = UnixDatagram::bind(&path).expect("bound");
    let mut splogger = piped(&path);
    splogger.feed("one\npart");
    assert_eq!(without_stamp(&receive(&daemon)), "<22>term: one");
    splogger.terminate();
    assert_eq!(without_stamp(&receive(&daemon)), "<22>term: part");
    assert_eq!(splogger.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn between_lines_term_ends_it_at_once() {
    let scratch = Scratch::new("splogger-term-idle");
    let splogger = piped(&scratch.join("log"));
    wait_until("it is ready", SOON, || catches_term(splogger.child.id()));
    splogger.terminate();
    assert_eq!(splogger.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn a_service_that_never_pauses_keeps_no_term_out() {
    let scratch = Scratch::new("splogger-term-flood");
    let path = scratch.join("log");
    let _syslog = SyslogSocket::bind(&path).expect("bound");
    let splogger = piped(&path);
    let mut writer = splogger.writer.try_clone().expect("a copy");
    let flood = std::thread::spawn(move || while writer.write_all(b"again and again\n").is_ok() {});
    let pid = splogger.child.id();
    wait_until("it reads", SOON, || catches_term(pid) && read_so_far(pid) > 200_000);
    splogger.terminate();
    let Piped { mut child, reader, writer } = splogger;
    wait_until("it ends", SOON, || child.try_wait().expect("waited").is_some());
    drop(reader);
    drop(writer);
    flood.join().expect("the pipe has broken");
}

#[test]
fn after_term_without_a_syslogd_what_is_left_goes_to_standard_error() {
    let scratch = Scratch::new("splogger-term-away");
    let path = scratch.join("log");
    let mut splogger = piped(&path);
    splogger.feed("one\ntwo");
    splogger.terminate();
    let (code, said, left) = splogger.end();
    assert_eq!((code, &*left), (Some(111), ""));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].starts_with("splogger: warning: unable to send to "), "{said}");
    for (line, text) in lines[1..].iter().zip(["one", "two"]) {
        assert!(line.starts_with("splogger: warning: undelivered: term: "), "{line}");
        assert!(line.ends_with(text), "{line}");
    }
}
