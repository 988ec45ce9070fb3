//! Answers, put together by hand: nothing here comes from the crate that is tested.

use crate::server::{Query, Reply};
use std::net::{IpAddr, Ipv4Addr};

pub(crate) const A: u16 = 1;
pub(crate) const CNAME: u16 = 5;
pub(crate) const PTR: u16 = 12;
pub(crate) const TXT: u16 = 16;
pub(crate) const AAAA: u16 = 28;

pub(crate) const TRUNCATED: u16 = 0x0200;
pub(crate) const SERVFAIL: u16 = 2;
pub(crate) const NXDOMAIN: u16 = 3;
pub(crate) const REFUSED: u16 = 5;

/// An answer under construction.
pub(crate) struct Answer {
    message: Vec<u8>,
}

impl Answer {
    /// To this question: a recursive server's, without error and still empty.
    pub(crate) fn to(query: &Query) -> Answer {
        let mut message = query.id.to_be_bytes().to_vec();
        message.extend(b"\x81\x80\0\x01\0\0\0\0\0\0");
        message.extend(&query.question);
        Answer { message }
    }

    /// Sets flags, a code among them.
    pub(crate) fn flags(mut self, flags: u16) -> Answer {
        let [high, low] = flags.to_be_bytes();
        self.message[2] |= high;
        self.message[3] |= low;
        self
    }

    /// Another id.
    pub(crate) fn id(mut self, id: u16) -> Answer {
        self.message[..2].copy_from_slice(&id.to_be_bytes());
        self
    }

    /// A record of `owner`.
    pub(crate) fn record(mut self, owner: &[u8], kind: u16, data: &[u8]) -> Answer {
        let count = u16::from_be_bytes([self.message[6], self.message[7]]) + 1;
        self.message[6..8].copy_from_slice(&count.to_be_bytes());
        self.message.extend(owner);
        self.message.extend(kind.to_be_bytes());
        self.message.extend(b"\0\x01\0\0\0\x3C");
        self.message.extend(u16::try_from(data.len()).expect("short enough").to_be_bytes());
        self.message.extend(data);
        self
    }

    /// A record of the name that was asked for.
    pub(crate) fn with(self, kind: u16, data: &[u8]) -> Answer {
        self.record(b"\xC0\x0C", kind, data)
    }

    pub(crate) fn v4(self, last: u8) -> Answer {
        self.with(A, &[192, 0, 2, last])
    }

    pub(crate) fn v6(self, last: u8) -> Answer {
        self.with(AAAA, &v6(last))
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.message
    }

    pub(crate) fn send(self) -> Vec<Reply> {
        vec![Reply::Send(self.message)]
    }
}

/// 2001:db8::LAST.
pub(crate) fn v6(last: u8) -> [u8; 16] {
    let mut octets = [0; 16];
    octets[..4].copy_from_slice(&[0x20, 1, 0x0D, 0xB8]);
    octets[15] = last;
    octets
}

/// 192.0.2.LAST.
pub(crate) fn v4(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

/// A name as the wire has it.
pub(crate) fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').filter(|label| !label.is_empty());
    let mut wire: Vec<u8> = labels
        .flat_map(|label| [&[u8::try_from(label.len()).expect("short")], label.as_bytes()].concat())
        .collect();
    wire.push(0);
    wire
}

/// 192.0.2.7 for A, 2001:db8::7 for AAAA, nothing else.
pub(crate) fn good(query: &Query) -> Vec<Reply> {
    match query.kind {
        A => Answer::to(query).v4(7).send(),
        AAAA => Answer::to(query).v6(7).send(),
        _ => Answer::to(query).send(),
    }
}

/// Nothing.
pub(crate) fn silent(_: &Query) -> Vec<Reply> {
    Vec::new()
}

/// Nothing but this code.
pub(crate) fn code(code: u16) -> impl Fn(&Query) -> Vec<Reply> {
    move |query| Answer::to(query).flags(code).send()
}
