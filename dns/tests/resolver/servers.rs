//! Several servers: silent, refusing, broken, gone.

use crate::host::Host;
use crate::reply::{Answer, REFUSED, SERVFAIL, code, good, silent, v4};
use dns::Unresolved;
use std::net::IpAddr;
use std::time::Duration;
use sys::Errno;

#[test]
fn a_silent_server_is_passed_over_after_its_time() {
    let mut host = Host::with(vec![Box::new(silent), Box::new(good)]);
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    assert_eq!(host.servers[0].log(), ["u1 a.example"]);
    assert_eq!(host.servers[1].log(), ["u1 a.example"]);
}

#[test]
fn a_server_that_lost_a_question_is_asked_again() {
    let mut host = Host::new(|query| if query.earlier == 0 { Vec::new() } else { good(query) });
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    assert_eq!(host.log(), ["u1 a.example"; 2]);
}

#[test]
fn servers_that_fail_are_passed_over_at_once() {
    for refusal in [SERVFAIL, REFUSED, 1, 4, 9] {
        let mut host = Host::with(vec![Box::new(code(refusal)), Box::new(good)])
            .conf("options timeout:30 attempts:5")
            .patience(Duration::from_secs(25));
        assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]), "{refusal}");
    }
}

#[test]
fn a_refusal_without_the_question_is_one() {
    let mut host = Host::with(vec![
        Box::new(|query| {
            let mut bytes = Answer::to(query).flags(REFUSED).bytes();
            bytes.truncate(12);
            bytes[5] = 0;
            vec![crate::server::Reply::Send(bytes)]
        }),
        Box::new(good),
    ])
    .conf("options timeout:30 attempts:5")
    .patience(Duration::from_secs(25));
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
}

#[test]
fn a_server_that_only_refers_to_others_is_passed_over() {
    let mut host = Host::with(vec![
        Box::new(|query| {
            let mut bytes = Answer::to(query).bytes();
            // No recursion here.
            bytes[3] &= 0x7F;
            vec![crate::server::Reply::Send(bytes)]
        }),
        Box::new(good),
    ]);
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
}

#[test]
fn when_all_fail_each_was_asked_once() {
    let mut host = Host::with(vec![Box::new(code(SERVFAIL)), Box::new(code(REFUSED))]);
    assert_eq!(host.v4("a.example"), Err(Unresolved::Temporary(Errno::AGAIN)));
    for server in &host.servers {
        assert_eq!(server.log(), ["u1 a.example"]);
    }
}

#[test]
fn when_all_are_silent_it_ends_by_the_deadline() {
    let mut host =
        Host::with(vec![Box::new(silent), Box::new(silent)]).patience(Duration::from_millis(1500));
    let begun = std::time::Instant::now();
    assert_eq!(host.v4("a.example"), Err(Unresolved::Temporary(Errno::TIMEDOUT)));
    assert!(begun.elapsed() >= Duration::from_millis(1500));
    assert_eq!(host.servers[0].log(), ["u1 a.example"]);
    assert_eq!(host.servers[1].log(), ["u1 a.example"]);
}

#[test]
fn when_all_are_silent_it_ends_after_the_last_round() {
    let mut host = Host::new(silent);
    assert_eq!(host.v4("a.example"), Err(Unresolved::Temporary(Errno::TIMEDOUT)));
    assert_eq!(host.log(), ["u1 a.example"; 2]);
}

#[test]
fn a_deadline_in_the_past_asks_nobody() {
    let mut host = Host::new(good).patience(Duration::ZERO);
    assert_eq!(host.v4("a.example"), Err(Unresolved::Temporary(Errno::TIMEDOUT)));
    assert_eq!(host.log(), [""; 0]);
}

#[test]
fn a_server_that_is_not_there_is_passed_over_at_once() {
    let mut host = Host::at(vec![("127.0.0.2".parse().expect("an address"), Box::new(good))])
        .patience(Duration::from_secs(25));
    let options = "options timeout:30 attempts:5";
    host.file("resolv.conf", &format!("nameserver 127.0.0.3\nnameserver 127.0.0.2\n{options}\n"));
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    host.file("resolv.conf", &format!("nameserver 127.0.0.3\n{options}\n"));
    assert_eq!(host.v4("a.example"), Err(Unresolved::Temporary(Errno::CONNREFUSED)));
}

#[test]
fn servers_may_have_ipv6_addresses() {
    let loopback: IpAddr = "::1".parse().expect("an address");
    if std::net::UdpSocket::bind((loopback, 0)).is_err() {
        eprintln!("skipped: no IPv6 here");
        return;
    }
    let mut host = Host::at(vec![(loopback, Box::new(good))]);
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
}

#[test]
fn rotation_reaches_all_servers() {
    let mut host = Host::with(vec![Box::new(good), Box::new(good), Box::new(good)])
        .conf("options rotate timeout:30");
    // That one of three stays out 64 times has a chance of 1 to 6e10.
    for _ in 0..64 {
        assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    }
    let counts: Vec<_> = host.servers.iter().map(|server| server.queries().len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 64);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}
