//! What the fuzzer runs here: see fuzz/.

use crate::hash::{MAX, Stored, Unusable};
use crate::lines::{self, MAX_LINE};
use crate::request::{fields, printable};
use crate::users::entry;
use crate::users::line::{Fields, of};
use sys::fs::MemfdFlags;

#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

/// What comes on descriptor 3: a login, a password and a timestamp, without NULs, as they stand there.
pub fn login(data: &[u8]) {
    let text = printable(data);
    assert!(text.len() <= 103 && text.iter().all(u8::is_ascii_graphic));
    let mut parts = data.split(|byte| *byte == 0);
    let expected = (data.iter().filter(|byte| **byte == 0).count() >= 2)
        .then(|| [0; 3].map(|_| parts.next().unwrap_or_default()));
    let found = fields(data).map(|f| [&data[f.login], &data[f.password], &data[f.timestamp]]);
    assert_eq!(found, expected);
}

/// A stored password hash, whatever stands there: bounded in memory, and where checking a password against it
/// takes no time worth speaking of, it is checked.
pub fn hash(field: &[u8]) {
    match Stored::parse(field) {
        Ok(Stored::Empty) => assert!(field.is_empty()),
        Ok(Stored::Locked) => {
            assert!(!field.starts_with(b"$") && !field.starts_with(b"_"));
        }
        Ok(Stored::Hash(hash)) => {
            assert!(field.len() < MAX && field.iter().all(u8::is_ascii_graphic));
            assert!(hash.memory() <= (1 << 30) + (1 << 25));
            let cheap = field.starts_with(b"$1$")
                || field.len() == 13
                || ((1..100_000).contains(&hash.memory()) && field.len() < 128);
            if cheap && let Ok(is_right) = hash.verify(b"password") {
                assert_eq!(hash.verify(b"password"), Ok(is_right));
            }
        }
        Err(Unusable::Unknown(prefix)) => assert!(prefix.is_empty() || prefix.starts_with('$')),
        Err(Unusable::Malformed | Unusable::Unsupported | Unusable::Costly) => {}
    }
}

/// vchkpw's file: a user is who stands first in it, and each line that can be used is what it seems. The input is a
/// user's name, a newline, and the file.
pub fn users(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (user, file) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let memory = sys::fs::memfd_create(c"users", MemfdFlags::CLOEXEC).expect("memory");
    sys::write_all(&memory, file).expect("memory");
    sys::fs::seek(&memory, sys::fs::SeekFrom::Start(0)).expect("the beginning");
    let mut seen = Vec::new();
    let found = lines::find(&memory, |line| {
        seen.push((line.number, line.text.to_vec(), line.whole));
        entry(line, user)
    });
    let all = file.split_inclusive(|byte| *byte == b'\n').zip(1_u64..).map(|(line, number)| {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let whole = text.len() <= MAX_LINE;
        (number, text[..text.len().min(MAX_LINE)].to_vec(), whole)
    });
    let mut expected: Vec<_> = all.collect();
    if let Some(at) = expected.iter().position(|(_, text, _)| of(text, user).is_some()) {
        expected.truncate(at + 1);
        assert_eq!(expected[at].1.split(|byte| *byte == b':').next(), Some(user));
    }
    assert_eq!(seen, expected);
    if let Some(Ok(found)) = found.expect("a file")
        && let Ok(Fields { hash, home, .. }) = Fields::parse(&found.rest)
    {
        assert!(home.starts_with(b"/") && !home.contains(&0));
        assert!(!hash.contains(&b':'));
        if let Ok((uid, gid)) = Fields::parse(&found.rest).ok().expect("as before").ids() {
            assert!(uid != 0 && uid != u32::MAX && gid != u32::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn seeds_and_what_has_failed() {
        replay("login", super::login);
        replay("hash", super::hash);
        replay("users", super::users);
    }
}
