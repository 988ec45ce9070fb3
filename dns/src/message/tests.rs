use super::*;
use core::net::IpAddr;
use proptest::prelude::*;

const ID: u16 = 0xBEEF;

fn name(text: &str) -> DomainName {
    DomainName::from_text(text.as_bytes()).expect("a name")
}

fn question(text: &str, kind: Kind) -> Question {
    Question { name: name(text), kind }
}

/// An answer under construction: by default, a recursive server's good one.
struct Message {
    flags: u16,
    question: Question,
    answers: Vec<u8>,
    count: u16,
}

impl Message {
    fn to(question: &Question) -> Self {
        let flags = RESPONSE | RECURSION_AVAILABLE;
        Self { flags, question: question.clone(), answers: Vec::new(), count: 0 }
    }

    fn flags(mut self, flags: u16) -> Self {
        self.flags = flags;
        self
    }

    /// A record whose owner and data are written as given.
    fn raw(mut self, owner: &[u8], kind: u16, class: u16, data: &[u8]) -> Self {
        self.answers.extend_from_slice(owner);
        self.answers.extend_from_slice(&kind.to_be_bytes());
        self.answers.extend_from_slice(&class.to_be_bytes());
        self.answers.extend_from_slice(&[0, 0, 0, 60]);
        self.answers.extend_from_slice(&u16::try_from(data.len()).expect("short").to_be_bytes());
        self.answers.extend_from_slice(data);
        self.count += 1;
        self
    }

    fn with(self, owner: &str, kind: Kind, data: &[u8]) -> Self {
        self.raw(name(owner).wire(), kind.number(), CLASS_IN, data)
    }

    fn alias(self, owner: &str, target: &str) -> Self {
        self.raw(name(owner).wire(), TYPE_CNAME, CLASS_IN, name(target).wire())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut message = self.question.query(ID);
        message[2..4].copy_from_slice(&self.flags.to_be_bytes());
        message[6..8].copy_from_slice(&self.count.to_be_bytes());
        message.extend_from_slice(&self.answers);
        message
    }

    fn read(&self, question: &Question) -> Reading {
        read(&self.bytes(), question, ID)
    }
}

fn records(records: impl Into<Vec<Record>>) -> Reading {
    Reading::Answer(Answer::Records(records.into()))
}

fn address(text: &str) -> Record {
    Record::Address(text.parse().expect("an address"))
}

#[test]
fn the_query_is_the_standards() {
    assert_eq!(
        question("Mail.example", Kind::Aaaa).query(0x1234),
        b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0\x04Mail\x07example\0\0\x1C\0\x01"
    );
}

#[test]
fn each_kind_is_read() {
    let a = question("a.example", Kind::A);
    assert_eq!(
        Message::to(&a).with("a.example", Kind::A, &[192, 0, 2, 1]).read(&a),
        records([address("192.0.2.1")])
    );
    let aaaa = question("a.example", Kind::Aaaa);
    let loopback = core::net::Ipv6Addr::LOCALHOST.octets();
    assert_eq!(
        Message::to(&aaaa).with("A.EXAMPLE", Kind::Aaaa, &loopback).read(&aaaa),
        records([address("::1")])
    );
    let ptr = Question {
        name: DomainName::of_address("192.0.2.1".parse().expect("an address")),
        kind: Kind::Ptr,
    };
    assert_eq!(
        Message::to(&ptr)
            .with("1.2.0.192.in-addr.arpa", Kind::Ptr, name("b.example").wire())
            .with("1.2.0.192.in-addr.arpa", Kind::Ptr, name("c.example").wire())
            .read(&ptr),
        records([Record::Name(name("b.example")), Record::Name(name("c.example"))])
    );
    let txt = question("t.example", Kind::Txt);
    assert_eq!(
        Message::to(&txt).with("t.example", Kind::Txt, b"\x03one\x00\x04 two").read(&txt),
        records([Record::Text(b"one two".to_vec())])
    );
}

#[test]
fn compressed_names_lead_back_into_the_message() {
    let ptr = question("x.example", Kind::Ptr);
    // "x" stands at 12, "example" at 14.
    let message = Message::to(&ptr).raw(b"\xC0\x0C", 12, CLASS_IN, b"\x04mail\xC0\x0E");
    assert_eq!(message.read(&ptr), records([Record::Name(name("mail.example"))]));
}

#[test]
fn aliases_are_followed_in_any_order_and_only_they() {
    let a = question("a.example", Kind::A);
    let message = Message::to(&a)
        .with("c.example", Kind::A, &[192, 0, 2, 3])
        .with("evil.example", Kind::A, &[192, 0, 2, 66])
        .alias("b.example", "C.example")
        .alias("evil.example", "a.example")
        .alias("A.example", "b.example");
    assert_eq!(message.read(&a), records([address("192.0.2.3")]));
}

#[test]
fn records_of_others_other_types_and_other_classes_do_not_count() {
    let a = question("a.example", Kind::A);
    let message = Message::to(&a)
        .with("b.example", Kind::A, &[192, 0, 2, 1])
        .with("a.example", Kind::Txt, b"\x01x")
        .raw(name("a.example").wire(), 1, 3, &[192, 0, 2, 2]);
    assert_eq!(message.read(&a), records([]));
}

#[test]
fn an_alias_without_its_target_is_no_data() {
    let a = question("a.example", Kind::A);
    assert_eq!(Message::to(&a).alias("a.example", "b.example").read(&a), records([]));
}

#[test]
fn chains_have_an_end() {
    let a = question("n0", Kind::A);
    let chain = |links: usize| {
        (0..links)
            .fold(Message::to(&a), |message, link| {
                message.alias(&format!("n{link}"), &format!("n{}", link + 1))
            })
            .with(&format!("n{links}"), Kind::A, &[192, 0, 2, 1])
            .read(&a)
    };
    assert_eq!(chain(LONGEST_CHAIN), records([address("192.0.2.1")]));
    assert_eq!(chain(LONGEST_CHAIN + 1), Reading::Malformed);
    let circle = Message::to(&a).alias("n0", "n1").alias("n1", "n0");
    assert_eq!(circle.read(&a), Reading::Malformed);
}

#[test]
fn what_the_header_says_decides() {
    let a = question("a.example", Kind::A);
    let answered = RESPONSE | RECURSION_AVAILABLE;
    for (flags, reading) in [
        (answered, records([])),
        (answered | 3, Reading::Answer(Answer::NoSuchName)),
        (answered | 1, Reading::Failed),
        (answered | 2, Reading::Failed),
        (answered | 5, Reading::Failed),
        (answered | 15, Reading::Failed),
        (answered | TRUNCATED, Reading::Truncated),
        (answered | TRUNCATED | 3, Reading::Truncated),
        (RESPONSE | AUTHORITATIVE, records([])),
        (RESPONSE, Reading::Failed),
        (0, Reading::Foreign),
        (answered | 0x2800, Reading::Foreign),
    ] {
        assert_eq!(Message::to(&a).flags(flags).read(&a), reading, "{flags:04x}");
    }
}

#[test]
fn answers_to_others_are_foreign() {
    let a = question("a.example", Kind::A);
    let good = Message::to(&a).bytes();
    assert_eq!(read(&good, &a, ID ^ 1), Reading::Foreign);
    for other in [question("b.example", Kind::A), question("a.example", Kind::Aaaa)] {
        assert_eq!(Message::to(&other).read(&a), Reading::Foreign);
    }
    for questions in [0, 2] {
        let mut message = good.clone();
        message[5] = questions;
        assert_eq!(read(&message, &a, ID), Reading::Foreign);
    }
    for length in 0..good.len() {
        assert_eq!(read(&good[..length], &a, ID), Reading::Foreign, "{length}");
    }
}

#[test]
fn a_refusal_may_leave_out_the_question() {
    let a = question("a.example", Kind::A);
    let mut refusal = Message::to(&a).flags(RESPONSE | 5).bytes();
    refusal.truncate(HEADER);
    refusal[5] = 0;
    assert_eq!(read(&refusal, &a, ID), Reading::Failed);
    refusal[3] = 3;
    assert_eq!(read(&refusal, &a, ID), Reading::Foreign, "no such name: which?");
}

#[test]
fn malformed_answers_are_seen() {
    let a = question("a.example", Kind::A);
    let owner = name("a.example");
    let ones = |kind: u16, data: &[u8]| Message::to(&a).raw(owner.wire(), kind, CLASS_IN, data);
    let at = a.query(ID).len();
    let to_itself = [0xC0, u8::try_from(at).expect("short")];
    for message in [
        ones(1, &[192, 0, 2]),
        ones(1, &[192, 0, 2, 1, 0]),
        // An alias that goes on behind its data, and one with something behind it.
        ones(TYPE_CNAME, b"\x05abc"),
        ones(TYPE_CNAME, b"\x01b\0\0"),
        // Pointers: to themselves, forwards, to the end; labels of unknown kinds.
        Message::to(&a).raw(&to_itself, 1, CLASS_IN, &[192, 0, 2, 1]),
        Message::to(&a).raw(b"\xC1\xFF", 1, CLASS_IN, &[192, 0, 2, 1]),
        Message::to(&a).raw(b"\x40abc\0", 1, CLASS_IN, &[192, 0, 2, 1]),
        Message::to(&a).raw(b"\x80abc\0", 1, CLASS_IN, &[192, 0, 2, 1]),
    ] {
        assert_eq!(message.read(&a), Reading::Malformed, "{:?}", message.answers);
    }
    let txt = question("a.example", Kind::Txt);
    assert_eq!(
        Message::to(&txt).with("a.example", Kind::Txt, b"\x05abc").read(&txt),
        Reading::Malformed
    );
}

#[test]
fn pointers_lead_back_only() {
    let a = question("a.example", Kind::A);
    let second = a.query(ID).len() + 2 + 10 + 4;
    let forwards = [0xC0, u8::try_from(second).expect("short")];
    let message = Message::to(&a).raw(&forwards, 1, CLASS_IN, &[192, 0, 2, 66]).with(
        "a.example",
        Kind::A,
        &[192, 0, 2, 1],
    );
    assert_eq!(message.bytes()[second], 1, "a name stands there");
    assert_eq!(message.read(&a), Reading::Malformed);
}

#[test]
fn counts_beyond_the_message_are_seen_at_every_cut() {
    let a = question("a.example", Kind::A);
    let message = Message::to(&a).with("a.example", Kind::A, &[192, 0, 2, 1]).bytes();
    for length in a.query(ID).len()..message.len() {
        assert_eq!(read(&message[..length], &a, ID), Reading::Malformed, "{length}");
    }
    let mut counted = message;
    counted[7] = 2;
    assert_eq!(read(&counted, &a, ID), Reading::Malformed);
}

#[test]
fn names_beyond_255_bytes_are_malformed() {
    let a = question("a.example", Kind::A);
    let label = |length: u8| [&[length][..], &vec![b'x'; usize::from(length)]].concat();
    let long = |last| [label(63), label(63), label(63), label(last), vec![0]].concat();
    let fits = Message::to(&a).raw(&long(61), 1, CLASS_IN, &[192, 0, 2, 1]);
    assert_eq!(fits.read(&a), records([]));
    let beyond = Message::to(&a).raw(&long(62), 1, CLASS_IN, &[192, 0, 2, 1]);
    assert_eq!(beyond.read(&a), Reading::Malformed);
}

#[test]
fn what_is_beyond_the_bound_is_left_out() {
    let a = question("a.example", Kind::A);
    let many = (0..MOST_RECORDS + 9)
        .fold(Message::to(&a), |message, _| message.raw(b"\xC0\x0C", 1, CLASS_IN, &[192, 0, 2, 1]));
    let Reading::Answer(Answer::Records(records)) = many.read(&a) else { panic!("an answer") };
    assert_eq!(records.len(), MOST_RECORDS);
}

#[test]
fn the_most_laborious_message_is_read_in_a_moment() {
    // 64 kB: a chain of aliases, then owners that lead through as many pointers as may be.
    let a = question("n0", Kind::A);
    let mut message = (0..LONGEST_CHAIN).fold(Message::to(&a), |message, link| {
        message.alias(&format!("n{link}"), &format!("n{}", link + 1))
    });
    let place = |message: &Message| a.query(ID).len() + message.answers.len();
    let mut target = place(&message) - name(&format!("n{LONGEST_CHAIN}")).wire().len();
    let first = place(&message) + 11;
    let mut pointers = Vec::new();
    for hop in 0..126 {
        pointers.extend_from_slice(&(0xC000 | u16::try_from(target).expect("near")).to_be_bytes());
        target = first + 2 * hop;
    }
    message = message.raw(b"\0", 99, CLASS_IN, &pointers);
    let owner = (0xC000 | u16::try_from(target).expect("near")).to_be_bytes();
    while message.answers.len() < 65_000 {
        message = message.raw(&owner, 1, CLASS_IN, &[192, 0, 2, 1]);
    }
    let begun = std::time::Instant::now();
    let Reading::Answer(Answer::Records(records)) = message.read(&a) else { panic!("an answer") };
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert_eq!(records.len(), MOST_RECORDS);
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::A), Just(Kind::Aaaa), Just(Kind::Ptr), Just(Kind::Txt)]
}

proptest! {
    #[test]
    fn addresses_come_through(host in "[a-zA-Z0-9.-]{1,50}", bits: Vec<u32>) {
        let question = question(&host, Kind::A);
        let mut message = Message::to(&question);
        for bits in bits.iter().take(MOST_RECORDS) {
            message = message.with(&host.to_ascii_uppercase(), Kind::A, &bits.to_be_bytes());
        }
        let expected: Vec<_> =
            bits.iter().take(MOST_RECORDS).map(|bits| Record::Address(IpAddr::V4((*bits).into()))).collect();
        prop_assert_eq!(message.read(&question), records(expected));
    }

    #[test]
    fn no_message_breaks_it(bytes: Vec<u8>, kind in kinds()) {
        let _ = read(&bytes, &question("a.example", kind), ID);
    }

    #[test]
    fn no_answer_section_breaks_it(
        section in prop::collection::vec(any::<u8>(), 0..300), count: u16, kind in kinds()
    ) {
        let question = question("a.example", kind);
        let message = Message { answers: section, count, ..Message::to(&question) };
        let reading = message.read(&question);
        prop_assert!(matches!(reading, Reading::Malformed | Reading::Answer(_)));
    }

    #[test]
    fn no_flipped_byte_breaks_it(at in 0_usize..200, byte: u8) {
        let question = question("a.example", Kind::Ptr);
        let mut message = Message::to(&question)
            .alias("a.example", "b.example")
            .raw(b"\x01b\xC0\x0E", 12, CLASS_IN, b"\x04mail\xC0\x0E")
            .bytes();
        let at = at % message.len();
        message[at] = byte;
        let _ = read(&message, &question, ID);
    }
}
