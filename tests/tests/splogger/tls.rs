//! Another host by TLS: tcpserver -s, and a program that keeps what comes.

use std::fs;
use std::path::Path;

use tests::{Child, Run, Scratch, Signal, free_port, program, wait_until};

use super::receiver::frame;
use super::tcp::assert_each_came;
use super::{SOON, forwarding, numbered, numbers, texts};

/// A certificate for 127.0.0.1, signed by itself, in `cert.pem`.
fn certificate(scratch: &Scratch) {
    let outcome = Run::new(program("tcpserver-cert"))
        .args(["--host", "127.0.0.1"])
        .cwd(scratch.path())
        .output();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
}

fn server(scratch: &Scratch, port: u16) -> Child {
    let child = Run::new(program("tcpserver"))
        .args(["-1RHDl0", "-s", "-n", "cert.pem", "127.0.0.1", &port.to_string()])
        // The shell keeps its standard output, whose end would be that of the connection.
        .args(["/bin/sh", "-c", "cat >>taken; exit"])
        .cwd(scratch.path())
        .env("PATH", tests::path())
        .spawn();
    child.expect("\n");
    child
}

fn taken(scratch: &Path) -> Vec<String> {
    let bytes = fs::read(scratch.join("taken")).unwrap_or_default();
    let (mut used, mut messages) = (0, Vec::new());
    while let Some((message, length)) = frame(&bytes[used..]) {
        messages.push(message);
        used += length;
    }
    texts(&messages)
}

/// `splogger --to tls:127.0.0.1:PORT ARGUMENTS`, there. (In what memory tlsclient does, its own tests tell.)
fn forward(scratch: &Scratch, port: u16, args: &[&str]) -> Run {
    let to = format!("tls:127.0.0.1:{port}");
    forwarding(Run::new(program("splogger")), &to, args).cwd(scratch.path())
}

#[test]
fn all_arrives_and_the_end_is_confirmed() {
    let scratch = Scratch::new("splogger-tls");
    certificate(&scratch);
    let port = free_port();
    let _server = server(&scratch, port);
    let args = ["--tls-ca", "cert.pem", "s"];
    let run = forward(&scratch, port, &args);
    let outcome = run.stdin(numbered(0..20_000)).output();
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
    wait_until("it is written", SOON, || taken(scratch.path()).len() >= 20_000);
    assert_eq!(numbers(&taken(scratch.path())), (0..20_000).collect::<Vec<_>>());
}

#[test]
fn who_is_not_the_host_gets_nothing() {
    let scratch = Scratch::new("splogger-tls-wrong");
    certificate(&scratch);
    let port = free_port();
    let _server = server(&scratch, port);
    let spool = scratch.join("spool").display().to_string();
    let args = ["--tls-ca", "cert.pem", "--tls-name", "other.example", "--spool", &spool, "s"];
    let outcome = forward(&scratch, port, &args).stdin(numbered(0..10)).output();
    assert_eq!(outcome.code, 0, "all is in the spool: {}", outcome.err());
    assert!(
        outcome.err().contains("unable to start TLS with other.example: "),
        "{}",
        outcome.err()
    );
    assert!(outcome.err().contains("splogger: warning: unable to send to tls:"));
    assert_eq!(taken(scratch.path()).len(), 0);
    let args = ["--tls-ca", "cert.pem", "--spool", &spool, "s"];
    let outcome = forward(&scratch, port, &args).output();
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
    wait_until("it is written", SOON, || taken(scratch.path()).len() >= 10);
    assert_eq!(numbers(&taken(scratch.path())), (0..10).collect::<Vec<_>>());
}

/// The server and all that it has started end in the midst of it; what they had not written comes again.
#[test]
fn a_host_that_is_killed_misses_nothing() {
    let scratch = Scratch::new("splogger-tls-killed");
    certificate(&scratch);
    let port = free_port();
    let mut first = Some(server(&scratch, port));
    let mut child = forward(&scratch, port, &["--tls-ca", "cert.pem", "s"]).spawn();
    child.write(numbered(0..1000).as_bytes());
    wait_until("some are written", SOON, || taken(scratch.path()).len() >= 100);
    // A frame may be torn there: what comes by the next connection goes to a file of its own.
    drop(first.take());
    for pid in scratch.inhabitants() {
        if pid != child.pid() && runs_cat(pid) {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    wait_until("nobody writes there", SOON, || !scratch.inhabitants().into_iter().any(runs_cat));
    let before = taken(scratch.path());
    fs::remove_file(scratch.join("taken")).expect("removed");
    let _second = server(&scratch, port);
    child.write(numbered(1000..1500).as_bytes());
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
    wait_until("all is written", SOON, || {
        taken(scratch.path()).last().is_some_and(|text| text == "line 1499")
    });
    assert_each_came(&numbers(&[before, taken(scratch.path())].concat()), 1500);
}

fn runs_cat(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "cat\n")
}
