//! Of what comes before login.

use super::arrive;
use super::pieces::Pieces;
use crate::base64;
use crate::credentials::Proof;
use crate::exchange::LONGEST_RESPONSE;
use crate::line::LIMIT;
use crate::login::{Effect, Encryption, Login, Terms};
use crate::secret::Secret;
use crate::ucspi_tls;
use crate::ways::{Way, Ways};
use common::env::Environment;

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
    packets: impl Iterator<Item = &'a [u8]>,
) -> Vec<(Effect, Vec<u8>, Vec<u8>)> {
    let (mut login, mut effects) = (Login::new(terms), Vec::new());
    arrive(packets, |lines| {
        while let Some(line) = lines.next_within(login.longest_line()) {
            let before = *login.terms();
            let effect = login.handle(line);
            check_effect(&before, effect, &login);
            let credentials = login.credentials();
            effects.push((effect, credentials.name().to_vec(), credentials.secret().to_vec()));
            if effect == Effect::StartTls {
                login.encrypted();
                assert!(login.credentials().name().is_empty());
                assert_eq!(login.terms().open(), terms.ways);
            }
            if matches!(effect, Effect::Check | Effect::Refuse) {
                login.forget_secret();
                assert!(login.credentials().secret().is_empty());
            }
        }
    });
    effects
}

fn check_effect(terms: &Terms, effect: Effect, login: &Login) {
    let credentials = login.credentials();
    let open = |way| terms.open().contains(way);
    match effect {
        Effect::Say(text) | Effect::Bye(text) => assert!(text.ends_with(b"\r\n")),
        Effect::Capa => {}
        Effect::Mechanisms => assert!(terms.open().mechanisms().next().is_some()),
        Effect::Challenge => assert!(open(Way::CramMd5)),
        Effect::StartTls => assert_eq!(terms.encryption, Encryption::OnOffer),
        Effect::Refuse => assert!(open(Way::Plain)),
        Effect::Check => match credentials.proof() {
            Proof::Password => assert!(open(Way::User) || open(Way::Plain) || open(Way::Login)),
            Proof::OfBanner => assert!(open(Way::Apop)),
            Proof::OfChallenge => assert!(open(Way::CramMd5)),
        },
    }
    if matches!(effect, Effect::Check | Effect::Refuse) {
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
