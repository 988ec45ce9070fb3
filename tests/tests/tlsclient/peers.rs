//! Servers of others, servers that misbehave, and how a connection ends.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use tests::{Child, Run};

use crate::authority::{Authority, OPENSSL};
use crate::{Server, tcpclient};

/// `openssl s_server`, which turns each line around, and its port.
fn s_server(authority: &Authority, arguments: &str) -> (Child, u16) {
    let child = Run::new(OPENSSL)
        .args("s_server -accept 127.0.0.1:0 -cert host.crt -key host.key -rev".split(' '))
        .args(arguments.split_whitespace())
        .cwd(authority.path())
        .spawn();
    child.expect("ACCEPT 127.0.0.1:");
    child.expect("\n");
    let said = String::from_utf8(child.stdout()).unwrap();
    let port = said.split_once("ACCEPT 127.0.0.1:").unwrap().1.lines().next().unwrap();
    (child, port.parse().unwrap())
}

const TURNED: &str = "echo hello >&7; head -n 1 <&6; echo $SSL_PROTOCOL $SSL_ALPN_PROTOCOL";

#[test]
fn openssl_of_either_version() {
    let Some(authority) = Authority::new("tlsclient-openssl") else { return };
    for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
        let (_server, port) = s_server(&authority, &format!("{option} -alpn x,h7"));
        let outcome = tcpclient(authority.path(), port, &["--tls-alpn=h7"], TURNED).output();
        assert_eq!(outcome.out(), format!("olleh\n{version} h7\n"), "{}", outcome.err());
        assert_eq!((outcome.code, outcome.err()), (0, String::new()));
    }
    let (_server, port) = s_server(&authority, "-tls1_2");
    let outcome = tcpclient(authority.path(), port, &["--tls-min=1.3"], "echo never").output();
    assert_eq!((outcome.code, outcome.out()), (111, String::new()));
    assert!(outcome.err().contains(": no protocol version in common"), "{}", outcome.err());
}

#[test]
fn openssl_that_wants_a_certificate() {
    let Some(authority) = Authority::new("tlsclient-wanted") else { return };
    authority.issue("fred", "extendedKeyUsage=clientAuth", "");
    let wants = "-Verify 1 -CAfile ca.pem -verify_return_error";
    for version in ["-tls1_2", "-tls1_3"] {
        let (_server, port) = s_server(&authority, &format!("{version} {wants}"));
        let outcome = tcpclient(authority.path(), port, &["-n", "fred.pem"], TURNED).output();
        assert!(outcome.out().starts_with("olleh\n"), "{}", outcome.err());
        let outcome = tcpclient(authority.path(), port, &[], "cat <&6; exit 3").output();
        // With TLS 1.3, a server looks at it after the client is done.
        let (code, start) = match version {
            "-tls1_2" => (111, "tlsclient: fatal: unable to start TLS with 127.0.0.1: peer "),
            _ => (3, "tlsclient: warning: peer wants a certificate of ours (alert)\n"),
        };
        assert_eq!((outcome.code, outcome.out()), (code, String::new()));
        assert!(outcome.err().starts_with(start), "{}", outcome.err());
    }
}

/// A server for one connection.
fn serves(peer: impl FnOnce(TcpStream) + Send + 'static) -> (JoinHandle<()>, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (thread::spawn(move || peer(listener.accept().unwrap().0)), port)
}

/// Everything until the end, however it ends.
fn drain(mut socket: impl Read) {
    let _ = std::io::copy(&mut socket, &mut std::io::sink());
}

#[test]
fn what_is_no_tls_server() {
    let Some(authority) = Authority::new("tlsclient-none") else { return };
    let cases: [(&[u8], bool, &str); 6] = [
        (b"", false, "timed out (peer sent nothing)"),
        (&[22, 3, 3, 0, 200, 2, 0], false, "timed out"),
        (b"", true, "peer closed the connection without a word"),
        (&[22, 3, 3, 0, 200, 2, 0], true, "peer closed the connection"),
        (b"220 mail.example ESMTP\r\n", false, "peer speaks no TLS (plain text)"),
        (b"\0\x01\x02\x03\x04\x05\x06", false, "peer speaks no TLS"),
    ];
    for (first, closes, reason) in cases {
        let (server, port) = serves(move |mut socket| {
            socket.write_all(first).unwrap();
            if closes {
                socket.shutdown(Shutdown::Write).unwrap();
            }
            drain(socket);
        });
        let run = tcpclient(authority.path(), port, &["-K500"], "touch started");
        let outcome = run.output();
        let line = format!("tlsclient: fatal: unable to start TLS with 127.0.0.1: {reason}\n");
        assert_eq!((outcome.code, outcome.err()), (111, line));
        assert!(!authority.scratch().join("started").exists());
        server.join().unwrap();
    }
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// The same with the handshake done, by rustls.
fn serves_tls(
    authority: &Authority,
    peer: impl FnOnce(Tls) + Send + 'static,
) -> (JoinHandle<()>, u16) {
    let file = |name: &str| authority.scratch().join(name);
    let certificate = CertificateDer::from_pem_file(file("host.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("host.key")).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let connection = ServerConnection::new(Arc::new(config)).unwrap();
    serves(move |socket| {
        let mut tls = StreamOwned::new(connection, socket);
        tls.conn.complete_io(&mut tls.sock).unwrap();
        peer(tls);
    })
}

#[test]
fn how_a_server_may_end() {
    let Some(authority) = Authority::new("tlsclient-ends") else { return };
    let tampered = "peer's message can't be decrypted (damaged, or tampered with)";
    let cases: [(End, Option<&str>); 3] = [
        (Tls::say_goodbye, None),
        (|_| {}, Some("peer closed the connection without close_notify")),
        (
            |tls| tls.sock.write_all(&[[23, 3, 3, 0, 20].as_slice(), &[0; 20]].concat()).unwrap(),
            Some(tampered),
        ),
    ];
    for (end, warning) in cases {
        let (server, port) = serves_tls(&authority, move |mut tls| {
            tls.write_all(b"hello\n").unwrap();
            tls.read_exact(&mut [0; 3]).unwrap();
            end(&mut tls);
            tls.sock.shutdown(Shutdown::Write).unwrap();
            drain(tls.sock);
        });
        let script = "read line <&6; echo ok >&7; echo $line; cat <&6; exit 4";
        let outcome = tcpclient(authority.path(), port, &[], script).output();
        server.join().unwrap();
        let line = warning.map(|reason| format!("tlsclient: warning: {reason}\n"));
        assert_eq!((outcome.code, outcome.err()), (4, line.unwrap_or_default()));
        assert_eq!(outcome.out(), "hello\n");
    }
}

type End = fn(&mut Tls);

trait Goodbye {
    fn say_goodbye(&mut self);
}

impl Goodbye for Tls {
    fn say_goodbye(&mut self) {
        self.conn.send_close_notify();
        self.flush().unwrap();
    }
}

#[test]
fn either_side_can_end_alone() {
    let Some(authority) = Authority::new("tlsclient-half") else { return };
    let server = Server::start(&authority, &["-n", "host.pem"], "wc -c; echo more");
    let script = "echo ping >&7; exec 7>&-; cat <&6; exit 2";
    let outcome = tcpclient(authority.path(), server.port, &[], script).output();
    assert_eq!((outcome.code, outcome.err()), (2, String::new()));
    assert_eq!(outcome.out(), "5\nmore\n");
    let late = "echo hello; exec >&-; cat >received; mv received late";
    let server = Server::start(&authority, &["-n", "host.pem"], late);
    let script = "cat <&6; echo late >&7; exec 7>&-";
    let outcome = tcpclient(authority.path(), server.port, &[], script).output();
    assert_eq!((outcome.code, outcome.err()), (0, String::new()));
    assert_eq!(outcome.out(), "hello\n");
    let path = authority.scratch().join("late");
    tests::wait_until("what came late", std::time::Duration::from_secs(20), || path.exists());
    assert_eq!(fs::read(path).unwrap(), b"late\n");
}

#[test]
fn ten_megabytes_both_ways_at_once() {
    let Some(authority) = Authority::new("tlsclient-big") else { return };
    // Without a pattern that a lost or doubled block would leave unnoticed.
    let mut state = 1_u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()
    };
    let bytes: Vec<u8> = std::iter::repeat_with(next).take(2_500_000).flatten().collect();
    authority.scratch().file("big", &bytes);
    for option in ["--tls-min=1.2", "--tls-min=1.3"] {
        let server = Server::start(&authority, &["-n", "host.pem", option], "exec cat");
        let script = "cat big >&7 & exec 7>&-; cat <&6 >back; wait; cmp big back && exit 9";
        let outcome = tcpclient(authority.path(), server.port, &[], script).output();
        assert_eq!((outcome.code, outcome.err()), (9, String::new()), "{}", outcome.out());
    }
}
