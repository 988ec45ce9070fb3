//! What the fuzzer runs here: see fuzz/.

use crate::channel::{Channel, Progress};
use crate::config::resolv_conf::{self, ResolvConf};
use crate::config::{MOST_SERVERS, nsswitch};
use crate::message::{Answer, Kind, MOST_RECORDS, Question, Reading, Record, read};
use crate::name::LONGEST_NAME;
use crate::qualify::{Rule, Search};
use crate::{DomainName, address, hosts, services};
use pieces::Pieces;
use std::net::IpAddr;
use sys::Errno;
use sys::net::{AddressFamily, SocketFlags, SocketType, socketpair};

#[path = "../../fuzz/pieces.rs"]
mod pieces;
#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

const HEADER: usize = 12;

/// What comes as an answer: whatever it is, what is read of it is bounded, of the kind that was asked for, and
/// the same as a reader finds that looks at one byte after the other.
pub fn dns_message(message: &[u8]) {
    if let Some(name) = DomainName::from_text(message) {
        assert!(name.wire().len() <= LONGEST_NAME);
        assert_eq!(DomainName::from_text(&name.text()).as_ref(), Some(&name));
    }
    // The question that it answers, as far as there is one.
    let slow = Slow(message);
    let asked = (slow.name(HEADER)).and_then(|(labels, at)| {
        let mut name = DomainName::root();
        labels.iter().try_for_each(|label| name.append(label))?;
        let kinds = [Kind::A, Kind::Aaaa, Kind::Ptr, Kind::Txt];
        let kind = kinds.into_iter().find(|kind| Some(kind.number()) == slow.number(at));
        Some((Question { name, kind: kind? }, labels, at + 4))
    });
    let Some((question, labels, at)) = asked else {
        let question = Question { name: DomainName::root(), kind: Kind::A };
        let reading = read(message, &question, slow.number(0).unwrap_or_default());
        assert!(matches!(reading, Reading::Foreign | Reading::Failed), "{reading:?}");
        return;
    };
    let id = slow.number(0).unwrap_or_default();
    let reading = read(message, &question, id);
    assert_eq!(read(message, &question, id ^ 1), Reading::Foreign);
    let flags = slow.number(2).unwrap_or_default();
    let Reading::Answer(answer) = reading else { return };
    assert_eq!(flags & 0xFA00, 0x8000);
    // Nothing behind the answers matters.
    let longer = [message, b"\xC0\x0C"].concat();
    assert_eq!(read(&longer, &question, id), Reading::Answer(answer.clone()));
    let Answer::Records(records) = answer else { return assert_eq!(flags & 15, 3) };
    assert!(records.len() <= MOST_RECORDS);
    let expected = slow.records(&labels, question.kind, at).expect("well-formed");
    assert_eq!(records.len(), expected.len().min(MOST_RECORDS));
    for (record, data) in records.iter().zip(expected) {
        match record {
            Record::Address(IpAddr::V4(ip)) => assert_eq!(ip.octets(), message[data]),
            Record::Address(IpAddr::V6(ip)) => assert_eq!(ip.octets(), message[data]),
            Record::Text(text) => {
                assert_eq!(question.kind, Kind::Txt);
                let mut rest = &message[data];
                let mut whole = Vec::new();
                while let [length, after @ ..] = rest {
                    let (string, after) = after.split_at(usize::from(*length));
                    whole.extend_from_slice(string);
                    rest = after;
                }
                assert_eq!(*text, whole);
            }
            Record::Name(name) => {
                assert!(name.wire().len() <= LONGEST_NAME);
                assert_eq!(DomainName::from_text(&name.text()).as_ref(), Some(name));
                let (labels, _) = slow.name(data.start).expect("a name");
                assert_eq!(name.wire(), wire(&labels));
            }
        }
    }
}

fn wire(labels: &[Vec<u8>]) -> Vec<u8> {
    let mut wire: Vec<u8> = labels
        .iter()
        .flat_map(|label| [&[u8::try_from(label.len()).expect("short")], &label[..]].concat())
        .collect();
    wire.push(0);
    wire
}

/// RFC 1035 without any cleverness.
struct Slow<'a>(&'a [u8]);

impl Slow<'_> {
    fn number(&self, at: usize) -> Option<u16> {
        Some(u16::from_be_bytes([*self.0.get(at)?, *self.0.get(at + 1)?]))
    }

    /// The labels of a name, and where it ends. A pointer leads to before the part that it ends.
    fn name(&self, at: usize) -> Option<(Vec<Vec<u8>>, usize)> {
        let (labels, end) = self.part(at)?;
        (labels.len() <= 127 && wire(&labels).len() <= LONGEST_NAME).then_some((labels, end))
    }

    fn part(&self, begin: usize) -> Option<(Vec<Vec<u8>>, usize)> {
        let (mut labels, mut at) = (Vec::new(), begin);
        loop {
            let length = usize::from(*self.0.get(at)?);
            match length {
                0 => return Some((labels, at + 1)),
                1..64 => labels.push(self.0.get(at + 1..at + 1 + length)?.to_vec()),
                192.. => {
                    let target = (length - 192) << 8 | usize::from(*self.0.get(at + 1)?);
                    let (more, _) = self.part(Some(target).filter(|target| *target < begin)?)?;
                    labels.extend(more);
                    return Some((labels, at + 2));
                }
                _ => return None,
            }
            at += 1 + length;
        }
    }

    /// Where the data of the records are that belong to a name.
    fn records(
        &self,
        labels: &[Vec<u8>],
        kind: Kind,
        begin: usize,
    ) -> Option<Vec<std::ops::Range<usize>>> {
        let mut owner = wire(labels);
        for _ in 0..20 {
            let (mut found, mut alias) = (Vec::new(), None);
            let mut at = begin;
            for _ in 0..self.number(6)? {
                let (name, fields) = self.name(at)?;
                let data = fields + 10;
                at = data + usize::from(self.number(fields + 8)?);
                self.0.get(data..at)?;
                if !wire(&name).eq_ignore_ascii_case(&owner) || self.number(fields + 2)? != 1 {
                    continue;
                }
                match self.number(fields)? {
                    5 => alias = Some(wire(&self.name(data)?.0)),
                    number if number == kind.number() => found.push(data..at),
                    _ => {}
                }
            }
            match alias {
                Some(target) if found.is_empty() => owner = target,
                _ => return Some(found),
            }
        }
        None
    }
}

/// An answer that comes on a connection, in pieces: its length, and as much.
pub fn dns_stream(data: &[u8]) {
    let pieces = Pieces::of(data);
    let (family, flags) = (AddressFamily::UNIX, SocketFlags::NONBLOCK);
    let pair = socketpair(family, SocketType::STREAM, flags, None);
    let (server, client) = pair.expect("a pair");
    let mut channel = Channel::receiving(client);
    let expected = match pieces.whole {
        [high, low, rest @ ..] => rest.get(..usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    };
    for piece in pieces.iter() {
        // So much fits into a socket; more comes in several pieces.
        for part in piece.chunks(4096) {
            sys::write_all(&server, part).expect("room");
            match channel.progress() {
                Progress::Pending => {}
                Progress::Message(message) => return assert_eq!(Some(message), expected),
                Progress::Failed(errno) => panic!("{errno:?}"),
            }
        }
    }
    drop(server);
    assert!(matches!(channel.progress(), Progress::Failed(Errno::PROTO)));
    assert_eq!(expected, None);
}

/// The files that say how names are looked up: resolv.conf, nsswitch.conf, hosts, services, the rewriting rules.
pub fn resolver(text: &[u8]) {
    let mut conf = ResolvConf::default();
    let mut rules = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        conf.line(line);
        rules.extend(Rule::parse(line));
        let steps = nsswitch::hosts(line).map(nsswitch::parse).unwrap_or_default();
        assert!(steps.len() <= 1 + line.len() / 3);
        if let Some((ip, names)) = hosts::entry(line) {
            assert_eq!(address::parse(&address::text(ip)), Some(ip.to_canonical()));
            for name in names {
                assert!(!name.is_empty() && !name.iter().any(u8::is_ascii_whitespace));
            }
        }
        if let Some((_, mut names)) = services::entry(line) {
            assert!(names.all(|name| !name.is_empty() && !name.contains(&b'#')));
        }
    }
    conf.options(text);
    assert!(conf.servers.len() <= MOST_SERVERS && conf.dots <= 15);
    assert!(conf.timeout.is_none_or(|timeout| (1..=30).contains(&timeout.as_secs())));
    assert!(conf.attempts.is_none_or(|attempts| (1..=5).contains(&attempts)));
    assert!(resolv_conf::servers(text).len() <= MOST_SERVERS);
    let typed = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    // Rules that each make a name longer: a file's lines, not a stranger's.
    rules.truncate(16);
    let domains = conf.domains.unwrap_or_default();
    for search in [Search::Domains { domains, dots: conf.dots }, Search::Rules(rules)] {
        let names = search.names(typed);
        assert!((1..=16).contains(&names.len()));
    }
}

/// An address as somebody typed it: what is read is written, and read again, as the standard library does.
pub fn address(text: &[u8]) {
    let Some(ip) = address::parse(text) else { return };
    let written = address::text(ip);
    assert_eq!(address::parse(&written), Some(ip.to_canonical()));
    let library: IpAddr = str::from_utf8(&written).expect("ASCII").parse().expect("an address");
    assert_eq!(library, ip.to_canonical());
    let reverse = DomainName::of_address(ip);
    assert!(reverse.wire().ends_with(b"\x04arpa\0"));
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("dns-message", super::dns_message);
        replay("dns-stream", super::dns_stream);
        replay("resolver", super::resolver);
        replay("address", super::address);
    }
}
