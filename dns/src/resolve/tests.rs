use super::*;
use crate::DomainName;
use crate::message::{Kind, Record};
use core::net::Ipv4Addr;
use proptest::prelude::*;

const ID: u16 = 7;
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

fn question() -> Question {
    let name = DomainName::from_text(b"a.example").expect("a name");
    Question { name, kind: Kind::A }
}

/// An answer with these flags, and with this address in it, if any.
fn answer(flags: u16, address: Option<[u8; 4]>) -> Vec<u8> {
    let mut message = question().query(ID);
    message[2..4].copy_from_slice(&flags.to_be_bytes());
    if let Some(octets) = address {
        message[7] = 1;
        message.extend_from_slice(b"\xC0\x0C\0\x01\0\x01\0\0\0\x3C\0\x04");
        message.extend_from_slice(&octets);
    }
    message
}

fn good() -> Vec<u8> {
    answer(0x8180, Some([192, 0, 2, 1]))
}

/// What a message is in the tables: its first letter.
fn message(letter: char) -> Vec<u8> {
    match letter {
        'g' => good(),
        'n' => answer(0x8183, None),
        'e' => answer(0x8180, None),
        's' => answer(0x8182, None),
        'r' => answer(0x8185, None),
        't' => answer(0x8380, None),
        // The header counts a record that isn't there.
        'm' => {
            let mut cut = good();
            cut.truncate(cut.len() - 1);
            cut
        }
        'f' => b"foreign".to_vec(),
        _ => panic!("no such message: {letter}"),
    }
}

/// Plays a lookup: each word of `script` is an event. `+N` lets N seconds go by first; a letter is a
/// message as above; `c` a refused connection; `.` nothing but time. Tells what follows each, the
/// start included: `uN@S` or `tN@S`, server N asked by UDP or TCP until second S; `-` wait;
/// `good`, `nx`, `empty`, or the reason.
fn play(servers: u16, first: usize, transport: Transport, deadline: u64, script: &str) -> String {
    let servers: Vec<_> =
        (0..servers).map(|port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)).collect();
    let plan = Plan {
        servers: &servers,
        first,
        waits: &WAITS,
        transport,
        deadline: Duration::from_secs(deadline),
    };
    let mut now = Duration::ZERO;
    let (mut lookup, next) = Lookup::new(question(), &plan, now);
    let mut told = vec![tell(&next)];
    lookup.query(ID);
    for word in script.split_whitespace() {
        let (seconds, event) = match word.strip_prefix('+') {
            Some(rest) => rest.split_at(rest.len() - 1),
            None => ("0", word),
        };
        now += Duration::from_secs(seconds.parse().expect("seconds"));
        let next = match event {
            "." => lookup.handle(Event::Time, now),
            "c" => lookup.handle(Event::Unreachable(Errno::CONNREFUSED), now),
            letter => {
                let bytes = message(letter.chars().next().expect("a letter"));
                lookup.handle(Event::Message(&bytes), now)
            }
        };
        lookup.query(ID);
        told.push(tell(&next));
    }
    told.join(" ")
}

fn tell(next: &Next) -> String {
    match next {
        Next::Wait => "-".into(),
        Next::Ask(ask) => {
            let letter = if ask.transport == Transport::Udp { 'u' } else { 't' };
            format!("{letter}{}@{}", ask.server.port(), ask.until.as_secs())
        }
        Next::Done(Ok(Answer::NoSuchName)) => "nx".into(),
        Next::Done(Ok(Answer::Records(records))) if records.is_empty() => "empty".into(),
        Next::Done(Ok(Answer::Records(records))) => {
            assert_eq!(records[..], [Record::Address(Ipv4Addr::new(192, 0, 2, 1).into())]);
            "good".into()
        }
        Next::Done(Err(errno)) => common::reason(*errno).replace(' ', "-"),
    }
}

#[test]
fn one_server() {
    for (script, expected) in [
        ("g", "u0@1 good"),
        ("n", "u0@1 nx"),
        ("e", "u0@1 empty"),
        ("f f g", "u0@1 - - good"),
        (". g", "u0@1 - good"),
        ("+1. g", "u0@1 u0@4 good"),
        ("+1. +3.", "u0@1 u0@4 timed-out"),
        ("+1f g", "u0@1 u0@4 good"),
        ("s", "u0@1 temporary-failure"),
        ("r", "u0@1 temporary-failure"),
        ("m", "u0@1 protocol-error"),
        ("c", "u0@1 connection-refused"),
        ("t g", "u0@1 t0@10 good"),
        ("t t", "u0@1 t0@10 protocol-error"),
        ("t f", "u0@1 t0@10 protocol-error"),
        ("t m", "u0@1 t0@10 protocol-error"),
        ("t s", "u0@1 t0@10 temporary-failure"),
        ("t c", "u0@1 t0@10 connection-refused"),
        ("t n", "u0@1 t0@10 nx"),
        ("t +9. +1.", "u0@1 t0@10 - timed-out"),
    ] {
        assert_eq!(play(1, 0, Transport::Udp, 100, script), expected, "{script}");
    }
}

#[test]
fn several_servers() {
    for (script, expected) in [
        ("+1. +1. +1. +3. +3. +3.", "u0@1 u1@2 u2@3 u0@6 u1@9 u2@12 timed-out"),
        ("s g", "u0@1 u1@1 good"),
        ("s r c", "u0@1 u1@1 u2@1 connection-refused"),
        // Only the silent one is asked again.
        ("s +1. m +3.", "u0@1 u1@1 u2@2 u1@4 timed-out"),
        ("s +1. m g", "u0@1 u1@1 u2@2 u1@4 good"),
        ("+1. s +1. g", "u0@1 u1@2 u2@2 u0@5 good"),
        ("t c g", "u0@1 t0@10 u1@1 good"),
        ("t +10. t g", "u0@1 t0@10 u1@11 t1@20 good"),
        // No such name is an answer, and no other server is asked.
        ("n", "u0@1 nx"),
    ] {
        assert_eq!(play(3, 0, Transport::Udp, 100, script), expected, "{script}");
    }
}

#[test]
fn rotation_only_changes_where_a_round_begins() {
    assert_eq!(
        play(3, 5, Transport::Udp, 100, "+1. +1. +1. +3. s +3."),
        "u2@1 u0@2 u1@3 u2@6 u0@9 u1@9 timed-out"
    );
}

#[test]
fn by_tcp_only() {
    for (script, expected) in
        [("g", "t0@10 good"), ("c g", "t0@10 t1@10 good"), ("+10. +10.", "t0@10 t1@20 timed-out")]
    {
        assert_eq!(play(2, 0, Transport::Tcp, 100, script), expected, "{script}");
    }
}

#[test]
fn the_deadline_ends_everything() {
    for (deadline, script, expected) in [
        (0, "", "timed-out"),
        (2, "+1. +1.", "u0@1 u1@2 timed-out"),
        (2, "+1. s", "u0@1 u1@2 u0@2"),
        (2, "+1. s +1.", "u0@1 u1@2 u0@2 timed-out"),
        (2, "t +2.", "u0@1 t0@2 timed-out"),
        (2, "+2s", "u0@1 temporary-failure"),
    ] {
        assert_eq!(play(2, 0, Transport::Udp, deadline, script), expected, "{deadline} {script}");
    }
}

#[test]
fn hurrying_shortens_what_is_left() {
    let server = [SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53)];
    let plan = Plan {
        servers: &server,
        first: 0,
        waits: &[Duration::from_secs(5)],
        transport: Transport::Udp,
        deadline: Duration::from_secs(60),
    };
    let (mut lookup, _) = Lookup::new(question(), &plan, Duration::ZERO);
    lookup.hurry(Duration::from_secs(2));
    assert_eq!(lookup.until(), Duration::from_secs(2));
    lookup.hurry(Duration::from_secs(9));
    assert_eq!(lookup.until(), Duration::from_secs(2));
    let next = lookup.handle(Event::Time, Duration::from_secs(2));
    assert_eq!(next, Next::Done(Err(Errno::TIMEDOUT)));
}

#[test]
fn without_servers_there_is_nobody_to_ask() {
    let plan = Plan {
        servers: &[],
        first: 3,
        waits: &WAITS,
        transport: Transport::Udp,
        deadline: Duration::from_secs(60),
    };
    let (_, next) = Lookup::new(question(), &plan, Duration::ZERO);
    assert_eq!(next, Next::Done(Err(Errno::DESTADDRREQ)));
}

#[test]
fn an_answer_under_an_earlier_id_does_not_count() {
    let server = [SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53)];
    let plan = Plan {
        servers: &server,
        first: 0,
        waits: &WAITS,
        transport: Transport::Udp,
        deadline: Duration::from_secs(60),
    };
    let (mut lookup, _) = Lookup::new(question(), &plan, Duration::ZERO);
    lookup.query(ID);
    lookup.handle(Event::Time, WAITS[0]);
    lookup.query(ID + 1);
    assert_eq!(lookup.handle(Event::Message(&good()), WAITS[0]), Next::Wait);
}

proptest! {
    /// Whatever comes: it ends, it never asks more often than rounds, servers and TCP allow, and
    /// never waits beyond the deadline.
    #[test]
    fn every_lookup_ends(
        servers in 1_u16..4, first: usize, deadline in 0_u64..40, tcp: bool,
        events in prop::collection::vec((0_u64..4, "[gnesrtmfc.]"), 0..60),
    ) {
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let script: Vec<String> =
            events.iter().map(|(seconds, event)| format!("+{seconds}{event}")).collect();
        let told = play(servers, first, transport, deadline, &script.join(" "));
        let mut words: Vec<&str> = told.split(' ').collect();
        // What comes after the end is nobody's concern.
        let is_end = |word: &&str| !word.contains('@') && *word != "-";
        if let Some(end) = words.iter().position(is_end) {
            words.truncate(end);
        } else {
            let elapsed: u64 = events.iter().map(|(seconds, _)| seconds).sum();
            prop_assert!(elapsed < deadline || events.iter().all(|(_, event)| event != "."), "{}", told);
        }
        let asked = words.iter().filter(|word| word.contains('@')).count();
        prop_assert!(asked <= usize::from(servers) * WAITS.len() * 2, "{}", told);
        for word in words {
            let until = word.split_once('@').map_or(0, |(_, until)| until.parse().expect("a number"));
            prop_assert!(until <= deadline, "{}", told);
        }
    }
}
