//! What the fuzzer runs here: see fuzz/.

use crate::hash::{MAX, Stored, Unusable};
use crate::lines::{self, MAX_LINE};
use crate::request::{fields, printable};
use crate::users::line::{Fields, of};
use crate::users::{entry, table};
use crate::vpasswd::edit::{self, NewUser};
use crate::vpopmail;
use core::cell::Cell;
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
                || field.starts_with(b"$3$")
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
        if let Ok((uid, gid)) = Fields::parse(&found.rest).expect("as before").ids() {
            assert!(uid != 0 && uid != u32::MAX && gid != u32::MAX);
        }
    }
}

/// A table of users, whatever its bytes are: asking it has an end, and what it says stands in it. The input is a user's
/// name, a newline, and the table.
pub fn users_cdb(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (user, file) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let memory = sys::fs::memfd_create(c"users", MemfdFlags::CLOEXEC).expect("memory");
    sys::write_all(&memory, file).expect("memory");
    let stands =
        |bytes: &[u8]| bytes.is_empty() || file.windows(bytes.len()).any(|found| found == bytes);
    if let Ok(Some(found)) = table::find(&memory, user) {
        assert!(!user.is_empty() && found.number.is_none() && found.rest.len() <= MAX_LINE);
        assert!(stands(&[user, &found.rest].concat()));
    }
    let records = Cell::new(0);
    let ended = table::records(&file, 1000, |key, value| {
        records.set(records.get() + 1);
        assert!(stands(key) && stands(value) && key.len() + value.len() <= 2 * MAX_LINE);
        None::<()>
    });
    assert!(records.get() <= file.len() / 8 && !matches!(ended, Ok(Some(()))));
}

/// vpasswd's changes of a file, against a model without cleverness. The input is a user's name, a newline, and the file.
pub fn vpasswd(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (user, text) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    // What vpasswd takes for a name.
    if user.is_empty() || user[0] == b'#' || user.contains(&b':') || user.contains(&0) {
        return;
    }
    let is_users = |line: &&[u8]| line.starts_with(&[user, b":"].concat());
    let others = |text: &[u8]| -> Vec<Vec<u8>> {
        text.split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty() && !is_users(line))
            .map(<[u8]>::to_vec)
            .collect()
    };
    let own = |text: &[u8]| text.split(|byte| *byte == b'\n').filter(is_users).count();
    let secret = data.first().filter(|byte| **byte & 1 == 1).map(|_| &b"se:cret"[..]);
    let new = NewUser { user, hash: b"h", ids: b"1:2", home: b"/m", quota: None, secret };
    match edit::add(text, &new) {
        None => assert!(own(text) > 0),
        Some(changed) => {
            assert!(own(text) == 0 && own(&changed) == 1 && others(text) == others(&changed));
            let line = changed.split(|byte| *byte == b'\n').find(is_users).expect("it is there");
            let fields = Fields::parse(of(line, user).expect("the user's")).expect("good");
            assert!(fields.home == b"/m" && fields.ids() == Ok((1, 2)));
            assert_eq!(fields.secret, secret.unwrap_or_default());
        }
    }
    match edit::change(text, user, b"n", secret) {
        Ok(None) => assert_eq!(own(text), 0),
        Err(_) => assert!(own(text) > 0),
        Ok(Some((changed, _))) => {
            assert!(own(text) == own(&changed) && others(text) == others(&changed));
            let line = changed.split(|byte| *byte == b'\n').find(is_users).expect("it is there");
            let before = text.split(|byte| *byte == b'\n').find(is_users).expect("it was there");
            let fields = Fields::parse(of(line, user).expect("the user's")).expect("still good");
            let old = Fields::parse(of(before, user).expect("the user's")).expect("it was good");
            assert!(fields.hash == b"n" && fields.secret == secret.unwrap_or_default());
            assert!((fields.uid, fields.gid, fields.home) == (old.uid, old.gid, old.home));
        }
    }
    match edit::remove(text, user) {
        None => assert_eq!(own(text), 0),
        Some(changed) => assert!(own(&changed) == 0 && others(text) == others(&changed)),
    }
}

/// A login and a line of qmail's `users/assign`, in vpopmail's layout. The input is the login, a newline, and the line.
pub fn vpopmail(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (login, line) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let (user, domain) = vpopmail::apart(login);
    let lower = |bytes: &[u8]| !bytes.iter().any(u8::is_ascii_uppercase);
    assert!(lower(&user) && !user.iter().any(|byte| matches!(byte, b'@' | b'%' | b'/')));
    assert_eq!(user.len() + domain.as_ref().map_or(0, |domain| domain.len() + 1), login.len());
    if let Some(domain) = domain.filter(|domain| vpopmail::is_domain(domain)) {
        assert!(lower(&domain) && !domain.contains(&b'/') && !domain.starts_with(b"."));
    }
    for separator in [0, b':'] {
        if let Some(found) = vpopmail::assigned(line, separator) {
            assert!(vpopmail::is_domain(&found.name) && found.directory.starts_with(b"/"));
            assert!(found.ids.0 != u32::MAX && found.ids.1 != u32::MAX);
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
        replay("users-cdb", super::users_cdb);
        replay("vpasswd", super::vpasswd);
        replay("vpopmail", super::vpopmail);
    }
}
