//! What programs are given, how they end, and those that ask for TLS.

use std::fs;

use tests::{Outcome, Run, program, text};

use crate::authority::{Authority, OPENSSL};
use crate::{Server, own, tcpclient};

/// A server that says hello, and what a client makes of it.
struct Place {
    authority: Authority,
    server: Server,
}

impl Place {
    fn new(name: &str, script: &str) -> Option<Place> {
        let authority = Authority::new(name)?;
        let server = Server::start(&authority, &["-n", "host.pem"], script);
        Some(Place { authority, server })
    }

    fn run(&self, options: &[&str], script: &str) -> Run {
        tcpclient(self.authority.path(), self.server.port, options, script)
    }

    /// The program with these arguments; `PORT` among them is the server's.
    fn client(&self, name: &str, arguments: &str, input: &str) -> Outcome {
        let port = self.server.port.to_string();
        let arguments = arguments.replace("PORT", &port);
        let run = own(Run::new(program(name))).args(arguments.split_whitespace());
        run.cwd(self.authority.path()).stdin(input).output()
    }
}

#[test]
fn how_the_program_ends() {
    let Some(place) = Place::new("tlsclient-codes", "echo hello") else { return };
    for (script, code) in [("exit 0", 0), ("exit 3", 3), ("kill -TERM $$", 143)] {
        let outcome = place.run(&[], script).output();
        assert_eq!((outcome.code, outcome.err()), (code, String::new()), "{script}");
    }
    let run = |options: &str| {
        let all = format!("-sRHl0 {options} 127.0.0.1 PORT ./nowhere");
        let outcome = place.client("tcpclient", &all, "");
        (outcome.code, outcome.err())
    };
    let line = "tlsclient: fatal: unable to run ./nowhere: file does not exist\n";
    assert_eq!(run(""), (111, line.into()));
    assert_eq!(run("-q"), (111, String::new()));
    assert_eq!(run("-q --tls-name=other.test"), (111, String::new()));
    let outcome = place.run(&["-v"], "cat <&6").output();
    let port = place.server.port;
    let lines = format!(
        "tcpclient: connected to 127.0.0.1 port {port}\n\
         tlsclient: TLSv1.3 with 127.0.0.1, TLS_AES_128_GCM_SHA256\n"
    );
    assert_eq!((outcome.code, outcome.out(), outcome.err()), (0, "hello\n".into(), lines));
}

#[test]
fn what_the_program_is_given() {
    let Some(place) = Place::new("tlsclient-given", "cat >received") else { return };
    let outcome = place
        .run(&["--tls-name=host.test"], "env | grep -E '^(SSL_|PROTO|TCPREMOTEIP)' | sort")
        .env("SSL_CLIENT_S_DN", "CN=stale")
        .env("SSL_ALPN_PROTOCOL", "stale")
        .env("SSL_CERT_DIR", "kept")
        .output();
    let told = outcome.out();
    for line in [
        "PROTO=TCP",
        "TCPREMOTEIP=127.0.0.1",
        "SSL_CERT_DIR=kept",
        "SSL_PROTOCOL=TLSv1.3",
        "SSL_CIPHER=TLS_AES_128_GCM_SHA256",
        "SSL_TLS_SNI_SERVERNAME=host.test",
        "SSL_PEER_CERT_SUBJECT=/CN=host",
        "SSL_SERVER_S_DN=CN=host",
        "SSL_SERVER_I_DN=CN=ours",
        "SSL_SERVER_M_SERIAL=1000",
    ] {
        assert!(told.lines().any(|told| told == line), "{line}: {told}");
    }
    assert!(told.contains("\nSSL_PEER_CERT_HASH=SHA256:"), "{told}");
    assert!(!told.contains("stale") && !told.contains("SSL_CLIENT_"), "{told}");
    // The standard descriptors are its own, and there are none besides.
    let script = format!("{OPEN} cat; echo $open; echo err >&2");
    let outcome = place.run(&[], &script).stdin("in\n").output();
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("in\n01267\n", "err\n"));
}

/// Which descriptors are open, of those that anybody uses, in `$open`.
const OPEN: &str =
    "for n in 0 1 2 3 4 5 6 7 8 9; do if [ -e /proc/$$/fd/$n ]; then open=\"$open$n\"; fi; done; ";

#[test]
fn standard_descriptors_that_are_closed_stay_closed() {
    let Some(place) = Place::new("tlsclient-closed", "cat >new; mv new received") else { return };
    for (closed, open) in [("<&-", "1267"), (">&-", "0267"), ("<&- >&- 2>&-", "67")] {
        let port = place.server.port;
        let script = format!(
            "exec tcpclient -sRHl0 127.0.0.1 {port} sh -c '{OPEN} echo $open >&7; exit 8' {closed}"
        );
        let run = own(Run::sh(&script)).cwd(place.authority.path());
        assert_eq!(run.output().code, 8, "{closed}");
        let received = place.authority.scratch().join("received");
        let soon = std::time::Duration::from_secs(20);
        tests::wait_until("what the program says", soon, || received.exists());
        assert_eq!(fs::read_to_string(&received).unwrap().trim(), open, "{closed}");
        fs::remove_file(received).unwrap();
    }
}

#[test]
fn wrong_usage_and_wrong_places() {
    let Some(place) = Place::new("tlsclient-wrong", "echo hello") else { return };
    let said = |name, arguments: &str| {
        let outcome = place.client(name, arguments, "");
        (outcome.code, outcome.err())
    };
    let without = "tcpclient: fatal: unable to use options about TLS without -s\n";
    for option in ["-n x", "-K 5", "--tls-ca x", "--tls-name=x", "-sS --tls-min=1.3"] {
        let all = format!("-RHl0 {option} 127.0.0.1 PORT true");
        assert_eq!(said("tcpclient", &all), (100, without.into()), "{option}");
    }
    // As ever: an unknown word ends the options.
    let plain = place.client("tcpclient", "-RHl0 --other 127.0.0.1 PORT true", "");
    assert_eq!((plain.code, plain.err()), (0, String::new()));
    for (options, line) in [
        ("--tls-name=*.test", "unable to verify *.test: neither a host name nor an address"),
        ("-K 0", "unable to use -K 0: not a positive number of milliseconds"),
        ("--tls-min 1.1", "unable to use --tls-min 1.1: neither 1.2 nor 1.3"),
    ] {
        let all = format!("-sRHl0 {options} 127.0.0.1 PORT true");
        assert_eq!(said("tcpclient", &all), (100, format!("tlsclient: fatal: {line}\n")));
    }
    let run = place.run(&[], "true").env("PATH", "/usr/bin:/bin").output();
    let line = "tcpclient: fatal: unable to run tlsclient: file does not exist\n";
    assert_eq!((run.code, run.err().as_str()), (111, line));
    let alone = |redirected: &str| {
        let run = own(Run::sh(&format!("exec tlsclient host.test echo never {redirected}")));
        let outcome = run.cwd(place.authority.path()).output();
        assert_eq!(outcome.out(), "");
        (outcome.code, outcome.err())
    };
    let (code, missing) = alone("6<&- 7<&-");
    assert_eq!(code, 111);
    assert!(missing.starts_with("tlsclient: fatal: unable to read descriptor 6: "), "{missing}");
    let line = "tlsclient: fatal: unable to use descriptors 6 and 7: not one and the same socket\n";
    assert_eq!(alone("6</dev/null 7>/dev/null"), (100, line.into()));
}

#[test]
fn pages_by_tls() {
    let header = "while read line && [ ${#line} -gt 1 ]; do echo $line >>request; done";
    let body = "printf 'HTTP/1.0 200 OK\\r\\nA: b\\r\\n\\r\\nline\\r\\n\\r\\nlast'";
    let script = format!("{header}; mv request asked; {body}");
    let Some(place) = Place::new("tlsclient-pages", &script) else { return };
    let outcome = place.client("https@", "127.0.0.1 a/page PORT", "");
    assert_eq!((outcome.code, outcome.err()), (0, String::new()));
    assert_eq!(outcome.out(), "line\n\nlast");
    let asked = fs::read_to_string(place.authority.scratch().join("asked")).unwrap();
    let port = place.server.port;
    assert_eq!(asked.replace('\r', ""), format!("GET /a/page HTTP/1.0\nHost: 127.0.0.1:{port}\n"));
    // In the clear it gets nothing, and from somebody else neither.
    let outcome = place.client("http@", "127.0.0.1 page PORT", "");
    assert_eq!(outcome.out(), "");
    let outcome = place.client("https@", "127.0.0.2 page PORT", "");
    assert_eq!((outcome.code, outcome.out()), (111, String::new()));
}

#[test]
fn a_long_page_of_openssl() {
    let Some(authority) = Authority::new("tlsclient-long") else { return };
    let page: String = (0..100_000).map(|number| format!("{number}\n")).collect();
    authority.scratch().file("page", &page);
    let server = Run::new(OPENSSL)
        .args("s_server -accept 127.0.0.1:0 -cert host.crt -key host.key -WWW".split(' '))
        .cwd(authority.path())
        .spawn();
    server.expect("ACCEPT 127.0.0.1:");
    server.expect("\n");
    let port = text(&server.stdout()).split("127.0.0.1:").nth(1).unwrap().trim().to_owned();
    let run = own(Run::new(program("https@"))).args(["127.0.0.1", "page", &port]);
    let outcome = run.cwd(authority.path()).output();
    assert!(outcome.out() == page, "{} bytes: {}", outcome.stdout.len(), outcome.err());
    assert_eq!(outcome.code, 0);
}

#[test]
fn mconnect_and_tcpcat() {
    let script = "echo ready; while read line && [ ${#line} -ne 5 ]; do echo \"got $line\"; done";
    let Some(place) = Place::new("tlsclient-mconnect", script) else { return };
    let outcome = place.client("mconnect", "-s 127.0.0.1 PORT", "helo x\nquit\n");
    assert_eq!((outcome.code, outcome.err()), (0, String::new()));
    assert_eq!(outcome.out(), "ready\ngot helo x\r\n");
    drop(place);
    let Some(place) = Place::new("tlsclient-tcpcat", "seq 1 20000") else { return };
    let outcome = place.client("tcpcat", "-s 127.0.0.1 PORT", "");
    assert_eq!((outcome.code, outcome.err()), (0, String::new()));
    assert_eq!(outcome.out().lines().count(), 20000);
}
