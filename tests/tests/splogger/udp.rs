//! Another host by UDP.

use std::net::UdpSocket;

use tests::{free_port, wait_until};

use super::{SOON, forward, numbered, numbers, texts};

fn receive(socket: &UdpSocket, count: usize) -> Vec<String> {
    socket.set_read_timeout(Some(SOON)).expect("a timeout");
    let mut buffer = vec![0; 65536];
    let mut next = || {
        let count = socket.recv(&mut buffer).expect("a message in time");
        String::from_utf8(buffer[..count].to_vec()).expect("UTF-8")
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn a_message_is_a_datagram() {
    for (bound, to) in [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "[::1]")] {
        let socket = UdpSocket::bind(bound).expect("bound");
        let to = format!("udp:{to}:{}", socket.local_addr().expect("an address").port());
        let outcome = forward(&to, &["pop3d", "2"]).stdin("one\nwarning: é\t\n").output();
        assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
        let messages = receive(&socket, 2);
        assert_eq!(texts(&messages[..1]), ["one"]);
        assert!(messages[1].starts_with("<20>1 "), "{messages:?}");
        assert!(messages[1].ends_with(" here pop3d - - - \u{feff}warning: é#011"), "{messages:?}");
    }
}

#[test]
fn no_datagram_is_larger_than_all_must_take() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let to = format!("udp:127.0.0.1:{}", socket.local_addr().expect("an address").port());
    let line = "é\t".repeat(1000);
    assert_eq!(forward(&to, &["long"]).stdin(line.clone()).output().code, 0);
    let (mut joined, mut count) = (String::new(), 0);
    while joined.len() < 6000 {
        let message = receive(&socket, 1).remove(0);
        assert!(message.len() <= 1180, "{}", message.len());
        let id = if count == 0 { " long - - - \u{feff}" } else { " long - + - \u{feff}" };
        joined.push_str(message.split_once(id).expect("a header").1);
        count += 1;
    }
    assert_eq!(joined, line.replace('\t', "#011"));
}

#[test]
fn while_nobody_listens_lines_wait() {
    let port = free_port();
    let mut child = forward(&format!("udp:127.0.0.1:{port}"), &["late"]).spawn();
    child.write(numbered(0..200).as_bytes());
    child.expect_stderr("splogger: warning: unable to send to udp:127.0.0.1:");
    let mut socket = None;
    wait_until("the port is free", SOON, || {
        socket = UdpSocket::bind(("127.0.0.1", port)).ok();
        socket.is_some()
    });
    child.close();
    let messages = texts(&receive(&socket.expect("bound"), 200));
    assert_eq!(numbers(&messages), (0..200).collect::<Vec<_>>());
    assert_eq!(child.wait(SOON).code, 0);
}

#[test]
fn a_line_that_was_refused_waits_for_no_other() {
    let port = free_port();
    let mut child = forward(&format!("udp:127.0.0.1:{port}"), &["alone"]).spawn();
    child.write(b"line 0\n");
    child.expect_stderr("splogger: warning: unable to send to udp:127.0.0.1:");
    let mut socket = None;
    wait_until("the port is free", SOON, || {
        socket = UdpSocket::bind(("127.0.0.1", port)).ok();
        socket.is_some()
    });
    assert_eq!(numbers(&texts(&receive(&socket.expect("bound"), 1))), [0]);
    child.close();
    let outcome = child.wait(SOON);
    assert_eq!(outcome.code, 0);
    assert_eq!(outcome.err().lines().count(), 1, "it is said once: {}", outcome.err());
}
