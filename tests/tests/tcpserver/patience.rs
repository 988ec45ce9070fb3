//! Clients whose hosts take their time: nobody else waits for them.

use super::*;
use crate::users;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, bind, socket};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

/// From 127.0.1.x, where users.rs answers.
fn from(last: u8, port: u16) -> TcpStream {
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None);
    let socket = socket.expect("a socket");
    let at = |octets: [u8; 4], port| SockaddrStorage::from(SocketAddr::from((octets, port)));
    bind(socket.as_raw_fd(), &at([127, 0, 1, last], 0)).expect("bind");
    nix::sys::socket::connect(socket.as_raw_fd(), &at([127, 0, 0, 1], port)).expect("connect");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(SOON)).expect("set a timeout");
    stream
}

#[test]
fn a_silent_host_keeps_nobody_else_waiting_and_holds_no_port() {
    tests::alone!();
    users::serve();
    let args = ["-vHl0", "-t", "1000"];
    let server = Server::start(&program("tcpserver"), &args, &["sh", "-c", "echo $TCPREMOTEINFO"]);
    let silent = from(25, server.port);
    assert_eq!(read_to_end(from(2, server.port)), "joe\n");
    wait_until("the silent one has its process", SOON, || {
        server.log(&[]).contains("pid PID from 127.0.1.25\n")
    });
    let port = server.port.to_string();
    let outcome = server.end();
    assert_eq!(outcome.code, 0);
    // The process that waits neither has the socket nor outlives TERM.
    let next =
        Run::new(program("tcpserver")).args(["-1", "-RHl0", "127.0.0.1", &port, "echo", "hi"]);
    assert_eq!(Server::of(next).get(), "hi\n");
    let err = outcome.err();
    let line = err.lines().find(|line| line.ends_with("from 127.0.1.25")).expect("its line");
    let pid: i32 = line.split(' ').nth(2).expect("a pid").parse().expect("a number");
    let pid = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(pid, Signal::SIGTERM).expect("it runs");
    assert_eq!(read_to_end(silent), "");
}

#[test]
fn a_host_that_never_stops_talking_has_said_nothing() {
    tests::alone!();
    users::serve();
    let command = ["sh", "-c", "echo ${TCPREMOTEINFO-unset}"];
    let server = Server::start(&program("tcpserver"), &["-Hl0", "-t", "1000"], &command);
    assert_eq!(read_to_end(from(26, server.port)), "unset\n");
}
