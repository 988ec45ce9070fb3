//! What the fuzzer runs here: see fuzz/.

use crate::between::Passage as _;
use crate::cdb::{self, HEADER, Reader, Source, Writer};
use crate::client::Rendition;
use crate::http_at::Body;
use crate::rblsmtpd::conversation::Conversation;
use crate::rules::line::{Malformed, parse};
use crate::rules::{Found, Instruction, Instructions, Peer, look_up};
use crate::visible::Visible;
use crate::{addcr, delcr, fixcrio};
use pieces::Pieces;
use std::cell::Cell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::Ipv6Addr;
use sys::Errno;

#[path = "../../fuzz/pieces.rs"]
mod pieces;
#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

/// Rules as somebody typed them: each that tcprules takes is found again in the database that it makes,
/// and the rule for a client is the one that the manual says.
pub fn rules(text: &[u8]) {
    let mut body = Vec::new();
    let mut writer = Writer::new(|bytes: &[u8]| {
        body.extend_from_slice(bytes);
        Ok::<(), Infallible>(())
    });
    let mut first: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
    let mut last = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let rule = match parse(line) {
            Ok(Some(rule)) => rule,
            Ok(None) => continue,
            Err(Malformed(said)) => {
                assert!(line.starts_with(said) && !said.ends_with(b"\n"));
                continue;
            }
        };
        assert!(rule.value().len() <= line.len() + 2);
        let mut keys = 0;
        for key in rule.keys() {
            writer.add(&key, rule.value()).expect("there is room");
            first.entry(key.clone()).or_insert_with(|| rule.value().to_vec());
            last = key;
            keys += 1;
        }
        assert!(keys <= 256);
    }
    let header = writer.finish().expect("there is room");
    let file = [&header[..], &body].concat();
    let reader = Reader::new(&file[..]).expect("a database");
    for (key, value) in &first {
        assert_eq!(reader.find(key).as_ref(), Ok(&Some(value.clone())));
        let said = Instructions::new(value).map(|instruction| match instruction {
            Instruction::Deny => 2,
            Instruction::Set(variable) => variable.len() + 2,
        });
        assert!(said.sum::<usize>() <= value.len());
        // The first address of a network lies in it, if not in a smaller one.
        if let Some((address, length)) = network(key) {
            let peer = Peer { ip: address, host: None, info: None };
            let found = look_up(&reader, &peer).expect("a database").expect("a rule").key;
            assert!(network(&found).expect("a network").1 >= length);
        }
    }
    for peer in peers(&last, text) {
        let found = look_up(&reader, &peer).expect("a database");
        let expected = candidates(&peer).into_iter().find(|key| first.contains_key(key));
        assert_eq!(found.map(|Found { key, .. }| key), expected, "{peer:?}");
    }
}

/// What a key for IPv6 says: the address, and the bits that count.
fn network(key: &[u8]) -> Option<(&[u8], u8)> {
    let close = key.iter().position(|byte| *byte == b']')?;
    let (address, rest) = (key[..close].strip_prefix(b"[")?, &key[close + 1..]);
    str::from_utf8(address).ok()?.parse::<Ipv6Addr>().ok()?;
    match rest.strip_prefix(b"/") {
        Some(length) => Some((address, str::from_utf8(length).ok()?.parse().ok()?)),
        None => rest.is_empty().then_some((address, 128)),
    }
}

/// Clients that a rule with this key may be about.
fn peers<'a>(key: &'a [u8], text: &'a [u8]) -> Vec<Peer<'a>> {
    let (info, place) = match key.iter().position(|byte| *byte == b'@') {
        Some(at) => (Some(&key[..at]), &key[at + 1..]),
        None => (None, key),
    };
    let host = place.strip_prefix(b"=").or_else(|| text.split(|byte| *byte == b'\n').next());
    let ip = if place.starts_with(b"=") { b"10.1.2.3" } else { place };
    let peer = Peer { ip, host, info };
    let mut peers = vec![peer, Peer { info: None, ..peer }, Peer { host: None, ..peer }];
    // The model knows nothing of IPv6.
    peers.retain(|peer| !peer.ip.contains(&b':'));
    peers
}

/// The manual's list, without any cleverness.
fn candidates(peer: &Peer<'_>) -> Vec<Vec<u8>> {
    let named = peer.host.map(|host| [b"=", host].concat());
    let mut keys = Vec::new();
    if let Some(info) = peer.info {
        keys.push([info, b"@", peer.ip].concat());
        keys.extend(named.as_ref().map(|host| [info, b"@", host].concat()));
    }
    keys.push(peer.ip.to_vec());
    keys.extend(named);
    for end in (1..=peer.ip.len()).rev() {
        if peer.ip[end - 1] == b'.' {
            keys.push(peer.ip[..end].to_vec());
        }
    }
    if let Some(host) = peer.host {
        for start in 0..host.len() {
            if host[start] == b'.' {
                keys.push([b"=", &host[start..]].concat());
            }
        }
        keys.push(b"=".to_vec());
    }
    keys.push(Vec::new());
    keys
}

/// A hostile database: a look-up has an end, reads nothing but what is there, and finds what a reader
/// finds that has all of it in memory. The input is the length of a key, the key, the database.
pub fn cdb(data: &[u8]) {
    let (length, rest) = data.split_first().unwrap_or((&0, data));
    let (key, file) = rest.split_at(usize::from(*length % 32).min(rest.len()));
    let reads = Cell::new(0);
    let Ok(reader) = Reader::new(Watched { file, reads: &reads }) else {
        assert!(file.len() < HEADER);
        return;
    };
    let found = reader.find(key);
    // A slot, and of its record the lengths and the key.
    assert!(reads.get() <= 3 + 3 * (file.len() / 8));
    assert_eq!(found, slowly(file, key).ok_or(cdb::Damage(Errno::PROTO)));
    let memory = sys::fs::memfd_create(c"cdb", sys::fs::MemfdFlags::CLOEXEC).expect("memory");
    sys::write_all(&memory, file).expect("memory");
    let on_disk = cdb::File::new(&memory).expect("a file");
    assert_eq!(Reader::new(on_disk).expect("a header").find(key), found);
}

struct Watched<'a> {
    file: &'a [u8],
    reads: &'a Cell<usize>,
}

impl Source for Watched<'_> {
    fn length(&self) -> u64 {
        self.file.length()
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<(), Errno> {
        self.reads.set(self.reads.get() + 1);
        self.file.read(offset, buffer)
    }
}

/// The format's description, word by word. Outer `None`: a number leads out of the file.
fn slowly(file: &[u8], key: &[u8]) -> Option<Option<Vec<u8>>> {
    let bytes = |at: u64, length: u64| {
        file.get(usize::try_from(at).ok()?..usize::try_from(at + length).ok()?)
    };
    let number = |at| Some(u64::from(u32::from_le_bytes(bytes(at, 4)?.try_into().ok()?)));
    let hash = key
        .iter()
        .fold(5381_u64, |hash, byte| (((hash << 5) + hash) & 0xffff_ffff) ^ u64::from(*byte));
    let (table, slots) = (number(8 * (hash % 256))?, number(8 * (hash % 256) + 4)?);
    if slots > 0 {
        bytes(table, 8 * slots)?;
    }
    for slot in 0..slots {
        let slot = table + 8 * ((hash / 256 + slot) % slots);
        let (its_hash, record) = (number(slot)?, number(slot + 4)?);
        if record == 0 {
            break;
        }
        if its_hash == hash {
            let (key_length, value_length) = (number(record)?, number(record + 4)?);
            if key_length == key.len() as u64 && bytes(record + 8, key_length)? == key {
                return Some(Some(bytes(record + 8 + key_length, value_length)?.to_vec()));
            }
        }
    }
    Some(None)
}

/// What passes through addcr, delcr, fixcrio, http@ and its like, in whatever pieces it comes.
pub fn filters(data: &[u8]) {
    let pieces = Pieces::of(data);
    let whole = pieces.whole;
    let mut added = Vec::new();
    pieces.iter().for_each(|piece| addcr::add(piece, &mut added));
    let ends = |byte: &u8| if *byte == b'\n' { vec![b'\r', b'\n'] } else { vec![*byte] };
    assert_eq!(added, whole.iter().flat_map(ends).collect::<Vec<_>>());

    let deleted = |text: &[u8], pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut out, mut held) = (Vec::new(), false);
        pieces.for_each(|piece| held = delcr::delete(held, piece, &mut out));
        out.extend(held.then_some(b'\r'));
        let kept = |(at, _): &(usize, &u8)| !text[*at..].starts_with(b"\r\n");
        let expected: Vec<u8> =
            text.iter().enumerate().filter(kept).map(|(_, byte)| *byte).collect();
        assert_eq!(out, expected);
        out
    };
    deleted(whole, &mut pieces.iter());
    assert_eq!(deleted(&added, &mut added.chunks(3)), whole);

    let (mut fix, mut fixed) = (fixcrio::Fix::default(), Vec::new());
    pieces.iter().for_each(|piece| fix.pass(piece, &mut fixed));
    fix.end();
    let mut expected = Vec::new();
    for byte in whole {
        if *byte == b'\n' && expected.last() != Some(&b'\r') {
            expected.push(b'\r');
        }
        expected.push(*byte);
    }
    assert_eq!(fixed, expected);

    let shown = rendered::<Visible>(&pieces);
    assert!(shown.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\n')));
    let page = rendered::<Body>(&pieces);
    assert!(page.len() <= whole.len());
}

/// The same, whatever the pieces.
fn rendered<R: Rendition + Default>(pieces: &Pieces<'_>) -> Vec<u8> {
    let render = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut rendition, mut out) = (R::default(), Vec::new());
        pieces.for_each(|piece| rendition.pass(piece, &mut out));
        rendition.end(&mut out);
        out
    };
    let out = render(&mut pieces.iter());
    assert_eq!(out, render(&mut [pieces.whole].into_iter().filter(|whole| !whole.is_empty())));
    out
}

/// A client whose mail isn't wanted: each of its lines has one answer, nothing is agreed to but what
/// brings no mail nearer, and whoever quits is heard no more.
pub fn smtp(data: &[u8]) {
    let pieces = Pieces::of(data);
    let mut output = Vec::new();
    let mut conversation = Conversation::begin(b"553 no", &mut output);
    pieces.iter().for_each(|piece| conversation.hear(piece, &mut output));
    let mut expected = b"220 rblsmtpd.local\r\n".to_vec();
    let mut over = false;
    for line in pieces.whole.split_inclusive(|byte| *byte == b'\n') {
        let Some(line) = line.strip_suffix(b"\n").filter(|_| !over) else { break };
        let line = line.strip_suffix(b"\r").unwrap_or(line).to_ascii_lowercase();
        let verb = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        over = verb == b"quit";
        expected.extend_from_slice(match verb {
            b"quit" => b"221 rblsmtpd.local\r\n",
            b"helo" | b"ehlo" | b"mail" | b"rset" | b"noop" => b"250 rblsmtpd.local\r\n",
            _ => b"553 no\r\n",
        });
    }
    assert_eq!((output, conversation.is_over()), (expected, over));
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("rules", super::rules);
        replay("cdb", super::cdb);
        replay("filters", super::filters);
        replay("smtp", super::smtp);
    }
}
