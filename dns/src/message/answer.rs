//! What a message says to a question.

use super::reader::Reader;
use super::{
    AUTHORITATIVE, CLASS_IN, HEADER, Kind, OPCODE, Question, RCODE, RECURSION_AVAILABLE, RESPONSE,
    TRUNCATED, TYPE_CNAME,
};
use crate::DomainName;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

/// So many aliases (CNAME) are followed; a circle has no end.
pub const LONGEST_CHAIN: usize = 16;

/// So many records are taken from an answer; what follows is left out.
pub const MOST_RECORDS: usize = 256;

/// A message, seen with a question in mind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// No answer to this question: another id, another question, no answer at all.
    Foreign,
    /// It doesn't fit into the message: to be asked again by TCP.
    Truncated,
    /// The server can't or won't tell: SERVFAIL, REFUSED and all codes beyond, or a referral to
    /// others, which is what a server without recursion gives.
    Failed,
    /// It says that it answers the question, and is malformed.
    Malformed,
    /// An answer.
    Answer(Answer),
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The name doesn't exist (NXDOMAIN).
    NoSuchName,
    /// What was asked for, in the server's order; empty if the name has nothing of the kind.
    Records(Vec<Record>),
}

/// One thing that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A or AAAA.
    Address(IpAddr),
    /// PTR.
    Name(DomainName),
    /// TXT: its strings, one after the other.
    Text(Vec<u8>),
}

const SERVER_FAILED: u16 = 2;
const NO_SUCH_NAME: u16 = 3;

/// Reads a message that came for `question`, asked under `id`. Only the answer section counts, and
/// in it only what belongs to the name that was asked for, or that its aliases lead to.
#[must_use]
pub fn read(message: &[u8], question: &Question, id: u16) -> Reading {
    let mut reader = Reader::new(message, 0);
    let mut header = [0; HEADER / 2];
    for field in &mut header {
        let Some(number) = reader.number() else { return Reading::Foreign };
        *field = number;
    }
    let [its_id, flags, questions, answers, _, _] = header;
    if its_id != id || flags & RESPONSE == 0 || flags & OPCODE != 0 {
        return Reading::Foreign;
    }
    let code = flags & RCODE;
    if questions == 0 && code != 0 && code != NO_SUCH_NAME {
        // Some servers refuse without repeating the question.
        return Reading::Failed;
    }
    if questions != 1 || !repeats(&mut reader, question) {
        return Reading::Foreign;
    }
    if flags & TRUNCATED != 0 {
        return Reading::Truncated;
    }
    match code {
        0 if is_referral(flags, answers) => Reading::Failed,
        0 => records(reader, answers, question)
            .map_or(Reading::Malformed, |records| Reading::Answer(Answer::Records(records))),
        NO_SUCH_NAME => Reading::Answer(Answer::NoSuchName),
        1 | SERVER_FAILED | 4.. => Reading::Failed,
    }
}

fn repeats(reader: &mut Reader<'_>, question: &Question) -> bool {
    reader.name().as_ref() == Some(&question.name)
        && reader.number() == Some(question.kind.number())
        && reader.number() == Some(CLASS_IN)
}

fn is_referral(flags: u16, answers: u16) -> bool {
    answers == 0 && flags & (AUTHORITATIVE | RECURSION_AVAILABLE) == 0
}

/// Follows the aliases. They mostly stand in order, but need not.
fn records(section: Reader<'_>, count: u16, question: &Question) -> Option<Vec<Record>> {
    let mut owner = question.name.clone();
    for _ in 0..=LONGEST_CHAIN {
        match find(section, count, question.kind, &owner)? {
            Found::Records(records) => return Some(records),
            Found::Alias(target) => owner = target,
        }
    }
    None
}

enum Found {
    Records(Vec<Record>),
    Alias(DomainName),
}

/// What the section has of `owner`: its records, or else what it is an alias of.
fn find(mut reader: Reader<'_>, count: u16, kind: Kind, owner: &DomainName) -> Option<Found> {
    let mut records = Vec::new();
    let mut alias = None;
    for _ in 0..count {
        let name = reader.name()?;
        let (its_kind, class) = (reader.number()?, reader.number()?);
        let _time_to_live = reader.bytes(4)?;
        let length = usize::from(reader.number()?);
        let data = reader.part(length)?;
        if class != CLASS_IN || name != *owner {
            continue;
        }
        if its_kind == kind.number() {
            let record = record(data, kind)?;
            if records.len() < MOST_RECORDS {
                records.push(record);
            }
        } else if its_kind == TYPE_CNAME {
            alias = Some(only_name(data)?);
        }
    }
    Some(match alias {
        Some(target) if records.is_empty() => Found::Alias(target),
        _ => Found::Records(records),
    })
}

fn record(mut data: Reader<'_>, kind: Kind) -> Option<Record> {
    match kind {
        Kind::A => {
            let octets: [u8; 4] = data.bytes(4)?.try_into().ok()?;
            data.is_at_end().then_some(Record::Address(octets.into()))
        }
        Kind::Aaaa => {
            let octets: [u8; 16] = data.bytes(16)?.try_into().ok()?;
            data.is_at_end().then_some(Record::Address(Ipv6Addr::from(octets).into()))
        }
        Kind::Ptr => only_name(data).map(Record::Name),
        Kind::Txt => {
            let mut text = Vec::new();
            while !data.is_at_end() {
                let length = data.bytes(1)?[0];
                text.extend_from_slice(data.bytes(usize::from(length))?);
            }
            Some(Record::Text(text))
        }
    }
}

fn only_name(mut data: Reader<'_>) -> Option<DomainName> {
    let name = data.name()?;
    data.is_at_end().then_some(name)
}
