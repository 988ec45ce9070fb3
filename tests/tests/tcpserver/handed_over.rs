//! A listening socket that comes from outside.

use super::*;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

/// A socket that children inherit: for tests in a process of their own only.
fn inheritable(socket: &impl AsFd) {
    fcntl(socket.as_fd(), FcntlArg::F_SETFD(FdFlag::empty())).expect("fcntl");
}

fn listener() -> (TcpListener, String, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    inheritable(&listener);
    let port = listener.local_addr().expect("an address").port().to_string();
    let number = listener.as_raw_fd().to_string();
    (listener, number, port)
}

#[test]
fn a_port_outlives_its_server() {
    tests::alone!();
    let (listener, number, port) = listener();
    let server = |said: &str| {
        let run = Run::new(program("tcpserver")).args(["-1", "-RHl0", "--listen-fd", &number]);
        Server::of(run.args(["0", &port, "echo", said]))
    };
    let old = server("old");
    assert_eq!(old.get(), "old\n");
    assert_eq!(old.end().code, 0);
    // Nobody listens, and yet nobody is refused.
    let waiting = connect("127.0.0.1", listener.local_addr().expect("an address").port());
    let new = server("new");
    assert_eq!(read_to_end(waiting), "new\n");
    assert_eq!(new.get(), "new\n");
    // The program gets nothing of it.
    let run = Run::new(program("tcpserver")).args(["-1", "-RHl0", "--listen-fd", &number]);
    let look = format!("test -e /proc/$$/fd/{number} || echo gone");
    let run = run.args(["0", "0", "sh", "-c", &look]);
    assert_eq!(new.end().code, 0);
    assert_eq!(Server::of(run).get(), "gone\n");
}

#[test]
fn a_socket_is_passed_as_systemd_does_it() {
    tests::alone!();
    let (_listener, number, _) = listener();
    let show = "env | grep '^LISTEN' || echo nothing";
    let moved = format!("exec 3<&{number} {number}<&-");
    let moved = if number == "3" { "" } else { &moved };
    let script =
        format!("{moved}\nexport LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=x; exec \"$@\"");
    let run = Run::new("bash").args(["-c", &script, "bash"]).arg(program("tcpserver"));
    let server = Server::of(run.args(["-1", "-RHl0", "127.0.0.1", "0", "sh", "-c", show]));
    assert_eq!(server.get(), "nothing\n");
    drop(server);
    // One that is another process's is left alone.
    let run = Run::new(program("tcpserver")).env("LISTEN_PID", "1").env("LISTEN_FDS", "1");
    let server = Server::of(run.args(["-1", "-RHl0", "127.0.0.1", "0", "sh", "-c", show]));
    assert_eq!(server.get(), "LISTEN_FDS=1\nLISTEN_PID=1\n");
}

#[test]
fn what_is_no_listening_socket_for_this_port_is_refused() {
    tests::alone!();
    let (listener, number, port) = listener();
    let datagrams = UdpSocket::bind("127.0.0.1:0").expect("a port");
    inheritable(&datagrams);
    let connected = TcpStream::connect(listener.local_addr().expect("an address"));
    let connected = connected.expect("connect");
    inheritable(&connected);
    let numbers = [datagrams.as_raw_fd(), connected.as_raw_fd()].map(|number| number.to_string());
    for (number, reason) in [
        (&number, format!("listens at port {port}, not 1")),
        (&numbers[0], "not a TCP socket".to_owned()),
        (&numbers[1], "not a listening socket".to_owned()),
        (&"999".to_owned(), "not open".to_owned()),
    ] {
        let run = Run::new(program("tcpserver")).args(["-RHl0", "--listen-fd", number]);
        let outcome = run.args(["0", "1", "true"]).output();
        let expected = format!("tcpserver: fatal: unable to use descriptor {number}: {reason}\n");
        assert_eq!((outcome.code, outcome.err()), (111, expected));
    }
    let script = "export LISTEN_PID=$$ LISTEN_FDS=2; exec \"$@\"";
    let run = Run::sh(script).arg("sh").arg(program("tcpserver"));
    let outcome = run.args(["-RHl0", "0", "0", "true"]).output();
    let expected = "tcpserver: fatal: unable to use LISTEN_FDS=2: not one socket\n";
    assert_eq!((outcome.code, outcome.err()), (111, expected.to_owned()));
}
