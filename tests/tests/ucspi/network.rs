//! A network for cases: name server, services, and hosts that refuse or hang; in namespaces of the test's own.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sys::socket::{
    AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, connect, listen, socket,
};
use tests::Scratch;

use crate::name_server;

/// What is on it for as long as it is held.
pub(crate) struct Network {
    _files: Scratch,
    /// Listeners that accept nothing more, and the connections that they wait for.
    _silent: Vec<OwnedFd>,
}

impl Network {
    /// To be called after [`tests::alone!`].
    pub(crate) fn start() -> Network {
        let files = Scratch::new("network");
        // Nothing that this host knows counts.
        for (name, text) in [
            ("resolv.conf", format!("nameserver {}\n", name_server::ADDRESS)),
            ("hosts", "127.0.0.1 localhost\n127.0.1.7 file.test alias.file.test\n".to_owned()),
            ("nsswitch.conf", "hosts: files dns\n".to_owned()),
            ("services", "systat 11/tcp users\nharbour 7/tcp # here\n".to_owned()),
        ] {
            let path = files.file(name, &text);
            // Some hosts have no services(5): then both sides know none.
            let Ok(place) = fs::canonicalize(format!("/etc/{name}")) else { continue };
            mount(Some(&path), &place, None::<&str>, MsFlags::MS_BIND, None::<&str>)
                .unwrap_or_else(|e| panic!("mount over {}: {e}", place.display()));
        }
        name_server::start();
        for host in ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "9.1", "9.2"] {
            serve(&format!("127.0.{host}:7"), echo);
        }
        serve("0.0.0.0:70", echo);
        if TcpListener::bind("[::1]:0").is_ok() {
            serve("[::1]:7", echo);
        }
        serve("127.0.0.1:11", |stream| say(stream, b"who\tis\r\nhere\r\x00\x1b\x7f\xe9\xff\r\n\r"));
        serve("127.0.0.1:13", |stream| say(stream, b"Today\r\n"));
        serve("127.0.0.1:17", |stream| say(stream, b"quoted\r\n\0\xff\n\r"));
        serve("127.0.0.1:25", mail);
        serve("127.0.0.1:79", |stream| hear(stream, 1));
        serve("127.0.0.1:80", page);
        serve("127.0.0.1:81", page);
        serve("127.0.0.1:82", |stream| say(stream, b"HTTP/1.0 200 OK\r\n\r\na\r\n\r\nb\rc\0\n\nd"));
        serve("127.0.0.1:83", |stream| say(stream, b"HTTP/1.0 204 Nothing\r\n\r\n"));
        serve("127.0.0.1:4000", |stream| say(stream, &vec![b'x'; 1_000_000]));
        serve("127.0.1.1:113", |stream| who(stream, b"7, 9 : USERID : UNIX : joe of x\r\n"));
        serve("127.0.1.2:113", |stream| who(stream, b"7, 9 : ERROR : HIDDEN-USER\r\n"));
        serve("127.0.1.3:113", |stream| who(stream, &[b'x'; 200]));
        serve("127.0.1.4:113", |stream| {
            who(stream, &[&b"1,2:USERID:UNIX:"[..], &[b'y'; 5000], b"\n"].concat());
        });
        // Says nothing until the client is gone.
        serve("127.0.1.5:113", |mut stream| {
            let _ = stream.read_to_end(&mut Vec::new());
        });
        // Goes on for longer than any test waits.
        serve("127.0.1.7:113", |mut stream| {
            while stream.write_all(b"x").is_ok() {
                std::thread::park_timeout(Duration::from_millis(100));
            }
        });
        serve("127.0.1.6:113", |stream| who(stream, b"7,9:USERID:UNIX:a\t\x01b:\xffc\\\r\n"));
        let silent = ["127.0.3.1:7", "127.0.3.2:7"].iter().flat_map(|address| hang(address));
        Network { _files: files, _silent: silent.collect() }
    }
}

/// Each connection is served by a thread.
fn serve(address: &str, service: impl Fn(TcpStream) + Send + Sync + Copy + 'static) {
    let listener =
        TcpListener::bind(address).unwrap_or_else(|e| panic!("listen at {address}: {e}"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || service(stream));
        }
    });
}

fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

fn say(mut stream: TcpStream, text: &[u8]) {
    let _ = stream.write_all(text);
}

/// Tells so many lines that came, in a form of its own.
fn hear(mut stream: TcpStream, lines: usize) {
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    for _ in 0..lines {
        let mut line = Vec::new();
        let _ = reader.read_until(b'\n', &mut line);
        let _ = stream
            .write_all(format!("heard {:.60}\r\n", line.escape_ascii().to_string()).as_bytes());
    }
}

fn mail(mut stream: TcpStream) {
    let reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let _ = stream.write_all(b"220 mail.test\r\n");
    for line in reader.split(b'\n').map_while(Result::ok) {
        let _ = stream.write_all(format!("250 {}\r\n", line.escape_ascii()).as_bytes());
        if line.starts_with(b"quit") {
            return;
        }
    }
}

fn page(mut stream: TcpStream) {
    let reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nServer: test\r\n\r\n");
    for line in reader.split(b'\n').map_while(Result::ok) {
        let _ = stream.write_all(format!("asked {}\r\n", line.escape_ascii()).as_bytes());
        if line == b"\r" {
            return;
        }
    }
}

/// Answers a question about a connection.
fn who(mut stream: TcpStream, answer: &[u8]) {
    let mut question = String::new();
    let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
    let _ = reader.read_line(&mut question);
    let asked = question.starts_with("7 , ") && question.ends_with("\r\n");
    let _ = stream.write_all(if asked { answer } else { b"x:x:x:asked badly\n" });
}

/// A listener with no room for another connection.
fn hang(address: &str) -> Vec<OwnedFd> {
    let (host, port) = address.split_once(':').expect("a port");
    let octets: Vec<u8> = host.split('.').map(|octet| octet.parse().expect("an octet")).collect();
    let address =
        SockaddrIn::new(octets[0], octets[1], octets[2], octets[3], port.parse().expect("a port"));
    let new = |flags| socket(AddressFamily::Inet, SockType::Stream, flags, None).expect("a socket");
    let listener = new(SockFlag::SOCK_CLOEXEC);
    let number = std::os::fd::AsRawFd::as_raw_fd;
    bind(number(&listener), &address).expect("bind");
    listen(&listener, Backlog::new(0).expect("a backlog")).expect("listen");
    let clients = (0..4).map(|_| {
        let client = new(SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK);
        let _ = connect(number(&client), &address);
        client
    });
    std::iter::once(listener).chain(clients.collect::<Vec<_>>()).collect()
}
