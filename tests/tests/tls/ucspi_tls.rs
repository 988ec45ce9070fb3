//! UCSPI-TLS: the program says when TLS begins.

use super::{Host, PATIENCE, make_certificate, over, say_goodbye};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use tests::{Run, Scratch, Signal, program, wait_until};

const STARTTLS: &str = env!("CARGO_BIN_EXE_starttls");

fn host(scratch: &Scratch, options: &[&str], command: &[&str]) -> Host {
    make_certificate(scratch, &["--host", "localhost"]);
    Host::running("0", scratch, &[&["-n", "cert.pem"], options].concat(), command)
}

/// One line, byte by byte: nothing of what follows is taken.
fn line(stream: &mut impl Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while byte != *b"\n" {
        match stream.read(&mut byte) {
            Ok(1) => line.push(byte[0]),
            other => panic!("{other:?} after {:?}", String::from_utf8_lossy(&line)),
        }
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

fn say(stream: &mut impl Write, text: &str) {
    stream.write_all(text.as_bytes()).unwrap();
    stream.flush().unwrap();
}

fn in_the_clear(host: &Host) -> TcpStream {
    let mut socket = host.socket();
    say(&mut socket, "hello\n");
    assert_eq!(line(&mut socket), "got hello");
    socket
}

#[test]
fn tls_begins_when_the_program_asks() {
    let scratch = Scratch::new("ucspi-tls");
    let host = host(&scratch, &["-Bbanner\n"], &[STARTTLS, "y"]);
    let mut socket = host.socket();
    assert_eq!(line(&mut socket), "banner");
    say(&mut socket, "STARTTLS\n");
    assert_eq!(line(&mut socket), "go");
    let mut tls = over(socket, &scratch);
    say(&mut tls, "secret\n");
    assert_eq!(line(&mut tls), "got secret");
    say_goodbye(&mut tls);
    assert_eq!(tls.read(&mut [0]).unwrap(), 0);
    host.child.expect_stderr("status 0\n");
    assert!(!host.log().contains("warning"), "{}", host.log());
}

#[test]
fn a_program_that_wants_to_know_is_told() {
    let scratch = Scratch::new("ucspi-tls-told");
    let host = host(&scratch, &[], &[STARTTLS, "Y"]);
    let mut socket = in_the_clear(&host);
    say(&mut socket, "STARTTLS\n");
    assert_eq!(line(&mut socket), "go");
    let mut tls = BufReader::new(over(socket, &scratch));
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != ".") {
        told.push(line(&mut tls));
    }
    for variable in
        ["SSL_PROTOCOL=TLSv1.3", "SSL_TLS_SNI_SERVERNAME=localhost", "SSL_SESSION_RESUMED=Initial"]
    {
        assert!(told.iter().any(|known| known == variable), "{variable}: {told:?}");
    }
    say(tls.get_mut(), "QUIT\n");
    let mut rest = String::new();
    tls.read_line(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn a_program_may_never_ask() {
    let scratch = Scratch::new("ucspi-tls-never");
    let host = host(&scratch, &[], &[STARTTLS, "y"]);
    let mut socket = in_the_clear(&host);
    say(&mut socket, "QUIT\n");
    assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    host.child.expect_stderr("status 0\n");
    drop(host);
    // One that knows nothing of it, and closes what it doesn't know: the end of the connection is its
    // own, though it lives on.
    let close = "for f in 3 4 5 6 7 8 9; do eval \"exec $f>&-\"; done; echo bye; exec >&- <&-; \
        while test ! -e over; do sleep 0.1; done; exit 3";
    let host = Host::running("0", &scratch, &["-n", "cert.pem"], &["/bin/sh", "-c", close]);
    let mut socket = host.socket();
    let mut seen = String::new();
    socket.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "bye\n");
    scratch.file("over", "");
    host.child.expect_stderr("status 768\n");
}

#[test]
fn what_was_sent_before_tls_is_no_command() {
    let scratch = Scratch::new("ucspi-tls-injection");
    let host = host(&scratch, &[], &[STARTTLS, "y"]);
    // In one piece, so that the program reads it at once.
    let mut socket = in_the_clear(&host);
    say(&mut socket, "STARTTLS\nEVIL\n");
    assert_eq!(line(&mut socket), "go");
    let mut tls = over(socket, &scratch);
    say(&mut tls, "good\n");
    assert_eq!(line(&mut tls), "got good");
    drop(tls);
    // What comes later in the clear is no TLS.
    let mut socket = in_the_clear(&host);
    say(&mut socket, "STARTTLS\n");
    assert_eq!(line(&mut socket), "go");
    say(&mut socket, "EVIL\n");
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
    assert!(!rest.windows(3).any(|window| window == b"got"), "{}", rest.escape_ascii());
    host.child.expect_stderr("TLS handshake failed: peer speaks no TLS (plain text)\n");
}

#[test]
fn a_handshake_that_fails_closes_the_connection_and_ends_the_program() {
    let scratch = Scratch::new("ucspi-tls-fails");
    let host = host(&scratch, &["-t1"], &[STARTTLS, "Y"]);
    let mut silent = in_the_clear(&host);
    say(&mut silent, "STARTTLS\n");
    assert_eq!(line(&mut silent), "go");
    let mut rest = Vec::new();
    let _ = silent.read_to_end(&mut rest);
    assert_eq!(rest, b"");
    host.child.expect_stderr("TLS handshake failed: timed out (peer sent nothing)\n");
    host.child.expect_stderr("no TLS came\n");
    host.child.expect_stderr("status 2304\n");
}

#[test]
fn the_environment_says_whether_tls_is_on_offer() {
    let scratch = Scratch::new("ucspi-tls-env");
    make_certificate(&scratch, &["--host", "localhost"]);
    let shown = |value: Option<&str>| {
        let script = "env | grep -E '^(UCSPITLS|SSL.*FD)=' | sort";
        let mut run = Run::new(program("tcpserver"))
            .args(["-1RHl0", "-n", "cert.pem", "127.0.0.1", "0", "/bin/sh", "-c", script])
            .cwd(scratch.path());
        run = match value {
            Some(value) => run.env("UCSPITLS", value),
            None => run.env_remove("UCSPITLS"),
        };
        let child = run.spawn();
        child.expect("\n");
        let port: u16 = String::from_utf8(child.stdout()).unwrap().trim().parse().unwrap();
        let mut seen = String::new();
        let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        socket.read_to_string(&mut seen).unwrap();
        seen.lines()
            .map(|line| line.trim_end_matches(char::is_numeric).to_owned())
            .collect::<Vec<_>>()
    };
    let fds = ["SSLCTLFD=", "SSLREADFD=", "SSLWRITEFD="];
    assert_eq!(shown(None), [&fds[..], &["UCSPITLS="]].concat());
    assert_eq!(shown(Some("!")), [&fds[..], &["UCSPITLS=!"]].concat());
    assert_eq!(shown(Some("-")), ["UCSPITLS=-"]);
}

#[test]
fn rules_keep_tls_off_for_some_clients_only() {
    let scratch = Scratch::new("ucspi-tls-rules");
    let rules = "127.0.0.8:allow,UCSPITLS=\"!\"\n127.0.0.9:allow,UCSPITLS=\"-\"\n:allow\n";
    let made = Run::new(program("tcprules")).args(["rules.cdb", "rules.tmp"]).cwd(scratch.path());
    assert_eq!(made.stdin(rules).output().code, 0);
    // Numbers of one digit: shells can't name others.
    let script = "env | sed -En 's/^(SSL.*FD)=[3-9]$/\\1/p; /^UCSPITLS=/p' | sort | tr '\\n' ' '";
    let host = host(&scratch, &["-xrules.cdb"], &["/bin/sh", "-c", script]);
    let shown = |client: &str| {
        let port = host.port.to_string();
        let run = Run::new(program("tcpclient")).args(["-RHl0", "-i", client, "127.0.0.1", &port]);
        run.args(["sh", "-c", "exec cat <&6"]).output().out()
    };
    let offered = "SSLCTLFD SSLREADFD SSLWRITEFD ";
    assert_eq!(shown("127.0.0.7"), format!("{offered}UCSPITLS= "));
    assert_eq!(shown("127.0.0.8"), format!("{offered}UCSPITLS=! "));
    assert_eq!(shown("127.0.0.9"), "UCSPITLS=- ");
    // And the one after that has it again.
    assert_eq!(shown("127.0.0.7"), format!("{offered}UCSPITLS= "));
}

#[test]
fn a_program_killed_before_and_after_is_seen() {
    let scratch = Scratch::new("ucspi-tls-killed");
    let host = host(&scratch, &[], &["/bin/sh", "-c", "echo $$ >pid; exec sleep 1000"]);
    let mut socket = host.socket();
    wait_until("its pid", PATIENCE, || {
        std::fs::read_to_string(scratch.join("pid")).is_ok_and(|pid| pid.ends_with('\n'))
    });
    let pid = std::fs::read_to_string(scratch.join("pid")).unwrap().trim().parse().unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), Signal::SIGTERM).unwrap();
    assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    host.child.expect_stderr(&format!("status {}\n", (128 + 15) << 8));
}
