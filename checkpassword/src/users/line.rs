//! The line of a virtual user: `user:hash:uid:gid:home`, or as vpopmail has it,
//! `user:hash:uid:gid:gecos:home:quota`, with `:secret` behind it where the secret is kept in clear.

use common::number;

/// What stands in a user's line after the name, taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fields<'a> {
    /// The stored hash.
    pub hash: &'a [u8],
    /// What should be a user id.
    pub uid: &'a [u8],
    /// What should be a group id.
    pub gid: &'a [u8],
    /// The home directory.
    pub home: &'a [u8],
    /// The secret in clear, for APOP and CRAM-MD5; empty if it isn't kept.
    pub secret: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Takes apart what follows the name and its colon.
    ///
    /// # Errors
    /// What is wrong.
    pub fn parse(rest: &'a [u8]) -> Result<Self, &'static str> {
        // A secret may have colons in it: it is the last.
        let fields: Vec<&[u8]> = rest.splitn(7, |byte| *byte == b':').collect();
        let (hash, uid, gid, home, secret) = match fields[..] {
            [hash, uid, gid, home] => (hash, uid, gid, home, &b""[..]),
            [hash, uid, gid, _gecos, home, _quota] => (hash, uid, gid, home, &b""[..]),
            [hash, uid, gid, _gecos, home, _quota, secret] => (hash, uid, gid, home, secret),
            _ => return Err("must have 5 fields, user:hash:uid:gid:home, or vpopmail's 7 or 8"),
        };
        if home.first() != Some(&b'/') {
            return Err("home directory is not an absolute path");
        }
        if home.contains(&0) {
            return Err("home directory has a NUL in it");
        }
        Ok(Self { hash, uid, gid, home, secret })
    }

    /// The ids that stand there.
    ///
    /// # Errors
    /// What is wrong with them; root is none that may log in.
    pub fn ids(&self) -> Result<(u32, u32), &'static str> {
        match (id(self.uid), id(self.gid)) {
            (Some(0), _) => Err("uid 0 may not log in"),
            (Some(uid), Some(gid)) => Ok((uid, gid)),
            (None, _) => Err("uid is not a number"),
            (_, None) => Err("gid is not a number"),
        }
    }
}

/// What follows the name and its colon, if `line` is that of `user`: not a comment, and the name is all of its first
/// field.
#[must_use]
pub fn of<'a>(line: &'a [u8], user: &[u8]) -> Option<&'a [u8]> {
    if user.is_empty() || user.contains(&b':') || line.first() == Some(&b'#') {
        return None;
    }
    line.strip_prefix(user)?.strip_prefix(b":")
}

/// The name that `line` begins with, and what follows its colon; `None` for a comment and a line without a name.
#[must_use]
pub fn named(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon =
        line.iter().position(|byte| *byte == b':').filter(|at| *at > 0 && line[0] != b'#')?;
    Some((&line[..colon], &line[colon + 1..]))
}

/// A uid or gid. The highest number stands for "unchanged" in system calls, and is none.
#[must_use]
pub fn id(field: &[u8]) -> Option<u32> {
    number::whole(field).and_then(|id| u32::try_from(id).ok()).filter(|id| *id != u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_has_five_fields_or_vpopmails() {
        let line = b"joe@example.org:$6$a$b:1000:100:/mail/joe";
        let found = Fields::parse(of(line, b"joe@example.org").expect("joe's")).expect("good");
        assert_eq!(
            (found.hash, found.home, found.secret),
            (&b"$6$a$b"[..], &b"/mail/joe"[..], &b""[..])
        );
        assert_eq!(found.ids(), Ok((1000, 100)));
        for (line, secret) in [
            (&b"$1$a$b:1:0:Joe Doe:/mail/joe:NOQUOTA"[..], &b""[..]),
            (b"$1$a$b:1:0:Joe Doe:/mail/joe:NOQUOTA:", b""),
            (b"$1$a$b:1:0::/mail/joe::se:cr:et", b"se:cr:et"),
        ] {
            let found = Fields::parse(line).expect("good");
            assert_eq!((found.home, found.secret), (&b"/mail/joe"[..], secret));
        }
    }

    #[test]
    fn malformed_lines_say_what_is_wrong() {
        let fields = "must have 5 fields, user:hash:uid:gid:home, or vpopmail's 7 or 8";
        let relative = "home directory is not an absolute path";
        for (rest, why) in [
            ("", fields),
            ("h:1:1", fields),
            ("h:1:1:/m:", fields),
            ("h:1:1:mail", relative),
            ("h:1:1:", relative),
            ("h:1:1:/gecos:mail:quota", relative),
            ("h:1:1:/m\0", "home directory has a NUL in it"),
        ] {
            assert_eq!(Fields::parse(rest.as_bytes()).err(), Some(why), "{rest:?}");
        }
        for (rest, why) in [
            ("h:0:1:/m", "uid 0 may not log in"),
            ("h:00:1:/m", "uid 0 may not log in"),
            ("h:-1:1:/m", "uid is not a number"),
            ("h::1:/m", "uid is not a number"),
            ("h:4294967295:1:/m", "uid is not a number"),
            ("h:4294967296:1:/m", "uid is not a number"),
            ("h:1:x:/m", "gid is not a number"),
        ] {
            let fields = Fields::parse(rest.as_bytes()).expect("good but for its ids");
            assert_eq!(fields.ids(), Err(why), "{rest:?}");
        }
    }

    #[test]
    fn a_line_belongs_to_its_whole_name() {
        assert_eq!(of(b"joe:h", b"joe"), Some(&b"h"[..]));
        assert_eq!(of(b"joe@a.org:h", b"joe@a.org"), Some(&b"h"[..]));
        for (line, user) in [
            (&b"joey:h"[..], &b"joe"[..]),
            (b"joe@a.org:h", b"joe"),
            (b"#joe:h", b"#joe"),
            // Who knew the hash would be the same user by another name.
            (b"joe:h:1000:1000:/home/joe", b"joe:h"),
            (b":h", b""),
            (b"", b""),
            (b"joe", b"joe"),
        ] {
            assert_eq!(of(line, user), None, "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(line: Vec<u8>, user: Vec<u8>) {
            let _ = of(&line, &user);
            if let Ok(fields) = Fields::parse(&line) {
                let _ = fields.ids();
            }
            if let Some((name, rest)) = named(&line) {
                prop_assert_eq!(of(&line, name), Some(rest));
            }
        }
    }
}
