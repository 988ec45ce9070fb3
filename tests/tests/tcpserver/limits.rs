//! How many connections one client may have, and how often it may come.

use super::*;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, bind, socket};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

fn connect_from(from: &str, port: u16) -> TcpStream {
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None);
    let socket = socket.expect("a socket");
    let at = |ip: &str, port| {
        SockaddrStorage::from(SocketAddr::new(ip.parse().expect("an address"), port))
    };
    bind(socket.as_raw_fd(), &at(from, 0)).expect("bind");
    nix::sys::socket::connect(socket.as_raw_fd(), &at("127.0.0.1", port)).expect("connect");
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(SOON)).expect("set a timeout");
    stream
}

/// A connection that is served by `cat`, once that is certain.
fn held(from: &str, server: &Server) -> TcpStream {
    let mut stream = connect_from(from, server.port);
    stream.write_all(b"x").expect("write");
    stream.read_exact(&mut [0]).expect("an echo");
    stream
}

/// Waits until the server serves somebody from there again.
fn served_again(from: &str, server: &Server) {
    wait_until("it is served again", SOON, || {
        let mut stream = connect_from(from, server.port);
        let _ = stream.write_all(b"x");
        matches!(stream.read(&mut [0]), Ok(1))
    });
}

fn told(from: &str, server: &Server) -> String {
    let mut text = Vec::new();
    // Bytes that were sent in vain may make it a reset.
    let _ = connect_from(from, server.port).read_to_end(&mut text);
    tests::text(&text)
}

#[test]
fn a_client_beyond_its_limit_is_told_exactly_so() {
    let args = ["-vRHl0", "-C", "2:421 too many \\\\ of you\\r\\n"];
    let server = Server::start(&program("tcpserver"), &args, &["cat"]);
    let (first, _second) = (held("127.0.0.1", &server), held("127.0.0.1", &server));
    for _ in 0..3 {
        assert_eq!(told("127.0.0.1", &server), "421 too many \\ of you\r\n");
    }
    let _other = held("127.0.0.2", &server);
    drop(first);
    served_again("127.0.0.1", &server);
    let refused = "tcpserver: refuse 127.0.0.1: 2 connections from 127.0.0.1\n";
    wait_until(refused, SOON, || server.log(&[]).matches(refused).count() >= 3);
    let log = server.log(&[]);
    assert!(!log.contains("status: 4/"), "who is refused isn't counted: {log}");
}

#[test]
fn without_a_message_nothing_is_said() {
    let server = Server::start(&program("tcpserver"), &["-RHl0", "-C1"], &["cat"]);
    let first = held("127.0.0.1", &server);
    assert_eq!(told("127.0.0.1", &server), "");
    drop(first);
    served_again("127.0.0.1", &server);
    assert_eq!(server.end().err(), "");
}

#[test]
fn neighbours_share_a_limit() {
    let args = ["-vRHl0", "--network-limit=2:full", "-C", "9"];
    let server = Server::start(&program("tcpserver"), &args, &["cat"]);
    let (first, _second) = (held("127.0.7.1", &server), held("127.0.7.2", &server));
    assert_eq!(told("127.0.7.3", &server), "full");
    let refused = "refuse 127.0.7.3: 2 connections from 127.0.7.0/24\n";
    wait_until(refused, SOON, || server.log(&[]).contains(refused));
    let _elsewhere = held("127.0.8.1", &server);
    drop(first);
    served_again("127.0.7.3", &server);
}

#[test]
fn who_comes_too_often_is_told_so() {
    let args = ["-vRHl0", "--rate", "3/1000:slow down"];
    let server = Server::start(&program("tcpserver"), &args, &["echo", "hi"]);
    for _ in 0..3 {
        assert_eq!(told("127.0.0.1", &server), "hi\n");
    }
    for _ in 0..20 {
        assert_eq!(told("127.0.0.1", &server), "slow down");
    }
    assert_eq!(told("127.0.0.2", &server), "hi\n");
    let log = server.end_after_ends(4).err();
    let refused = "tcpserver: refuse 127.0.0.1: 3 connections in 1000 s from 127.0.0.1\n";
    assert_eq!(log.matches(refused).count(), 20, "{log}");
}

fn with_rules(rules: &str, args: &[&str], command: &[&str]) -> (tests::Scratch, Server) {
    let scratch = tests::Scratch::new("tcpserver-limits");
    let made = Run::new(program("tcprules")).args(["rules.cdb", "rules.tmp"]).cwd(scratch.path());
    assert_eq!(made.stdin(rules).output().code, 0);
    let run = Run::new(program("tcpserver")).cwd(scratch.path()).arg("-1").args(args);
    let server = Server::of(run.args(["-xrules.cdb", "127.0.0.1", "0"]).args(command));
    (scratch, server)
}

#[test]
fn rules_say_how_many_may_come() {
    for args in [&["-vRHl0"][..], &["-RHl0"]] {
        let rules = "127.0.0.1:allow,MAXCONNIP=\"2\",DIEMSG=\"421 later\"\n\
            127.0.7.:allow,MAXCONNC=\"1\"\n:allow\n";
        let (_scratch, server) = with_rules(rules, args, &["cat"]);
        let (first, _second) = (held("127.0.0.1", &server), held("127.0.0.1", &server));
        assert_eq!(told("127.0.0.1", &server), "421 later\r\n");
        let _neighbour = held("127.0.7.1", &server);
        assert_eq!(told("127.0.7.2", &server), "");
        let _others = [held("127.0.0.2", &server), held("127.0.0.2", &server)];
        drop(first);
        served_again("127.0.0.1", &server);
        if args == ["-vRHl0"] {
            for [begin, end] in [
                ["tcpserver: deny PID ", " MAXCONNIP:"],
                ["tcpserver: deny PID ", " MAXCONNC:"],
                ["tcpserver: end PID ", " status 25600"],
            ] {
                wait_until(end, SOON, || {
                    let log = server.log(&[]);
                    log.lines().any(|line| line.starts_with(begin) && line.ends_with(end))
                });
            }
        }
    }
}

#[test]
fn variables_may_be_set_beforehand_and_nobody_is_a_limit_too() {
    let (_scratch, server) = with_rules("127.0.0.1:allow,MAXCONNIP=\"0\"\n", &["-RHl0"], &["cat"]);
    assert_eq!(told("127.0.0.1", &server), "");
    let run = Run::new(program("tcpserver")).env("MAXCONNIP", "1").env("DIEMSG", "full");
    let server = Server::of(run.args(["-1", "-RHl0", "127.0.0.1", "0", "cat"]));
    let _first = held("127.0.0.1", &server);
    assert_eq!(told("127.0.0.1", &server), "full\r\n");
}

#[test]
fn there_is_a_limit_to_what_the_processors_have_to_do() {
    let rules = "127.0.0.1:allow,MAXLOAD=\"0\",DIEMSG=\"busy\"\n\
        127.0.0.2:allow,MAXLOAD=\"100000000\"\n";
    let (_scratch, server) = with_rules(rules, &["-vRHl0"], &["echo", "hi"]);
    assert_eq!(told("127.0.0.1", &server), "busy\r\n");
    assert_eq!(told("127.0.0.2", &server), "hi\n");
    let log = server.end_after_ends(2).err();
    assert!(
        log.lines().any(|line| line.contains(": deny ") && line.ends_with(" MAXLOAD:")),
        "{log}"
    );
}
