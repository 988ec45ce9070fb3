//! ucspi-proxy between a client and a server: what each hears of the other's end.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tests::{Run, program, wait_for};

const DEADLINE: Duration = Duration::from_secs(30);

/// `tcpclient 127.0.0.1 PORT ucspi-proxy`, ended with the test, and the server's side of its connection.
struct Proxied {
    process: Child,
    server: TcpStream,
}

impl Proxied {
    fn start() -> Proxied {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("its number").port().to_string();
        let process = Command::new(program("tcpclient"))
            .args(["-RHl0", "127.0.0.1", &port])
            .arg(program("ucspi-proxy"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start tcpclient");
        let server = listener.accept().expect("a connection").0;
        server.set_read_timeout(Some(DEADLINE)).expect("a time-out");
        Proxied { process, server }
    }

    fn code(&mut self) -> Option<i32> {
        wait_for(DEADLINE, || self.process.try_wait().expect("our child"))?.code()
    }
}

impl Drop for Proxied {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_server_is_told_the_clients_end_and_has_the_last_word() {
    let mut proxied = Proxied::start();
    let bytes: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    let mut stdin = proxied.process.stdin.take().expect("a pipe");
    let mut stdout = proxied.process.stdout.take().expect("a pipe");
    // Both ways at once, more than fits anywhere.
    std::thread::scope(|scope| {
        let (sent, mut server) = (&bytes, proxied.server.try_clone().expect("a copy"));
        scope.spawn(move || {
            stdin.write_all(sent).expect("sent");
            drop(stdin);
        });
        scope.spawn(move || server.write_all(sent).expect("sent"));
        let mut heard = vec![0; bytes.len()];
        stdout.read_exact(&mut heard).expect("what the server sends");
        assert!(heard == bytes);
        let mut heard = Vec::new();
        proxied.server.read_to_end(&mut heard).expect("the client's end");
        assert!(heard == bytes);
    });
    proxied.server.write_all(b"bye").expect("sent");
    proxied.server.shutdown(Shutdown::Both).expect("closed");
    let mut last = String::new();
    stdout.read_to_string(&mut last).expect("the server's end");
    assert_eq!(last, "bye");
    assert_eq!(proxied.code(), Some(0));
}

#[test]
fn it_ends_when_the_server_does_whatever_the_client_still_wants() {
    let mut proxied = Proxied::start();
    proxied.server.write_all(b"too late").expect("sent");
    proxied.server.shutdown(Shutdown::Both).expect("closed");
    assert_eq!(proxied.code(), Some(0));
    let mut heard = String::new();
    let stdout = proxied.process.stdout.as_mut().expect("a pipe");
    stdout.read_to_string(&mut heard).expect("the server's end");
    assert_eq!(heard, "too late");
}

#[test]
fn a_client_that_is_gone_ends_it() {
    let mut proxied = Proxied::start();
    drop(proxied.process.stdout.take());
    // Once isn't enough: a process that another test has just made has our pipe until its exec.
    let ended = wait_for(DEADLINE, || {
        let _ = proxied.server.write_all(b"for nobody");
        proxied.process.try_wait().expect("our child")
    });
    assert_eq!(ended.and_then(|status| status.code()), Some(111));
}

#[test]
fn without_a_connection() {
    let outcome = Run::sh("exec ucspi-proxy 6<&- 7<&-").env("PATH", tests::path()).output();
    let reason = "ucspi-proxy: fatal: unable to read descriptor 6: file descriptor not open\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, reason));
}
