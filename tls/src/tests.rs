//! Whole connections: a rustls client here, [`serve`] in a process of its own.

use super::fixture::{Pair, Scratch};
use super::*;
use nix::unistd::{dup2_stderr, dup2_stdin, dup2_stdout};
use rustls::client::Resumption;
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use std::ffi::CString;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use sys::args::{Args, Env};
use sys::exec::Program as Executable;
use sys::fork::{Fork, exit, fork};
use sys::process::{Pid, WaitOptions, waitpid};

const LIMIT: Duration = Duration::from_secs(20);

/// A server that runs `/bin/sh -c script` for each connection.
struct House {
    server: Server,
    cage: Cage,
    pair: Pair,
    _scratch: Scratch,
}

impl House {
    fn new(name: &str) -> Self {
        let scratch = Scratch::new(name);
        let pair = Pair::new("localhost");
        let path = scratch.file("cert.pem", &pair.text(), 0o400);
        let (cage, missing) = Cage::new(NOBODY);
        assert_eq!(missing, [""; 0]);
        Self { server: Server::load(Settings::file(&path)).unwrap(), cage, pair, _scratch: scratch }
    }

    /// A connection that is being served.
    fn connect(&self, script: &str, banner: &[u8], limit: Duration) -> Call {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(LIMIT)).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let (log, log_end) = std::io::pipe().unwrap();
        self.server.before_fork();
        // The GNU allocator changes the protection of memory for any thread but the first, such as this
        // one, which no caged process may do. So there is enough at hand for the relay.
        drop(std::hint::black_box([(); 24].map(|()| vec![1_u8; 64 * 1024])));
        // Made before the fork: other threads of this test program may hold the allocator.
        let vector = |words: &[&str]| words.iter().map(|w| CString::new(*w).unwrap()).collect();
        let args = Args::new(vector(&["sh", "-c", script])).vector();
        let env = Env::new(vector(&["PATH=/usr/bin:/bin"])).vector();
        let shell = Executable::find(c"/bin/sh", None);
        match fork().unwrap() {
            Fork::Parent(pid) => Call { client, log, pid },
            Fork::Child => {
                drop((client, listener, log));
                // The program has another one, so that what it says isn't taken for the log.
                let stderr = std::io::stderr().as_fd().try_clone_to_owned().unwrap();
                let run = |input: OwnedFd, output: OwnedFd, _: &Exports| {
                    dup2_stderr(&stderr).unwrap();
                    dup2_stdin(&input).unwrap();
                    dup2_stdout(&output).unwrap();
                    shell.exec(&args, &env);
                    111
                };
                // As in tcpserver: standard error alone is left to a relay.
                dup2_stderr(&log_end).unwrap();
                let mut report = |line: &[u8]| {
                    let _ = sys::write_all(sys::borrow(2).unwrap(), &[line, b"\n"].concat());
                };
                let terms = Terms { limit, banner, cage: &self.cage };
                let status = serve(&self.server, stream.into(), terms, run, &mut report);
                exit(u8::try_from(status >> 8).unwrap_or(255));
            }
        }
    }

    fn client_config(&self, version: &'static SupportedProtocolVersion) -> ClientConfig {
        trusting(&self.pair, version)
    }
}

/// A client that trusts this certificate, and speaks this version only.
fn trusting(pair: &Pair, version: &'static SupportedProtocolVersion) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(pair.der.clone()).unwrap();
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

struct Call {
    client: TcpStream,
    log: std::io::PipeReader,
    pid: Pid,
}

type Tls = StreamOwned<ClientConnection, TcpStream>;

impl Call {
    fn tls(&self, config: &Arc<ClientConfig>) -> Tls {
        let name = "localhost".try_into().unwrap();
        let connection = ClientConnection::new(config.clone(), name).unwrap();
        StreamOwned::new(connection, self.client.try_clone().unwrap())
    }

    /// The program's exit code, and what was logged.
    fn end(mut self) -> (i32, String) {
        drop(self.client);
        let (_, status) = waitpid(Some(self.pid), WaitOptions::empty()).unwrap().unwrap();
        let mut log = String::new();
        self.log.read_to_string(&mut log).unwrap();
        (status.exit_status().unwrap_or(-1), log)
    }
}

fn say_goodbye(tls: &mut Tls) {
    tls.conn.send_close_notify();
    while tls.conn.wants_write() {
        tls.conn.write_tls(&mut tls.sock).unwrap();
    }
}

const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

#[test]
fn banner_half_close_and_exit_code() {
    let house = House::new("halfclose");
    for version in VERSIONS {
        let call = house.connect("echo hello; wc -c; exit 7", b"banner\r\n", LIMIT);
        let mut tls = call.tls(&Arc::new(house.client_config(version)));
        tls.write_all(b"12345").unwrap();
        say_goodbye(&mut tls);
        // The program goes on writing after the end of its input, and its end is a clean one.
        let mut text = String::new();
        tls.read_to_string(&mut text).unwrap();
        assert_eq!(text, "banner\r\nhello\n5\n");
        drop(tls);
        assert_eq!(call.end(), (7, String::new()));
    }
}

#[test]
fn all_that_a_client_has_to_say_comes_with_the_end_of_the_handshake() {
    let house = House::new("atonce");
    let damaged = "peer's message can't be decrypted (damaged, or tampered with)\n";
    for (last, log) in [(None, ""), (Some([23, 3, 3, 0, 1, 0]), damaged)] {
        let mut call = house.connect("exit $(wc -c)", b"", LIMIT);
        let mut client = call.tls(&Arc::new(house.client_config(VERSIONS[1]))).conn;
        while client.is_handshaking() {
            while client.wants_write() {
                client.write_tls(&mut call.client).unwrap();
            }
            client.read_tls(&mut call.client).unwrap();
            client.process_new_packets().unwrap();
        }
        client.writer().write_all(b"12345").unwrap();
        if last.is_none() {
            client.send_close_notify();
        }
        let mut flight = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut flight).unwrap();
        }
        flight.extend(last.into_iter().flatten());
        call.client.write_all(&flight).unwrap();
        // The connection stays open until the relay is through.
        let _ = call.client.read_to_end(&mut Vec::new());
        assert_eq!(call.end(), (5, log.into()));
    }
}

#[test]
fn ten_megabytes_there_and_back() {
    let house = House::new("echo");
    let sent: Vec<u8> =
        (0..10_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for version in VERSIONS {
        let call = house.connect("exec cat", b"", LIMIT);
        let mut tls = call.tls(&Arc::new(house.client_config(version)));
        tls.conn.complete_io(&mut tls.sock).unwrap();
        tls.sock.set_nonblocking(true).unwrap();
        // Both directions at once, in one thread, without waiting in either.
        let (mut written, mut received, mut chunk) = (0, Vec::new(), vec![0; 65536]);
        while received.len() < sent.len() {
            let mut idle = true;
            if written < sent.len() && !tls.conn.wants_write() {
                let until = sent.len().min(written + 50_000);
                written += tls.conn.writer().write(&sent[written..until]).unwrap();
                idle = false;
            }
            match tls.conn.write_tls(&mut tls.sock) {
                Ok(count) => idle &= count == 0,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            match tls.read(&mut chunk) {
                Ok(count) => {
                    assert_ne!(count, 0);
                    received.extend_from_slice(&chunk[..count]);
                    idle = false;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            if idle {
                thread::yield_now();
            }
        }
        assert!(received == sent);
        tls.sock.set_nonblocking(false).unwrap();
        say_goodbye(&mut tls);
        assert_eq!(tls.read(&mut chunk).unwrap(), 0);
        drop(tls);
        assert_eq!(call.end(), (0, String::new()));
    }
}

#[test]
fn sessions_resume_in_another_process() {
    let house = House::new("resume");
    for version in VERSIONS {
        let mut config = house.client_config(version);
        config.resumption = Resumption::in_memory_sessions(4);
        let config = Arc::new(config);
        for expected in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let call = house.connect("echo hello", b"", LIMIT);
            let mut tls = call.tls(&config);
            let mut text = String::new();
            tls.read_to_string(&mut text).unwrap();
            assert_eq!(text, "hello\n");
            assert_eq!(tls.conn.handshake_kind(), Some(expected), "{version:?}");
            drop(tls);
            assert_eq!(call.end(), (0, String::new()));
        }
    }
}

#[test]
fn handshakes_that_come_to_nothing() {
    let house = House::new("nothing");
    let reason = |first: &[u8], limit| {
        let mut call = house.connect("echo never", b"never", limit);
        call.client.write_all(first).unwrap();
        if limit == LIMIT {
            call.client.shutdown(Shutdown::Write).unwrap();
        }
        let mut answer = Vec::new();
        let _ = call.client.read_to_end(&mut answer);
        assert!(!answer.windows(5).any(|window| window == b"never"));
        let (code, log) = call.end();
        assert_eq!(code, 111);
        log.strip_prefix("TLS handshake failed: ").unwrap().trim_end().to_string()
    };
    assert_eq!(
        reason(b"GET / HTTP/1.0\r\n\r\n", LIMIT),
        "peer speaks no TLS (plain HTTP request?)"
    );
    assert_eq!(reason(b"USER fred\r\n", LIMIT), "peer speaks no TLS (plain text)");
    assert_eq!(reason(b"", LIMIT), "peer closed the connection without a word");
    assert_eq!(reason(&[22, 3, 1, 0, 200, 1], LIMIT), "peer closed the connection");
    let short = Duration::from_millis(100);
    assert_eq!(reason(b"", short), "timed out (peer sent nothing)");
    assert_eq!(reason(&[22, 3, 1, 0, 200, 1], short), "timed out");
    assert_eq!(
        reason(&old_hello(1), LIMIT),
        "no protocol version in common (peer offers at most TLS 1.0)"
    );
}

/// A ClientHello without extensions, for protocol version 3.`minor`.
fn old_hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![22, 3, 1, 0, 47, 1, 0, 0, 43, 3, minor];
    hello.extend_from_slice(&[7; 32]);
    // No session; two cipher suites; no compression.
    hello.extend_from_slice(&[0, 0, 4, 0, 0x2F, 0, 0x35, 1, 0]);
    hello
}

#[test]
fn a_client_that_distrusts_us_says_so() {
    let house = House::new("distrust");
    let others = [
        (Pair::new("elsewhere"), "peer rejected our certificate: unknown CA (alert)"),
        (
            Pair::new("localhost"),
            "peer can't verify our signature (alert; it may know another certificate of the same name)",
        ),
    ];
    for version in VERSIONS {
        for (other, expected) in &others {
            let call = house.connect("echo never", b"", LIMIT);
            let mut tls = call.tls(&Arc::new(trusting(other, version)));
            assert!(tls.conn.complete_io(&mut tls.sock).is_err());
            drop(tls);
            assert_eq!(call.end(), (111, format!("TLS handshake failed: {expected}\n")));
        }
    }
}

#[test]
fn an_end_without_goodbye_is_logged_and_ends_the_program_s_input() {
    let house = House::new("truncated");
    let call = house.connect("wc -c >&2; exit 3", b"", LIMIT);
    let mut tls = call.tls(&Arc::new(house.client_config(VERSIONS[1])));
    tls.write_all(b"cut").unwrap();
    tls.sock.shutdown(Shutdown::Write).unwrap();
    // The program's end is a clean one all the same.
    assert_eq!(tls.read(&mut [0; 10]).unwrap(), 0);
    drop(tls);
    let expected = "peer closed the connection without close_notify\n";
    assert_eq!(call.end(), (3, expected.into()));
}

#[test]
fn a_program_without_a_reader_gets_sigpipe() {
    let house = House::new("sigpipe");
    let call = house.connect("yes; echo $? >&2; exit 5", b"", LIMIT);
    let mut tls = call.tls(&Arc::new(house.client_config(VERSIONS[1])));
    let mut some = [0; 1000];
    tls.read_exact(&mut some).unwrap();
    drop(tls);
    let (code, log) = call.end();
    assert_eq!(code, 5);
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn a_program_that_cannot_be_started_has_its_exit_code() {
    let house = House::new("nostart");
    let call = house.connect("exit 111", b"", LIMIT);
    let mut tls = call.tls(&Arc::new(house.client_config(VERSIONS[1])));
    let mut text = String::new();
    tls.read_to_string(&mut text).unwrap();
    assert_eq!(text, "");
    drop(tls);
    assert_eq!(call.end(), (111, String::new()));
}

#[test]
fn a_stranger_in_mid_stream_is_an_error() {
    let house = House::new("garbage");
    let call = house.connect("exec cat", b"", LIMIT);
    let mut tls = call.tls(&Arc::new(house.client_config(VERSIONS[1])));
    tls.conn.complete_io(&mut tls.sock).unwrap();
    tls.sock.write_all(&[23, 3, 3, 0, 20]).unwrap();
    tls.sock.write_all(&[0; 20]).unwrap();
    let mut text = Vec::new();
    assert!(tls.read_to_end(&mut text).is_err());
    drop(tls);
    let (code, log) = call.end();
    assert_eq!(code, 0);
    assert_eq!(log, "peer's message can't be decrypted (damaged, or tampered with)\n");
}

#[test]
fn a_peer_that_never_stops_sending_is_left_soon_after_the_program() {
    let house = House::new("flood");
    let call = house.connect("exit 4", b"", LIMIT);
    let mut tls = call.tls(&Arc::new(house.client_config(VERSIONS[1])));
    tls.sock.set_write_timeout(Some(LIMIT)).unwrap();
    // Until the relay has had enough of it, and closes.
    while tls.write_all(&[0; 16384]).is_ok() {}
    drop(tls);
    assert_eq!(call.end(), (4, String::new()));
}
