//! What the fuzzer runs here: see fuzz/.

use crate::base64;
use crate::credentials::Proof;
use crate::encoding::{Encoder, Size, Top};
use crate::exchange::LONGEST_RESPONSE;
use crate::line::{LIMIT, Line, Lines};
use crate::login::{Effect as LoginEffect, Encryption, Login, Terms};
use crate::secret::Secret;
use crate::transaction::{Effect, Transaction};
use crate::ucspi_tls;
use crate::ways::{Way, Ways};
use common::env::Environment;
use pieces::Pieces;
use std::collections::HashSet;

#[path = "../../fuzz/pieces.rs"]
mod pieces;
#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

const MESSAGES: usize = 70;

/// What a client says after login, in whatever packets: each line has its one answer, and the messages that are
/// marked are those that it has named.
pub fn pop3(data: &[u8]) {
    let pieces = Pieces::of(data);
    let mut lines = Lines::default();
    let mut heard = Vec::new();
    for mut piece in pieces.iter() {
        while !piece.is_empty() {
            let space = lines.space();
            let count = piece.len().min(space.len());
            assert!(count > 0);
            space[..count].copy_from_slice(&piece[..count]);
            lines.filled(count);
            piece = &piece[count..];
            while let Some(line) = lines.next() {
                heard.push(match line {
                    Line::Whole(line) => Some(line.to_vec()),
                    Line::TooLong => None,
                });
            }
        }
    }
    let whole = pieces.whole.split_inclusive(|byte| *byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\n")?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some((line.len() <= LIMIT).then(|| line.to_vec()))
    });
    assert_eq!(heard, whole.collect::<Vec<_>>());

    let mut transaction = Transaction::new(MESSAGES);
    let mut deleted = HashSet::new();
    for line in &heard {
        let line = line.as_ref().map_or(Line::TooLong, |line| Line::Whole(line));
        let kept = transaction.kept();
        let effect = transaction.handle(line);
        note(line, effect, &mut deleted);
        if let Effect::List(message)
        | Effect::Uidl(message)
        | Effect::Retr(message)
        | Effect::Top(message, _) = effect
        {
            assert!(message < MESSAGES && !deleted.contains(&message));
        }
        assert!(transaction.kept() + 1 >= kept);
        assert_eq!(transaction.kept(), MESSAGES - deleted.len());
        assert!(transaction.all_kept().all(|message| !deleted.contains(&message)));
    }
}

/// What a DELE that was agreed to, or an RSET, does.
fn note(line: Line<'_>, effect: Effect, deleted: &mut HashSet<usize>) {
    let (Line::Whole(line), Effect::Say(b"+OK\r\n")) = (line, effect) else { return };
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    match words.next().unwrap_or_default().to_ascii_uppercase().as_slice() {
        b"DELE" => {
            let number =
                words.next().and_then(|word| str::from_utf8(word).ok()?.parse::<usize>().ok());
            assert!(deleted.insert(number.expect("a number") - 1), "marked twice");
        }
        b"RSET" => deleted.clear(),
        _ => {}
    }
}

/// What a client says before login, in whatever packets: each line has its one answer, the same one; nobody gets to the
/// checker in a way that isn't open, or with what isn't a name and a secret; nothing said before TLS counts after it.
pub fn pop3_login(data: &[u8]) {
    let (policy, data) = data.split_first().unwrap_or((&0, data));
    let every = [Way::User, Way::Apop, Way::CramMd5, Way::Plain, Way::Login];
    let chosen = (0..).zip(every).filter(|(bit, _)| policy & 1 << bit != 0);
    let terms = Terms {
        ways: chosen.fold(Ways::NONE, |ways, (_, way)| ways.with(way)),
        encryption: match policy >> 5 & 3 {
            0 => Encryption::Absent,
            1 | 2 => Encryption::OnOffer,
            _ => Encryption::Present,
        },
        required: policy & 128 != 0,
    };
    let pieces = Pieces::of(data);
    let heard = before_login(terms, pieces.iter());
    assert_eq!(heard, before_login(terms, std::iter::once(pieces.whole)));

    // What is base64 has no other spelling.
    for line in pieces.whole.split(|byte| *byte == b'\n') {
        let mut decoded = Secret::<LONGEST_RESPONSE>::default();
        if base64::decode(line, &mut decoded).is_ok() {
            assert_eq!(base64::encode(&decoded), line);
        } else {
            assert!(decoded.is_empty());
        }
    }
}

/// The effects of a dialogue, and what they are about.
fn before_login<'a>(
    terms: Terms,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Vec<(LoginEffect, Vec<u8>, Vec<u8>)> {
    let (mut lines, mut login, mut effects) = (Lines::default(), Login::new(terms), Vec::new());
    for mut piece in pieces {
        while !piece.is_empty() {
            let space = lines.space();
            let count = piece.len().min(space.len());
            assert!(count > 0);
            space[..count].copy_from_slice(&piece[..count]);
            lines.filled(count);
            piece = &piece[count..];
            while let Some(line) = lines.next_within(login.longest_line()) {
                let before = *login.terms();
                let effect = login.handle(line);
                check_effect(&before, effect, &login);
                let credentials = login.credentials();
                effects.push((effect, credentials.name().to_vec(), credentials.secret().to_vec()));
                if effect == LoginEffect::StartTls {
                    login.encrypted();
                    assert!(login.credentials().name().is_empty());
                    assert_eq!(login.terms().open(), terms.ways);
                }
                if matches!(effect, LoginEffect::Check | LoginEffect::Refuse) {
                    login.forget_secret();
                    assert!(login.credentials().secret().is_empty());
                }
            }
        }
    }
    effects
}

fn check_effect(terms: &Terms, effect: LoginEffect, login: &Login) {
    let credentials = login.credentials();
    let open = |way| terms.open().contains(way);
    match effect {
        LoginEffect::Say(text) | LoginEffect::Bye(text) => assert!(text.ends_with(b"\r\n")),
        LoginEffect::Capa => {}
        LoginEffect::Mechanisms => assert!(terms.open().mechanisms().next().is_some()),
        LoginEffect::Challenge => assert!(open(Way::CramMd5)),
        LoginEffect::StartTls => assert_eq!(terms.encryption, Encryption::OnOffer),
        LoginEffect::Refuse => assert!(open(Way::Plain)),
        LoginEffect::Check => match credentials.proof() {
            Proof::Password => assert!(open(Way::User) || open(Way::Plain) || open(Way::Login)),
            Proof::OfBanner => assert!(open(Way::Apop)),
            Proof::OfChallenge => assert!(open(Way::CramMd5)),
        },
    }
    if matches!(effect, LoginEffect::Check | LoginEffect::Refuse) {
        for field in [credentials.name(), credentials.secret()] {
            assert!(!field.is_empty() && field.len() <= LIMIT && !field.contains(&0));
        }
    }
    let longest = login.longest_line();
    assert!(longest == LIMIT || longest == LONGEST_RESPONSE && !terms.withheld());
}

/// What tcpserver says of a connection that is encrypted now: each variable that has a name comes into the environment,
/// with the value that it had last, and nothing stays of what was on offer.
pub fn pop3_encrypted(data: &[u8]) {
    let mut environment = Environment::empty();
    environment.set(b"SSLCTLFD", b"3");
    ucspi_tls::describe(&mut environment, data);
    for name in [&b"SSLCTLFD"[..], b"SSLREADFD", b"SSLWRITEFD"] {
        assert_eq!(environment.get(name), None);
    }
    let mut known = std::collections::HashMap::new();
    for (name, value) in ucspi_tls::variables(data) {
        known.insert(name, value);
    }
    for entry in data.split(|byte| *byte == 0).filter(|entry| entry.contains(&b'=')) {
        assert!(entry[0] == b'=' || known.keys().any(|name| entry.starts_with(name)));
    }
    for (name, value) in known {
        assert!(!name.is_empty() && !name.contains(&b'='));
        if !name.starts_with(b"SSL") {
            assert_eq!(environment.get(name), Some(value));
        }
    }
}

/// A message on its way to the client, read in whatever pieces: no line of it ends the reply, the client gets back
/// what was sent, its size is the one that was promised, and TOP is its beginning.
pub fn pop3_message(data: &[u8]) {
    let pieces = Pieces::of(data);
    let (mut encoder, mut size, mut sent) = (Encoder::default(), Size::default(), Vec::new());
    for piece in pieces.iter() {
        encoder.encode(piece, &mut sent);
        size.count(piece);
    }
    encoder.finish(&mut sent);
    let body = sent.strip_suffix(b".\r\n").expect("the end of a reply");
    let mut received = Vec::new();
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        assert!(line.ends_with(b"\r\n") && line != b".\r\n");
        received.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    let mut expected = Vec::new();
    for line in pieces.whole.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let bare = line.strip_suffix(b"\r").unwrap_or(line);
        expected.extend_from_slice(text.unwrap_or(bare));
        expected.extend_from_slice(b"\r\n");
    }
    assert_eq!(received, expected);
    assert_eq!(size.total(), received.len() as u64);

    for wanted in [0, 1, 3] {
        let mut top = Top::new(wanted);
        let mut taken = 0;
        for piece in pieces.iter() {
            let part = top.take(piece);
            taken += part;
            if part < piece.len() {
                assert!(top.is_over());
                break;
            }
        }
        assert_eq!(taken, top_of(pieces.whole, wanted));
    }
}

/// How much of a message its header and so many lines are.
fn top_of(message: &[u8], wanted: u64) -> usize {
    let (mut length, mut body) = (0, None::<u64>);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        match &mut body {
            Some(lines) if *lines == wanted => return length,
            Some(lines) => *lines += 1,
            None if matches!(line, b"\n" | b"\r\n") => body = Some(0),
            None => {}
        }
        length += line.len();
    }
    length
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("pop3", super::pop3);
        replay("pop3-login", super::pop3_login);
        replay("pop3-encrypted", super::pop3_encrypted);
        replay("pop3-message", super::pop3_message);
    }
}
