//! The file of virtual users: `user:hash:uid:gid:home`, one a line; `#` begins a comment line.

use crate::lines::{self, Line};
use common::number;
use core::ffi::CStr;
use sys::fs::{FileType, Mode, OFlags, fstat, open};
use sys::process::geteuid;
use sys::{Errno, OwnedFd};
use zeroize::Zeroizing;

/// What the file says of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The stored hash.
    pub hash: Zeroizing<Vec<u8>>,
    /// The uid and gid to take on; `None` if they were not wanted.
    pub ids: Option<(u32, u32)>,
    /// The home directory, an absolute path.
    pub home: Vec<u8>,
}

/// Why the file can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It can't be opened or read.
    Unreadable(Errno),
    /// It isn't a file that can be trusted, and why.
    Untrusted(&'static str),
    /// The user's line can't be used: its number, and why.
    Line(u64, &'static str),
}

/// The file, open and found trustworthy.
#[derive(Debug)]
pub struct Users {
    file: OwnedFd,
}

impl Users {
    /// Opens the file at `path`, and sees to it that nobody but root or ourselves could have
    /// written it, and that not everybody can read the hashes.
    ///
    /// # Errors
    /// It can't be opened, or trusted.
    pub fn open(path: &CStr) -> Result<Self, Trouble> {
        // NONBLOCK: a FIFO by that name must not hold us.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = open(path, flags, Mode::empty()).map_err(Trouble::Unreadable)?;
        let status = fstat(&file).map_err(Trouble::Unreadable)?;
        let untrusted = |why| Err(Trouble::Untrusted(why));
        if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
            return untrusted("not a regular file");
        }
        if status.st_uid != 0 && status.st_uid != geteuid().as_raw() {
            return untrusted("owned by another user");
        }
        if status.st_mode & 0o022 != 0 {
            return untrusted("writable by others (chmod go-w)");
        }
        if status.st_mode & 0o004 != 0 {
            return untrusted("readable by everybody (chmod o-r)");
        }
        Ok(Self { file })
    }

    /// What the file says of `user`; `None` if nothing. The first line that begins with the name
    /// counts. `with_ids`: whether uid and gid are wanted; otherwise they may be anything.
    ///
    /// # Errors
    /// The file can't be read, or the user's line is malformed.
    pub fn find(self, user: &[u8], with_ids: bool) -> Result<Option<Entry>, Trouble> {
        let visit = |line: Line<'_>| belongs(line.text, user).then(|| entry(line, with_ids));
        lines::find(&self.file, visit).map_err(Trouble::Unreadable)?.transpose()
    }

    /// The first hash in the file that `usable` takes.
    pub fn hash(self, usable: impl Fn(&[u8]) -> bool) -> Option<Zeroizing<Vec<u8>>> {
        let visit = |line: Line<'_>| {
            let field =
                line.text.split(is_colon).nth(1).filter(|_| line.text.first() != Some(&b'#'))?;
            usable(field).then(|| Zeroizing::new(field.to_vec()))
        };
        lines::find(&self.file, visit).ok()?
    }
}

/// Whether `line` is that of `user`: not a comment, and the name is all of its first field.
pub(crate) fn belongs(line: &[u8], user: &[u8]) -> bool {
    !user.is_empty()
        && !user.contains(&b':')
        && line.first() != Some(&b'#')
        && line.strip_prefix(user).is_some_and(|rest| rest.first() == Some(&b':'))
}

pub(crate) fn entry(line: Line<'_>, with_ids: bool) -> Result<Entry, Trouble> {
    let wrong = |why| Err(Trouble::Line(line.number, why));
    if !line.whole {
        return wrong("line is too long");
    }
    let fields: Vec<&[u8]> = line.text.split(is_colon).collect();
    let [_, hash, uid, gid, home] = fields[..] else {
        return wrong("must have five fields, user:hash:uid:gid:home");
    };
    let ids = match (id(uid), id(gid)) {
        _ if !with_ids => None,
        (Some(0), _) => return wrong("uid 0 may not log in"),
        (Some(uid), Some(gid)) => Some((uid, gid)),
        (None, _) => return wrong("uid is not a number"),
        (_, None) => return wrong("gid is not a number"),
    };
    if home.first() != Some(&b'/') {
        return wrong("home directory is not an absolute path");
    }
    if home.contains(&0) {
        return wrong("home directory has a NUL in it");
    }
    Ok(Entry { hash: Zeroizing::new(hash.to_vec()), ids, home: home.to_vec() })
}

/// A uid or gid. The highest number stands for "unchanged" in system calls, and is none.
fn id(field: &[u8]) -> Option<u32> {
    number::whole(field).and_then(|id| u32::try_from(id).ok()).filter(|id| *id != u32::MAX)
}

fn is_colon(byte: &u8) -> bool {
    *byte == b':'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str, with_ids: bool) -> Result<Entry, Trouble> {
        entry(Line { number: 7, text: text.as_bytes(), whole: true }, with_ids)
    }

    #[test]
    fn a_line_has_five_fields() {
        let found = parsed("joe@example.org:$6$a$b:1000:100:/mail/joe", true).expect("good");
        assert_eq!(found.hash.as_slice(), b"$6$a$b");
        assert_eq!(found.ids, Some((1000, 100)));
        assert_eq!(found.home, b"/mail/joe");
    }

    #[test]
    fn ids_that_are_not_wanted_may_be_anything() {
        for line in ["joe:h:::/m", "joe:h:0:0:/m", "joe:h:x:y:/m"] {
            assert_eq!(parsed(line, false).expect("good").ids, None, "{line}");
        }
    }

    #[test]
    fn malformed_lines_say_what_is_wrong() {
        let five = "must have five fields, user:hash:uid:gid:home";
        let relative = "home directory is not an absolute path";
        for (line, why) in [
            ("joe:h:1:1", five),
            ("joe:h:1:1:/m:", five),
            ("joe:", five),
            ("joe:h:1:1:mail", relative),
            ("joe:h:1:1:", relative),
            ("joe:h:0:1:/m", "uid 0 may not log in"),
            ("joe:h:00:1:/m", "uid 0 may not log in"),
            ("joe:h:-1:1:/m", "uid is not a number"),
            ("joe:h::1:/m", "uid is not a number"),
            ("joe:h:4294967295:1:/m", "uid is not a number"),
            ("joe:h:4294967296:1:/m", "uid is not a number"),
            ("joe:h:1:x:/m", "gid is not a number"),
            ("joe:h:1:1:/m\0", "home directory has a NUL in it"),
        ] {
            assert!(parsed(line, true).err() == Some(Trouble::Line(7, why)), "{line:?}");
        }
    }

    #[test]
    fn a_line_belongs_to_its_whole_name() {
        assert!(belongs(b"joe:h", b"joe"));
        assert!(belongs(b"joe@a.org:h", b"joe@a.org"));
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
            assert!(!belongs(line, user), "{line:?}");
        }
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_reader(text: Vec<u8>, user: Vec<u8>, with_ids: bool) {
            let _ = belongs(&text, &user);
            let _ = entry(Line { number: 1, text: &text, whole: true }, with_ids).is_ok();
        }
    }
}
