//! Another host by TCP: there, late, restarted, slow, dead.

use std::io::Read;
use std::net::TcpListener;

use tests::{Signal, free_port, wait_until};

use super::receiver::{Receiver, frame};
use super::{SOON, forward, held_back, numbered, numbers, resident};

#[test]
fn frames_are_counted_and_the_end_is_confirmed() {
    let receiver = Receiver::start();
    let lines = format!("one\n\n{}\nlast", "x".repeat(5000));
    let outcome = forward(&receiver.to(), &["pop3d", "2"]).stdin(lines).output();
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
    let texts = receiver.expect(5);
    assert_eq!((texts[0].as_str(), texts[4].as_str()), ("one", "last"));
    assert_eq!(texts[1..4].concat(), "x".repeat(5000));
    let messages = receiver.messages();
    assert!(messages.iter().all(|message| message.len() <= 2048));
    let ids: Vec<&str> =
        messages.iter().map(|message| message.split(' ').nth(5).expect("MSGID")).collect();
    assert_eq!(ids, ["-", "-", "+", "+", "-"]);
}

#[test]
fn structured_data_and_size_are_as_asked() {
    let receiver = Receiver::start();
    let args = ["--sd", "[x@32473 service=\"pop3\"]", "--size", "300", "pop3d", "20"];
    assert_eq!(forward(&receiver.to(), &args).stdin("y".repeat(400)).output().code, 0);
    wait_until("both messages", SOON, || receiver.count() == 2);
    let messages = receiver.messages();
    assert!(messages[0].starts_with("<166>1 ") && messages.iter().all(|one| one.len() <= 300));
    assert!(messages[0].contains(" here pop3d - - [x@32473 service=\"pop3\"] yyy"), "{messages:?}");
}

#[test]
fn a_late_host_gets_all_and_its_absence_is_said_once() {
    let port = free_port();
    let mut child = forward(&format!("tcp:127.0.0.1:{port}"), &["late"]).spawn();
    child.write(numbered(0..100).as_bytes());
    child.expect_stderr("splogger: warning: unable to send to tcp:127.0.0.1:");
    let receiver = Receiver::at(port);
    assert_eq!(numbers(&receiver.expect(100)), (0..100).collect::<Vec<_>>());
    child.close();
    let outcome = child.wait(SOON);
    assert_eq!(outcome.code, 0);
    let said = outcome.err();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with("tcpclient: unable to connect to 127.0.0.1 port "), "{said}");
}

#[test]
fn a_host_that_is_restarted_in_good_order_misses_nothing() {
    let mut receiver = Receiver::start();
    let port = receiver.port;
    let mut child = forward(&receiver.to(), &["again"]).spawn();
    let mut got = Vec::new();
    for round in 0..4 {
        child.write(numbered(round * 500..(round + 1) * 500).as_bytes());
        // In the midst of it, or while nothing is under way.
        let enough = if round % 2 == 0 { 100 } else { 500 };
        wait_until("it gets on", SOON, || receiver.count() + got.len() >= round * 500 + enough);
        got.extend(receiver.end());
        receiver = Receiver::at(port);
    }
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
    got.extend(receiver.end());
    assert_each_came(&numbers(&got), 2000);
}

/// Each of them, once at least, and for the first time in order.
pub(super) fn assert_each_came(numbers: &[usize], count: usize) {
    let mut next = 0;
    for number in numbers {
        assert!(*number <= next, "{number} came before {next}");
        next = next.max(number + 1);
    }
    assert_eq!(next, count);
}

#[test]
fn a_slow_host_holds_the_service_back() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let to = format!("tcp:{}", listener.local_addr().expect("an address"));
    let mut child = forward(&to, &["slow"]).spawn();
    let count = 60_000;
    child.write(numbered(0..count).as_bytes());
    child.close();
    let (mut stream, _) = listener.accept().expect("a connection");
    held_back(&child, 10_000);
    let kilobytes = resident(&child);
    assert!(kilobytes < 3072, "{kilobytes} kB are resident");
    let (mut bytes, mut next) = (Vec::new(), 0);
    let mut buffer = vec![0; 65536];
    while next < count {
        let read = stream.read(&mut buffer).expect("more");
        assert!(read > 0, "it ended after {next}");
        bytes.extend_from_slice(&buffer[..read]);
        let mut used = 0;
        while let Some((message, length)) = frame(&bytes[used..]) {
            assert!(message.ends_with(&format!(" - - - line {next}")), "{message}");
            (used, next) = (used + length, next + 1);
        }
        bytes.drain(..used);
    }
    drop(stream);
    assert_eq!(child.wait(SOON).code, 0);
}

/// A host that takes bytes, reads none of them, and is gone: what its kernel had acknowledged is lost, as the man page
/// says, and nothing else.
#[test]
fn a_host_that_dies_costs_what_its_kernel_had() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
    let port = listener.local_addr().expect("an address").port();
    let mut child = forward(&format!("tcp:127.0.0.1:{port}"), &["dead"]).spawn();
    let count = 60_000;
    child.write(numbered(0..count).as_bytes());
    child.close();
    let (mut stream, _) = listener.accept().expect("a connection");
    held_back(&child, 10_000);
    // Perhaps it had only no turn to run: from here on it sends nothing more, and what is under way arrives.
    stream.peek(&mut [0]).expect("something");
    child.signal(Signal::SIGSTOP);
    let mut arrived = vec![0; 16 << 20];
    let mut seen = 0;
    wait_until("nothing more arrives", SOON, || {
        let before = seen;
        std::thread::park_timeout(std::time::Duration::from_millis(100));
        seen = stream.peek(&mut arrived).expect("a look");
        seen == before
    });
    let mut first = 0;
    let mut used = 0;
    while let Some((_, length)) = frame(&arrived[used..seen]) {
        (used, first) = (used + length, first + 1);
    }
    assert!(first > 0 && first < count, "{first}");
    // Unread bytes make it a reset.
    let _ = stream.read(&mut [0]);
    drop((stream, listener));
    child.signal(Signal::SIGCONT);
    let receiver = Receiver::at(port);
    let outcome = child.wait(SOON * 2);
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    let got = numbers(&receiver.end());
    assert!(got[0] <= first, "lost {first} to {}", got[0]);
    assert_eq!(got, (got[0]..count).collect::<Vec<_>>());
}
