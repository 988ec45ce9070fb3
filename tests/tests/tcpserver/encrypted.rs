//! Who is let in, decided before TLS begins.

use super::*;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::sync::Arc;

const SHOW: &str = "echo $TCPREMOTEIP $TCPREMOTEPORT $A";

/// A tcpserver with TLS and these rules, in a scratch directory.
fn start(rules: &str, args: &[&str]) -> (tests::Scratch, Server) {
    let scratch = tests::Scratch::new("tcpserver-encrypted");
    let run = |name: &str| Run::new(program(name)).cwd(scratch.path());
    assert_eq!(run("tcpserver-cert").args(["--host", "localhost"]).output().code, 0);
    let made = run("tcprules").args(["rules.cdb", "rules.tmp"]).stdin(rules).output();
    assert_eq!(made.code, 0);
    let run = run("tcpserver").args(["-1", "-vsRHl0", "-xrules.cdb"]).args(args);
    let server = Server::of(run.args(["127.0.0.1", "0", "sh", "-c", SHOW]));
    (scratch, server)
}

/// What the program says to a client that sends these bytes before it begins to encrypt.
fn got(scratch: &tests::Scratch, server: &Server, before: &[u8]) -> String {
    let mut roots = RootCertStore::empty();
    let certificate =
        CertificateDer::from_pem_file(scratch.join("cert.pem")).expect("a certificate");
    roots.add(certificate).expect("a certificate");
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let tls = ClientConnection::new(Arc::new(config), name).expect("a client");
    let mut socket = server.connect();
    socket.write_all(before).expect("write");
    let mut text = String::new();
    StreamOwned::new(tls, socket).read_to_string(&mut text).expect("an answer");
    text
}

#[test]
fn who_is_turned_away_hears_nothing() {
    let (_scratch, server) = start(":deny\n", &[]);
    assert_eq!(server.get(), "");
    let log = server.end_after_ends(1).err();
    assert!(log.contains("tcpserver: deny ") && log.contains(" status 25600\n"), "{log}");
    assert!(!log.contains("warning"), "{log}");
}

#[test]
fn who_is_let_in_has_the_variables_of_his_rule() {
    let (scratch, server) = start("127.0.0.1:allow,A=\"1\"\n:deny\n", &[]);
    let text = got(&scratch, &server, b"");
    assert!(text.starts_with("127.0.0.1 ") && text.ends_with(" 1\n"), "{text}");
}

#[test]
fn messages_in_plain_text_are_not_sent() {
    let rules = ":allow,MAXCONNIP=\"1\",DIEMSG=\"full\"\n";
    for args in [&["-C1:full"][..], &[]] {
        let (_scratch, server) = start(rules, args);
        let _first = server.connect();
        assert_eq!(server.get(), "", "{args:?}");
        assert!(!server.log(&[]).contains("warning"), "{args:?}");
    }
}

#[test]
fn a_balancers_header_comes_before_the_handshake() {
    let (scratch, server) = start("192.0.2.1:allow,A=\"1\"\n:deny\n", &["--proxy=127.0.0.0/8"]);
    let header = b"PROXY TCP4 192.0.2.1 192.0.2.9 40123 25\r\n";
    assert_eq!(got(&scratch, &server, header), "192.0.2.1 40123 1\n");
    // What goes wrong afterwards is about the client.
    let mut stream = server.connect();
    stream.write_all(&[&header[..], b"GET / HTTP/1.0\r\n\r\n"].concat()).expect("write");
    let _ = stream.read_to_end(&mut Vec::new());
    let log = server.end_after_ends(2).err();
    assert!(log.contains(" from 192.0.2.1: TLS handshake failed"), "{log}");
}
