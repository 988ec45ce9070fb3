//! A DNS server for cases, with what is right and what is hostile.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

/// Where it listens.
pub(crate) const ADDRESS: &str = "127.0.0.53";

const A: u16 = 1;
const CNAME: u16 = 5;
const PTR: u16 = 12;
const TXT: u16 = 16;
const AAAA: u16 = 28;

/// What is not of one datagram in good order.
enum Manner {
    /// In good order.
    Plain,
    /// Nothing is said.
    Silent,
    /// The code of a failure.
    Code(u8),
    /// Another answer, with a wrong id, comes before the right one.
    ForgedFirst,
    /// Another answer, to another question, comes before the right one.
    OtherQuestionFirst,
    /// Cut, in a datagram; whole by TCP.
    TooLong,
    /// The record claims to be longer than the message.
    Overrun,
    /// A name that points to itself.
    Loop,
    /// Half a header.
    Stump,
}

/// Listens, and answers for as long as the test runs.
pub(crate) fn start() {
    let udp = UdpSocket::bind((ADDRESS, 53)).expect("the DNS port");
    let tcp = TcpListener::bind((ADDRESS, 53)).expect("the DNS port");
    std::thread::spawn(move || serve_udp(&udp));
    std::thread::spawn(move || tcp.incoming().flatten().for_each(serve_tcp));
}

fn serve_udp(socket: &UdpSocket) {
    let mut query = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut query) {
        for answer in answers(&query[..length], false) {
            let _ = socket.send_to(&answer, from);
        }
    }
}

fn serve_tcp(mut stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let mut length = [0; 2];
    if stream.read_exact(&mut length).is_err() {
        return;
    }
    let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
    if stream.read_exact(&mut query).is_ok() {
        for answer in answers(&query, true) {
            let length = u16::try_from(answer.len()).expect("a short answer");
            let _ = stream.write_all(&[&length.to_be_bytes()[..], &answer].concat());
        }
    }
}

/// What is sent for a query.
fn answers(query: &[u8], whole: bool) -> Vec<Vec<u8>> {
    let Some((name, end)) = name_in(query) else { return Vec::new() };
    let kind = u16::from_be_bytes([query[end], query[end + 1]]);
    let question = &query[12..end + 4];
    let records = records(&name, kind);
    let id = [query[0], query[1]];
    let plain = |id: [u8; 2], code: u8, records: &[(u16, Vec<u8>)]| {
        message(id, [0x81, 0x80 | code], question, records)
    };
    match manner(&name) {
        Manner::Silent => Vec::new(),
        Manner::Code(code) => vec![plain(id, code, &[])],
        Manner::ForgedFirst => {
            let forged = plain([id[0], id[1] ^ 1], 0, &[(TXT, text(&["forged"]))]);
            vec![forged, plain(id, 0, &records)]
        }
        Manner::OtherQuestionFirst => {
            let mut other = question.to_vec();
            other[1] ^= 1;
            let forged = message(id, [0x81, 0x80], &other, &[(TXT, text(&["forged"]))]);
            vec![forged, plain(id, 0, &records)]
        }
        Manner::TooLong if !whole => vec![message(id, [0x83, 0x80], question, &[])],
        Manner::Overrun => {
            let mut answer = plain(id, 0, &[(TXT, vec![200, b'x'])]);
            let place = answer.len() - 4;
            answer[place + 1] = 99;
            vec![answer]
        }
        Manner::Loop => {
            let mut answer = plain(id, 0, &[(TXT, text(&["looped"]))]);
            // The owner's name is a pointer to the pointer itself.
            let place = 12 + question.len();
            let target = u16::try_from(place).expect("a short question") | 0xC000;
            answer[place..place + 2].copy_from_slice(&target.to_be_bytes());
            vec![answer]
        }
        Manner::Stump => vec![query[..6].to_vec()],
        Manner::Plain | Manner::TooLong if records.is_empty() && !exists(&name) => {
            vec![plain(id, 3, &[])]
        }
        Manner::Plain | Manner::TooLong => vec![plain(id, 0, &records)],
    }
}

/// A name with something of another kind exists, too.
fn exists(name: &str) -> bool {
    [A, PTR, TXT, AAAA].iter().any(|kind| !records(name, *kind).is_empty())
}

fn manner(name: &str) -> Manner {
    let host = name.split('.').next().unwrap_or_default();
    match name.rsplit_once(".test").map_or("", |(rest, _)| rest).rsplit('.').next() {
        Some("silent") => Manner::Silent,
        Some("fail") => Manner::Code(2),
        Some("refused") => Manner::Code(5),
        Some("forged") => Manner::ForgedFirst,
        Some("other") => Manner::OtherQuestionFirst,
        Some("long") => Manner::TooLong,
        Some("overrun") => Manner::Overrun,
        Some("loop") => Manner::Loop,
        Some("stump") => Manner::Stump,
        // 127.0.9.x has trouble with its names.
        _ if name.ends_with(".9.0.127.in-addr.arpa") && host == "2" => Manner::Code(2),
        _ => Manner::Plain,
    }
}

/// The zone.
fn records(name: &str, kind: u16) -> Vec<(u16, Vec<u8>)> {
    let all = |kind: u16, data: &[Vec<u8>]| data.iter().map(|data| (kind, data.clone())).collect();
    let long = ["x".repeat(255), "y".repeat(200)];
    match (name, kind) {
        ("2.0.0.127.bl.test" | "2.0.0.127.forged.test" | "2.0.0.127.other.test", TXT) => {
            all(TXT, &[text(&["Listed, see http://bl.test/"])])
        }
        ("3.0.0.127.bl.test", TXT) => all(TXT, &[text(&["two ", "strings"])]),
        ("4.0.0.127.bl.test", TXT) => all(TXT, &[text(&["first"]), text(&[" second"])]),
        ("5.0.0.127.bl.test", TXT) => all(TXT, &[[&[12][..], b"a\r\n250 \0\xff\t%:"].concat()]),
        ("6.0.0.127.bl.test", TXT) => all(TXT, &[text(&[&long[0], &long[1]])]),
        ("7.0.0.127.bl.test", TXT) => all(TXT, &[text(&[""])]),
        ("8.0.0.127.bl.test", A) => all(A, &[vec![127, 0, 0, 2]]),
        ("2.0.0.127.second.test", TXT) => all(TXT, &[text(&["on the second"])]),
        ("2.0.0.127.long.test", TXT) => {
            let part = "0123456789".repeat(20);
            all(TXT, &[text(&[part.as_str(); 10])])
        }
        ("2.0.0.127.alias.test", _) => {
            let mut records = all(CNAME, &[name_of("2.0.0.127.bl.test")]);
            if kind == TXT {
                // Its owner is the alias's target, as the server of a recursive resolver would have it.
                records.push((u16::MAX, Vec::new()));
            }
            records
        }
        ("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test", TXT) => {
            all(TXT, &[text(&["IPv6, too"])])
        }
        ("2.0.0.127.al.test" | "9.0.0.127.al.test", A) => all(A, &[vec![127, 0, 0, 2]]),
        ("one.test", A) => all(A, &[vec![127, 0, 1, 1]]),
        ("Two.test" | "two.test", A) => all(A, &[vec![127, 0, 2, 9], vec![127, 0, 1, 1]]),
        ("both.test" | "six.test", AAAA) => all(AAAA, &[[&[0; 15][..], &[1]].concat()]),
        ("both.test", A) => all(A, &[vec![127, 0, 2, 9]]),
        ("hang.test", A) => all(A, &[vec![127, 0, 3, 1], vec![127, 0, 1, 1]]),
        ("hung.test", A) => all(A, &[vec![127, 0, 3, 1], vec![127, 0, 3, 2]]),
        ("1.0.0.127.in-addr.arpa", PTR) => all(PTR, &[name_of("localhost")]),
        ("1.1.0.127.in-addr.arpa", PTR) => all(PTR, &[name_of("One.test")]),
        ("2.1.0.127.in-addr.arpa", PTR) => {
            all(PTR, &[name_of("first.test"), name_of("second.test")])
        }
        ("3.1.0.127.in-addr.arpa", PTR) => all(PTR, &[b"\x08a b\r\n%:.\x02\xc3\xa9\x00".to_vec()]),
        _ => Vec::new(),
    }
}

fn text(strings: &[&str]) -> Vec<u8> {
    let part = |string: &&str| {
        let length = u8::try_from(string.len()).expect("a short string");
        [&[length], string.as_bytes()].concat()
    };
    strings.iter().flat_map(part).collect()
}

fn name_of(name: &str) -> Vec<u8> {
    let mut wire = text(&name.split('.').collect::<Vec<_>>());
    wire.push(0);
    wire
}

/// The name in a query, and where it ends.
fn name_in(query: &[u8]) -> Option<(String, usize)> {
    let (mut labels, mut at) = (Vec::new(), 12);
    loop {
        let length = usize::from(*query.get(at)?);
        at += 1;
        if length == 0 {
            return (query.len() >= at + 4).then(|| (labels.join(".").to_lowercase(), at));
        }
        labels.push(String::from_utf8_lossy(query.get(at..at + length)?).into_owned());
        at += length;
    }
}

fn message(id: [u8; 2], flags: [u8; 2], question: &[u8], records: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let count = u16::try_from(records.len()).expect("few records").to_be_bytes();
    let mut message = [&id[..], &flags, &[0, 1], &count, &[0; 4], question].concat();
    for (kind, data) in records {
        let (owner, kind, data) = match *kind {
            u16::MAX => (name_of("2.0.0.127.bl.test"), TXT, text(&["by another name"])),
            kind => (vec![0xC0, 12], kind, data.clone()),
        };
        message.extend(owner);
        message.extend(kind.to_be_bytes());
        message.extend([0, 1, 0, 0, 0, 60]);
        message.extend(u16::try_from(data.len()).expect("short data").to_be_bytes());
        message.extend(data);
    }
    message
}
