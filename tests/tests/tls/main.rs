//! tcpserver's TLS, from the outside: the finished programs, in 5,000,000 bytes of address space, talked to
//! by OpenSSL and by rustls.

mod cage;
mod names;
mod robustness;
mod ucspi_tls;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tests::{Child, Outcome, Run, Scratch, Signal, program, skip, wait_until};

const PATIENCE: Duration = Duration::from_secs(20);

/// Makes `cert.pem` in the scratch directory.
fn make_certificate(scratch: &Scratch, arguments: &[&str]) -> Outcome {
    let made = Run::new(program("tcpserver-cert")).args(arguments).cwd(scratch.path()).output();
    assert_eq!((made.code, made.err()), (0, String::new()));
    made
}

/// A tcpserver with TLS at a port of its own, in a scratch directory.
struct Host {
    child: Child,
    port: u16,
}

impl Host {
    /// Starts it there with these options; it runs a shell script for each connection.
    fn start(scratch: &Scratch, options: &[&str], script: &str) -> Host {
        Host::at("0", scratch, options, script)
    }

    fn at(port: &str, scratch: &Scratch, options: &[&str], script: &str) -> Host {
        let options = [&["-s"], options].concat();
        Host::running(port, scratch, &options, &["/bin/sh", "-c", script])
    }

    /// With these options only, and another program.
    fn running(port: &str, scratch: &Scratch, options: &[&str], command: &[&str]) -> Host {
        let child = Run::new(program("softlimit"))
            .args(["-m", "5000000"])
            .arg(program("tcpserver"))
            .arg("-v1RHDl0")
            .args(options)
            .args(["127.0.0.1", port])
            .args(command)
            .cwd(scratch.path())
            .spawn();
        child.expect("\n");
        let port = String::from_utf8(child.stdout()).unwrap().trim().parse().unwrap();
        Host { child, port }
    }

    fn socket(&self) -> TcpStream {
        let socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket
    }

    /// A connection by rustls that trusts the scratch directory's `cert.pem`.
    fn connect(&self, scratch: &Scratch) -> Tls {
        over(self.socket(), scratch)
    }

    /// `openssl s_client`, which must trust `cert.pem`, until the server closes. `None` without OpenSSL.
    fn s_client(&self, scratch: &Scratch, arguments: &[&str], input: &[u8]) -> Option<Outcome> {
        if !Path::new("/usr/bin/openssl").exists() {
            tests::record_skip("no openssl");
            return None;
        }
        let outcome = Run::new("/usr/bin/openssl")
            .args(["s_client", "-ign_eof", "-verify_return_error", "-verify_hostname", "localhost"])
            .args(["-CAfile", "cert.pem", "-connect", &format!("127.0.0.1:{}", self.port)])
            .args(arguments)
            .cwd(scratch.path())
            .stdin(input)
            .output();
        assert_eq!(outcome.code, 0, "{}{}", outcome.out(), outcome.err());
        Some(outcome)
    }

    /// softlimit becomes tcpserver.
    fn listener(&self) -> i32 {
        self.child.pid()
    }

    fn log(&self) -> String {
        String::from_utf8(self.child.stderr()).unwrap()
    }
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// TLS over this connection, by rustls, which trusts the scratch directory's `cert.pem`.
fn over(socket: TcpStream, scratch: &Scratch) -> Tls {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(scratch.join("cert.pem")).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).unwrap(), socket)
}

fn say_goodbye(tls: &mut Tls) {
    tls.conn.send_close_notify();
    tls.flush().unwrap();
}

#[test]
fn openssl_speaks_both_versions_with_every_kind_of_key() {
    for key in ["ecdsa", "rsa"] {
        if key == "rsa" && !Path::new("/usr/bin/openssl").exists() {
            skip!("no openssl to make RSA keys");
        }
        let scratch = Scratch::new("tls-versions");
        make_certificate(&scratch, &["--host", "localhost", "--key", key]);
        let host = Host::start(
            &scratch,
            &["-Bbanner\r\n"],
            "read line; echo \"got $line by $PROTO\"; exit 3",
        );
        for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
            let Some(seen) = host.s_client(&scratch, &[option], b"hello\n") else { return };
            let seen = seen.out();
            assert!(seen.contains(version), "{seen}");
            assert!(seen.contains("banner\r\n"), "{seen}");
            assert!(seen.contains("got hello by TCP\n"), "{seen}");
        }
        host.child.expect_stderr("status 768\n");
        assert!(!host.log().contains("warning"), "{}", host.log());
    }
}

#[test]
fn sessions_resume_across_connections() {
    let scratch = Scratch::new("tls-resume");
    make_certificate(&scratch, &["--host", "localhost"]);
    let host = Host::start(&scratch, &[], "echo hello");
    for version in ["-tls1_2", "-tls1_3"] {
        let Some(first) = host.s_client(&scratch, &[version, "-sess_out", "session"], b"") else {
            return;
        };
        assert!(first.out().contains("New, TLSv1"), "{}", first.out());
        for _ in 0..2 {
            let Some(next) = host.s_client(&scratch, &[version, "-sess_in", "session"], b"") else {
                return;
            };
            assert!(next.out().contains("Reused, TLSv1"), "{}", next.out());
        }
    }
}

#[test]
fn old_versions_are_refused_and_named() {
    let scratch = Scratch::new("tls-old");
    make_certificate(&scratch, &["--host", "localhost"]);
    let host = Host::start(&scratch, &[], "echo never");
    // A ClientHello of TLS 1.0, whole: random, no session, two cipher suites, no compression.
    let mut hello = vec![22, 3, 1, 0, 47, 1, 0, 0, 43, 3, 1];
    hello.extend_from_slice(&[7; 32]);
    hello.extend_from_slice(&[0, 0, 4, 0, 0x2F, 0, 0x35, 1, 0]);
    host.socket().write_all(&hello).unwrap();
    host.child.expect_stderr(
        "from 127.0.0.1: TLS handshake failed: no protocol version in common (peer offers at most TLS 1.0)\n",
    );
}

#[test]
fn what_is_no_tls_is_logged_with_its_address() {
    let scratch = Scratch::new("tls-http");
    make_certificate(&scratch, &["--host", "localhost"]);
    let host = Host::start(&scratch, &[], "touch started");
    host.socket().write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    host.child.expect_stderr(
        "from 127.0.0.1: TLS handshake failed: peer speaks no TLS (plain HTTP request?)\n",
    );
    host.child.expect_stderr("status 28416\n");
    assert!(!scratch.join("started").exists());
}

#[test]
fn a_silent_peer_has_its_time_and_no_more() {
    let scratch = Scratch::new("tls-silent");
    make_certificate(&scratch, &["--host", "localhost"]);
    let host = Host::start(&scratch, &["-t1", "-Bbanner"], "touch started");
    let mut silent = host.socket();
    let mut seen = Vec::new();
    // Not a byte, the banner least of all: it would be in the clear.
    silent.read_to_end(&mut seen).unwrap();
    assert_eq!(seen, b"");
    host.child
        .expect_stderr("from 127.0.0.1: TLS handshake failed: timed out (peer sent nothing)\n");
    assert!(!scratch.join("started").exists());
}

#[test]
fn either_side_can_end_alone() {
    let scratch = Scratch::new("tls-half");
    make_certificate(&scratch, &["--host", "localhost"]);
    let host = Host::start(&scratch, &[], "wc -c; echo more; exec >&-; touch closed; exit 5");
    let mut tls = host.connect(&scratch);
    tls.write_all(b"12345").unwrap();
    say_goodbye(&mut tls);
    let mut seen = String::new();
    tls.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "5\nmore\n");
    drop(tls);
    host.child.expect_stderr("status 1280\n");
    assert!(!host.log().contains("warning"), "{}", host.log());
    // The other way round: the program's output ends, and it reads on.
    drop(host);
    let host = Host::start(&scratch, &[], "echo hello; exec >&-; cat >received");
    let mut tls = host.connect(&scratch);
    seen.clear();
    tls.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "hello\n");
    tls.write_all(b"late words").unwrap();
    say_goodbye(&mut tls);
    host.child.expect_stderr("status 0\n");
    assert_eq!(fs::read(scratch.join("received")).unwrap(), b"late words");
}

/// Bytes without a pattern that a lost or doubled block would leave unnoticed.
fn ten_megabytes() -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()
    };
    std::iter::repeat_with(&mut next).take(2_500_000).flatten().collect()
}

#[test]
fn ten_megabytes_each_way_byte_for_byte() {
    let scratch = Scratch::new("tls-big");
    make_certificate(&scratch, &["--host", "localhost"]);
    let bytes = ten_megabytes();
    scratch.file("big", &bytes);
    let host = Host::start(&scratch, &[], "cat big");
    if let Some(seen) = host.s_client(&scratch, &["-quiet"], b"") {
        assert!(seen.stdout == bytes);
    }
    drop(host);
    let host = Host::start(&scratch, &[], "cat >received; echo thanks");
    let mut tls = host.connect(&scratch);
    tls.write_all(&bytes).unwrap();
    say_goodbye(&mut tls);
    let mut seen = String::new();
    tls.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "thanks\n");
    assert!(fs::read(scratch.join("received")).unwrap() == bytes);
}

#[test]
fn a_slow_reader_gets_everything() {
    let scratch = Scratch::new("tls-slow");
    make_certificate(&scratch, &["--host", "localhost"]);
    let bytes = ten_megabytes();
    scratch.file("big", &bytes);
    // The program is done long before its reader; what it has written is still on its way.
    let host = Host::start(&scratch, &[], "head -c 50000 big; touch written; cat big");
    let mut tls = host.connect(&scratch);
    tls.conn.complete_io(&mut tls.sock).unwrap();
    wait_until("the program to write", PATIENCE, || scratch.join("written").exists());
    let (mut seen, mut chunk) = (Vec::new(), [0; 997]);
    loop {
        match tls.read(&mut chunk).unwrap() {
            0 => break,
            count => seen.extend_from_slice(&chunk[..count]),
        }
    }
    assert!(seen[..50000] == bytes[..50000]);
    assert!(seen[50000..] == bytes);
}

#[test]
fn a_client_that_vanishes_ends_its_program_and_leaves_one_line() {
    let scratch = Scratch::new("tls-gone");
    make_certificate(&scratch, &["--host", "localhost"]);
    let host = Host::start(&scratch, &[], "yes 2>&1; echo ended >ended");
    let mut tls = host.connect(&scratch);
    tls.read_exact(&mut [0; 1000]).unwrap();
    tls.sock.shutdown(Shutdown::Both).unwrap();
    drop(tls);
    host.child.expect_stderr("status 0\n");
    assert_eq!(fs::read(scratch.join("ended")).unwrap(), b"ended\n");
    assert_eq!(host.log().matches("warning").count(), 1, "{}", host.log());
}

#[test]
fn a_hangup_reads_the_certificate_again() {
    let scratch = Scratch::new("tls-reload");
    make_certificate(&scratch, &["--host", "localhost", "--organization", "Old"]);
    let host = Host::start(&scratch, &[], "echo hello");
    let hello = || {
        let mut seen = String::new();
        host.connect(&scratch)
            .read_to_string(&mut seen)
            .map(|_| seen)
            .map_err(|error| error.to_string())
    };
    assert_eq!(hello(), Ok("hello\n".into()));
    let kept = fs::read(scratch.join("cert.pem")).unwrap();
    let replace = |contents: &[u8]| {
        let path = scratch.file("new.pem", contents);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        fs::rename(path, scratch.join("cert.pem")).unwrap();
    };
    replace(b"no certificate\n");
    host.child.signal(Signal::SIGHUP);
    host.child.expect_stderr(
        "tcpserver: warning: unable to use ./cert.pem, keeping the old one: no private key in it\n",
    );
    // Served with the old one still.
    replace(&kept);
    assert_eq!(hello(), Ok("hello\n".into()));
    make_certificate(&scratch, &["--host", "localhost", "--organization", "New", "--force"]);
    assert!(hello().is_err());
    host.child.signal(Signal::SIGHUP);
    wait_until("the new certificate", PATIENCE, || hello().is_ok());
}

#[test]
fn key_files_that_cannot_be_used() {
    let scratch = Scratch::new("tls-keys");
    make_certificate(&scratch, &["--host", "localhost"]);
    let refused = |reason: &str| {
        let outcome = Run::new(program("tcpserver"))
            .args(["-RHDl0", "-s", "-n", "cert.pem", "127.0.0.1", "0", "/bin/true"])
            .cwd(scratch.path())
            .output();
        assert_eq!(outcome.err(), format!("tcpserver: fatal: unable to use cert.pem: {reason}\n"));
        assert_eq!(outcome.code, 111);
    };
    let mode = |mode| {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(scratch.join("cert.pem"), permissions).unwrap();
    };
    mode(0o404);
    refused("key file is readable by others");
    mode(0o440);
    refused("key file is readable by its group");
    mode(0o600);
    let text = fs::read_to_string(scratch.join("cert.pem")).unwrap();
    let certificate = text.find("-----BEGIN CERT").unwrap();
    scratch.file("cert.pem", &text[..certificate]);
    refused("no certificate in it");
    scratch.file("cert.pem", &text[certificate..]);
    refused("no private key in it");
    fs::remove_file(scratch.join("cert.pem")).unwrap();
    refused("file does not exist");
}

#[test]
fn a_restart_while_a_connection_lives() {
    let scratch = Scratch::new("tls-restart");
    make_certificate(&scratch, &["--host", "localhost"]);
    let old = Host::start(&scratch, &[], "read line; echo $line");
    let port = old.port.to_string();
    let mut tls = old.connect(&scratch);
    tls.conn.complete_io(&mut tls.sock).unwrap();
    old.child.signal(Signal::SIGTERM);
    assert_eq!(old.child.wait(PATIENCE).code, 0);
    // The connection has a process of its own, which has nothing of the listener's.
    let new = Host::at(&port, &scratch, &[], "echo new");
    let mut seen = String::new();
    new.connect(&scratch).read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "new\n");
    tls.write_all(b"old\n").unwrap();
    seen.clear();
    tls.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, "old\n");
}
