//! What doesn't fit into a datagram, and servers that are bad at TCP.

use crate::host::Host;
use crate::reply::{Answer, SERVFAIL, TRUNCATED, TXT, good, v4};
use crate::server::{Query, Reply, framed};
use dns::Unresolved;
use std::time::Duration;
use sys::Errno;

/// Truncated by UDP; by TCP, what `mind` gives.
fn by_tcp(mind: impl Fn(&Query) -> Vec<Reply> + Send + 'static) -> Host {
    Host::new(truncating(mind)).patience(Duration::from_secs(60))
}

fn truncating(
    mind: impl Fn(&Query) -> Vec<Reply> + Send + 'static,
) -> impl Fn(&Query) -> Vec<Reply> + Send + 'static {
    move |query| match query.by_tcp {
        false => Answer::to(query).v4(66).flags(TRUNCATED).send(),
        true => mind(query),
    }
}

#[test]
fn what_is_truncated_is_asked_for_again_by_tcp() {
    let mut host = by_tcp(good);
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    assert_eq!(host.log(), ["u1 a.example", "t1 a.example"]);
}

#[test]
fn an_answer_may_come_byte_by_byte() {
    let mut host =
        by_tcp(|query| vec![Reply::Dribble(framed(&Answer::to(query).v4(7).bytes())), Reply::Hold]);
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
}

#[test]
fn huge_texts_come_whole() {
    let text: Vec<u8> = (0..60_000_u32).map(|number| (number % 251) as u8).collect();
    let data: Vec<u8> = text
        .chunks(255)
        .flat_map(|chunk| [&[u8::try_from(chunk.len()).expect("short")], chunk].concat())
        .collect();
    let mut host = by_tcp(move |query| Answer::to(query).with(TXT, &data).send());
    assert_eq!(host.txt("a.example"), Ok(vec![text]));
}

#[test]
fn many_small_texts_come_up_to_a_bound() {
    let mut host =
        by_tcp(|query| (0..4000).fold(Answer::to(query), |a, _| a.with(TXT, b"\x01x")).send());
    assert_eq!(host.txt("a.example"), Ok(vec![b"x".to_vec(); dns::message::MOST_RECORDS]));
}

#[test]
fn bad_ends_of_a_connection_are_nonsense() {
    type Bad = fn(&Query) -> Vec<Reply>;
    let bad: [(&str, Bad); 7] = [
        ("closed without a word", |_| Vec::new()),
        ("half a length", |_| vec![Reply::Raw(vec![0])]),
        ("cut short", |query| {
            let mut bytes = framed(&Answer::to(query).v4(7).bytes());
            bytes.pop();
            vec![Reply::Raw(bytes)]
        }),
        ("no length at all", |_| vec![Reply::Raw(vec![0, 0])]),
        ("the longest length", |_| vec![Reply::Raw(vec![0xFF; 70]), Reply::Raw(vec![0xFF; 70])]),
        ("another id", |query| Answer::to(query).v4(7).id(query.id ^ 1).send()),
        ("truncated again", |query| Answer::to(query).v4(7).flags(TRUNCATED).send()),
    ];
    for (what, mind) in bad {
        let mut host = by_tcp(mind);
        // A connection that is closed with something unread may also be reset.
        let outcome = host.v4("a.example");
        assert!(
            matches!(outcome, Err(Unresolved::Temporary(Errno::PROTO | Errno::CONNRESET))),
            "{what}: {outcome:?}"
        );
        assert_eq!(host.log(), ["u1 a.example", "t1 a.example"], "{what}");
    }
}

#[test]
fn a_server_that_fails_by_tcp_is_passed_over() {
    let failing = truncating(crate::reply::code(SERVFAIL));
    let mut host = Host::with(vec![Box::new(failing), Box::new(good)]);
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    let cut = truncating(|_| vec![Reply::Raw(vec![1, 0, 1])]);
    let mut host = Host::with(vec![Box::new(cut), Box::new(good)]);
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
}

#[test]
fn a_server_that_is_silent_by_tcp_ends_by_the_deadline() {
    for mind in [
        (|_: &Query| vec![Reply::Hold]) as fn(&Query) -> Vec<Reply>,
        |_| vec![Reply::Raw(vec![0xFF]), Reply::Hold],
        |query| vec![Reply::Raw(framed(&query.question)[..9].to_vec()), Reply::Hold],
    ] {
        let mut host = by_tcp(mind).patience(Duration::from_millis(900));
        assert_eq!(host.v4("a.example"), Err(Unresolved::Temporary(Errno::TIMEDOUT)));
    }
}

#[test]
fn a_server_without_tcp_is_passed_over() {
    // A server that says "truncated" by UDP, and whose TCP port belongs to nobody.
    let udp = std::net::UdpSocket::bind("127.0.0.9:0").expect("a port");
    let port = udp.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let mut message = [0; 600];
        while let Ok((length, from)) = udp.recv_from(&mut message) {
            message[2..4].copy_from_slice(&[0x83, 0x80]);
            let _ = udp.send_to(&message[..length], from);
        }
    });
    let host = Host::new(good);
    host.file("resolv.conf", "nameserver 127.0.0.9\n");
    let places = dns::Places {
        resolv_conf: std::ffi::CString::new(
            host.dir().join("resolv.conf").into_os_string().into_encoded_bytes(),
        )
        .expect("no NUL"),
        port,
        ..dns::Places::default()
    };
    let mut resolver = dns::Resolver::new(places, dns::Environment::default());
    let deadline = sys::clock::monotonic() + Duration::from_secs(60);
    assert_eq!(
        resolver.txt(b"a.example", deadline),
        Err(Unresolved::Temporary(Errno::CONNREFUSED))
    );
}

#[test]
fn it_may_be_tcp_from_the_beginning() {
    let mut host = Host::new(good).conf("options use-vc");
    assert_eq!(host.v4("a.example"), Ok(vec![v4(7)]));
    assert_eq!(host.log(), ["t1 a.example"]);
}
