//! Daemons at a socket of this host, as ever.

use std::fs;
use std::io::{ErrorKind, Read};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::time::Duration;

use tests::{Scratch, SyslogSocket, wait_until};

use super::{SOON, expect, held_back, receive, resident, splogger, unstamped, without_stamp};

/// Ends a daemon, to the last copy of its socket: for a moment, children that other tests are just
/// starting have one, too, and it would take messages that nobody ever reads.
fn end(daemon: UnixDatagram, path: &Path) {
    let probe = UnixDatagram::unbound().expect("a socket");
    probe.connect(path).expect("connected");
    drop(daemon);
    wait_until("the daemon's end", SOON, || {
        probe.send(b"?").is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    });
    fs::remove_file(path).expect("removed");
}

#[test]
fn lines_reach_syslog_with_tag_and_priority() {
    let scratch = Scratch::new("splogger");
    let path = scratch.join("log");
    let syslog = SyslogSocket::bind(&path).expect("bound");
    let lines = "status: 1/40\n\nwarning: odd\nalert: fire\ntab\there\nlast";
    let outcome = splogger(&path, &["pop3d", "2"]).stdin(lines).output();
    assert_eq!((outcome.out(), outcome.err(), outcome.code), (String::new(), String::new(), 0));
    expect(
        &syslog,
        &[
            "<22>pop3d: status: 1/40",
            "<20>pop3d: warning: odd",
            "<17>pop3d: alert: fire",
            "<22>pop3d: tab?here",
            "<22>pop3d: last",
        ],
    );
}

#[test]
fn long_lines_are_folded_and_keep_their_stamp() {
    let scratch = Scratch::new("splogger-long");
    let path = scratch.join("log");
    let syslog = SyslogSocket::bind(&path).expect("bound");
    let line = "x".repeat(1700) + "\n";
    assert_eq!(splogger(&path, &["t", "16"]).stdin(line).output().code, 0);
    let x = |count| "x".repeat(count);
    expect(
        &syslog,
        &[
            &format!("<134>t: {}", x(799)),
            &format!("<134>t:+{}", x(799)),
            &format!("<134>t:+{}", x(102)),
        ],
    );
    let stamps: Vec<String> = syslog
        .messages()
        .iter()
        .map(|message| message.split([' ', '+']).nth(1).expect("a stamp").to_owned())
        .collect();
    assert!(stamps.iter().all(|stamp| *stamp == stamps[0]), "{stamps:?}");
}

#[test]
fn without_a_syslogd_lines_wait_for_one() {
    let scratch = Scratch::new("splogger-late");
    let path = scratch.join("log");
    let mut child = splogger(&path, &["late"]).spawn();
    child.write(b"one\ntwo\n");
    child.expect_stderr("splogger: warning: unable to send to");
    let syslog = SyslogSocket::bind(&path).expect("bound");
    child.write(b"three\n");
    child.close();
    let outcome = child.wait(SOON);
    assert_eq!(outcome.code, 0);
    let warning =
        format!("splogger: warning: unable to send to {}: file does not exist\n", path.display());
    assert_eq!(outcome.err(), warning, "it is said once");
    expect(&syslog, &["<22>late: one", "<22>late: two", "<22>late: three"]);
}

#[test]
fn a_restarted_syslogd_misses_nothing_that_came_meanwhile() {
    let scratch = Scratch::new("splogger-restart");
    let path = scratch.join("log");
    let mut child = splogger(&path, &["again"]).spawn();
    for round in 0..4 {
        // Even rounds: the line comes first, then the daemon.
        if round % 2 == 0 {
            child.write(format!("{round}\n").as_bytes());
        }
        let daemon = UnixDatagram::bind(&path).expect("bound");
        if round % 2 == 1 {
            child.write(format!("{round}\n").as_bytes());
        }
        assert_eq!(without_stamp(&receive(&daemon)), format!("<22>again: {round}"));
        end(daemon, &path);
    }
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
}

#[test]
fn a_syslogd_that_is_away_holds_the_service_back_and_loses_nothing() {
    let scratch = Scratch::new("splogger-flood");
    let path = scratch.join("log");
    let mut child = splogger(&path, &["flood"]).spawn();
    let lines: String = (0..30_000).map(|number| format!("line {number}\n")).collect();
    child.write(lines.as_bytes());
    child.close();
    child.expect_stderr("unable to send");
    // Full pipe, full queue: it no more than looks for a syslogd, and reads nothing.
    held_back(&child, 5_000);
    let kilobytes = resident(&child);
    assert!(kilobytes < 2048, "{kilobytes} kB are resident");
    let syslog = SyslogSocket::bind(&path).expect("bound");
    assert_eq!(child.wait(Duration::from_secs(60)).code, 0);
    wait_until("all messages", SOON, || syslog.messages().len() >= 30_000);
    for (number, message) in unstamped(&syslog.messages()).iter().enumerate() {
        assert_eq!(*message, format!("<22>flood: line {number}"));
    }
}

#[test]
fn a_slow_syslogd_is_waited_for() {
    let scratch = Scratch::new("splogger-slow");
    let path = scratch.join("log");
    let daemon = UnixDatagram::bind(&path).expect("bound");
    let mut child = splogger(&path, &["slow"]).spawn();
    // More than any queue of datagrams holds (net.unix.max_dgram_qlen).
    let lines: String = (0..3000).map(|number| format!("{number}\n")).collect();
    child.write(lines.as_bytes());
    child.close();
    for number in 0..3000 {
        assert_eq!(without_stamp(&receive(&daemon)), format!("<22>slow: {number}"));
    }
    let outcome = child.wait(SOON);
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
}

#[test]
fn a_stream_will_do() {
    let scratch = Scratch::new("splogger-stream");
    let path = scratch.join("log");
    let daemon = UnixListener::bind(&path).expect("bound");
    let mut child = splogger(&path, &["stream"]).spawn();
    child.write(b"one\ntwo\n");
    child.close();
    let (mut stream, _) = daemon.accept().expect("a connection");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("ASCII");
    let messages: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    assert_eq!(unstamped(&messages), ["<22>stream: one", "<22>stream: two"]);
    assert_eq!(child.wait(SOON).code, 0);
}
