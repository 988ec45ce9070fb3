//! A name server at 127.0.0.1, port 53: what the names of the cases' clients are, by the last octet of 127.0.0.x, and some
//! answers that no honest server gives. Put together by hand.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::Once;
use std::thread;

/// From now on, until the process ends.
pub(crate) fn serve() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let udp = UdpSocket::bind("127.0.0.1:53").expect("port 53 of the test's own network");
        let tcp = TcpListener::bind("127.0.0.1:53").expect("port 53 of the test's own network");
        thread::spawn(move || {
            let mut message = [0; 600];
            loop {
                let Ok((length, from)) = udp.recv_from(&mut message) else { continue };
                for answer in answers(&message[..length], false) {
                    let _ = udp.send_to(&answer, from);
                }
            }
        });
        thread::spawn(move || {
            for mut connection in tcp.incoming().flatten() {
                let mut length = [0; 2];
                if connection.read_exact(&mut length).is_err() {
                    continue;
                }
                let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
                if connection.read_exact(&mut message).is_err() {
                    continue;
                }
                for answer in answers(&message, true) {
                    let length = u16::try_from(answer.len()).expect("short");
                    let _ = connection.write_all(&[&length.to_be_bytes(), &answer[..]].concat());
                }
            }
        });
    });
}

const A: u16 = 1;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const AAAA: u16 = 28;

/// A question that was read.
struct Question<'a> {
    id: [u8; 2],
    labels: Vec<&'a [u8]>,
    kind: u16,
    bytes: &'a [u8],
}

fn answers(message: &[u8], by_tcp: bool) -> Vec<Vec<u8>> {
    let question = read(message);
    let name = question.labels.join(&b"."[..]).to_ascii_lowercase();
    match question.kind {
        PTR => match name.strip_suffix(b".0.0.127.in-addr.arpa") {
            Some(octet) => names_of(&question, octet, by_tcp),
            None if name == ipv6_loopback() => {
                vec![answer(&question, 0x8180, &[record(PTR, &wire(b"six.example"))])]
            }
            None => vec![refused(&question, 3)],
        },
        A => match addresses(&name) {
            [] if name == b"six.example" => vec![answer(&question, 0x8180, &[])],
            [] => vec![refused(&question, 3)],
            found => {
                let records: Vec<_> =
                    found.iter().map(|last| record(A, &[127, 0, 0, *last])).collect();
                vec![answer(&question, 0x8180, &records)]
            }
        },
        AAAA if matches!(&name[..], b"six.example" | b"both.example") => {
            let loopback = std::net::Ipv6Addr::LOCALHOST.octets();
            vec![answer(&question, 0x8180, &[record(AAAA, &loopback)])]
        }
        // There is such a name, perhaps, but with nothing of the kind.
        _ => vec![answer(&question, 0x8180, &[])],
    }
}

fn ipv6_loopback() -> Vec<u8> {
    [&b"1."[..], &b"0.".repeat(31), b"ip6.arpa"].concat()
}

fn addresses(name: &[u8]) -> &'static [u8] {
    match name {
        b"good.example" => &[2],
        b"liar.example" => &[99],
        b"one.example" => &[98],
        b"two.example" => &[4, 10],
        b"upper.example" => &[9],
        b"four.example" => &[1, 12],
        b"late.example" => &[14],
        b"alias.example" => &[15],
        b"here.example" => &[40],
        b"both.example" => &[1],
        _ => &[],
    }
}

fn names_of(question: &Question<'_>, octet: &[u8], by_tcp: bool) -> Vec<Vec<u8>> {
    let told = |names: &[&[u8]]| {
        let records: Vec<_> = names.iter().map(|name| record(PTR, &wire(name))).collect();
        answer(question, 0x8180, &records)
    };
    let good = |name: &str| told(&[name.as_bytes()]);
    vec![match octet {
        b"2" => good("good.example"),
        b"3" => good("liar.example"),
        b"4" => told(&[b"one.example", b"two.example"]),
        b"5" => told(&[b"od\x01d.ex%am:ple"]),
        b"6" => told(&[]),
        b"7" => refused(question, 2),
        b"8" => told(&[&[&[b'x'; 60][..]; 4].join(&b"."[..])]),
        b"9" => good("UPPER.Example"),
        b"10" => told(&[b"two.example", b"one.example"]),
        b"11" => told(&[b"sp ace.example\xe4"]),
        b"12" => good("four.example"),
        // Somebody else's words come first.
        b"13" => {
            let mut forged = good("forged.example");
            forged[0] ^= 1;
            return vec![forged, b"x".to_vec(), good("good.example")];
        }
        // Only TCP has the whole.
        b"14" if !by_tcp => answer(question, 0x8380, &[]),
        b"14" => good("late.example"),
        // Another name has the answer, as it is done for smaller networks.
        b"15" => {
            let other = wire(b"15.0-31.0.0.127.in-addr.arpa");
            let mut second = other.clone();
            second.extend([0, 12, 0, 1, 0, 0, 0, 60]);
            let data = wire(b"alias.example");
            second.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
            second.extend(data);
            answer(question, 0x8180, &[record(CNAME, &other), second])
        }
        // A name that points to itself.
        b"16" => answer(question, 0x8180, &[record(PTR, b"\xC0\x28")]),
        // The root.
        b"17" => told(&[b""]),
        // A record that is shorter than it says.
        b"18" => {
            let mut cut = good("good.example");
            cut.truncate(cut.len() - 4);
            cut
        }
        // What looks like another rule, another variable, another line.
        b"20" => told(&[b"a@b=c,d"]),
        b"21" => told(&[b"x\ny.example"]),
        // More than a log line may hold: 99, 100 and 101 bytes.
        b"24" => told(&[&[&[b'y'; 49][..], &[b'y'; 49]].join(&b"."[..])]),
        b"25" => told(&[&[&[b'y'; 49][..], &[b'y'; 50]].join(&b"."[..])]),
        b"26" => told(&[&[&[b'y'; 50][..], &[b'y'; 50]].join(&b"."[..])]),
        b"40" => good("here.example"),
        _ => refused(question, 3),
    }]
}

fn read(message: &[u8]) -> Question<'_> {
    let mut labels = Vec::new();
    let mut at = 12;
    while message[at] != 0 {
        let end = at + 1 + usize::from(message[at]);
        labels.push(&message[at + 1..end]);
        at = end;
    }
    let kind = u16::from_be_bytes([message[at + 1], message[at + 2]]);
    Question { id: [message[0], message[1]], labels, kind, bytes: &message[12..at + 5] }
}

fn refused(question: &Question<'_>, code: u16) -> Vec<u8> {
    answer(question, 0x8180 | code, &[])
}

fn answer(question: &Question<'_>, flags: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let count = u16::try_from(records.len()).expect("few");
    let mut message = question.id.to_vec();
    message.extend(flags.to_be_bytes());
    message.extend([0, 1]);
    message.extend(count.to_be_bytes());
    message.extend([0; 4]);
    message.extend(question.bytes);
    message.extend(records.concat());
    message
}

/// A record of the name that was asked for.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\xC0\x0C".to_vec();
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 0, 60]);
    bytes.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
    bytes.extend(data);
    bytes
}

fn wire(name: &[u8]) -> Vec<u8> {
    let labels = name.split(|byte| *byte == b'.').filter(|label| !label.is_empty());
    let mut wire: Vec<u8> = labels
        .flat_map(|label| [&[u8::try_from(label.len()).expect("short")][..], label].concat())
        .collect();
    wire.push(0);
    wire
}
