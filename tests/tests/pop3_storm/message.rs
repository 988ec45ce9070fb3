//! Messages that their number alone tells: name, file, and what a client must get.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tests::storm::random::Random;

/// The name of its file, and its UIDL.
pub(crate) fn name(id: u64) -> String {
    format!("{}.M{id}.storm", 1_000_000_000 + id)
}

/// The message of this name.
pub(crate) fn id(name: &str) -> Option<u64> {
    let id = name.strip_suffix(".storm")?.split_once(".M")?.1.parse().ok()?;
    (self::name(id) == name).then_some(id)
}

/// A message: the same for all who ask.
pub(crate) struct Message {
    /// Its file.
    pub(crate) file: Vec<u8>,
    /// What follows the first line of the reply to RETR.
    pub(crate) sent: Vec<u8>,
    /// The octets that LIST has.
    pub(crate) octets: usize,
}

/// The message of this number.
pub(crate) fn message(id: u64) -> Arc<Message> {
    static KNOWN: Mutex<BTreeMap<u64, Arc<Message>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().expect("no holder panics");
    let new = || {
        let file = file(id);
        let (sent, octets) = (sent(&file), octets(&file));
        Arc::new(Message { file, sent, octets })
    };
    Arc::clone(known.entry(id).or_insert_with(new))
}

/// Its file: a few lines to some 60 kB of them, with dots, long lines, 8-bit characters and NUL among them; with CRLF or not.
fn file(id: u64) -> Vec<u8> {
    let mut random = Random::new(id);
    let mut lines = vec![format!("Subject: {id}").into_bytes(), Vec::new()];
    let count = if random.once_in(8) { random.below(1500) } else { random.below(40) };
    for _ in 0..count {
        let length = random.below(80);
        lines.push(match random.below(12) {
            0 => vec![b'.'; length],
            1 => vec![b'x'; 20 * length],
            2 => (0..length).map(|_| random.number().to_le_bytes()[0]).collect(),
            _ => format!(".{} is a line of {id}", random.number()).into_bytes(),
        });
    }
    let end: &[u8] = if random.once_in(6) { b"\r\n" } else { b"\n" };
    let mut file = lines.join(end);
    if !random.once_in(6) {
        file.extend_from_slice(end);
    }
    file
}

/// What follows the first line of the reply to RETR: CRLF, dots stuffed, and the dot that ends it.
fn sent(file: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(file.len() + file.len() / 16 + 8);
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        sent.extend(line.starts_with(b".").then_some(b'.'));
        sent.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        sent.extend_from_slice(b"\r\n");
    }
    sent.extend_from_slice(b".\r\n");
    sent
}

/// The octets that LIST has: all of it but stuffed dots and the last one.
fn octets(file: &[u8]) -> usize {
    let sent = sent(file);
    let stuffed = sent.split_inclusive(|byte| *byte == b'\n').filter(|line| line.starts_with(b"."));
    sent.len() - stuffed.count() - 2
}

#[test]
fn what_is_sent() {
    for (file, expected, size) in [
        (&b""[..], &b".\r\n"[..], 0),
        (b".\n", b"..\r\n.\r\n", 3),
        (b"a\r\n..b", b"a\r\n...b\r\n.\r\n", 8),
    ] {
        assert_eq!((sent(file), octets(file)), (expected.to_vec(), size));
    }
    assert_eq!(id(&name(77)), Some(77));
    assert_eq!(id("77.storm"), None);
}
