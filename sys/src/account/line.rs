//! The lines of passwd(5), group(5) and shadow(5), read as the C library reads them: what is
//! malformed is no entry.

use super::{Account, Shadow};
use alloc_crate::vec::Vec;

/// Whether an entry of this name can be in a file at all: `+` and `-` begin the lines of the old
/// NIS syntax, which are nobody's.
pub(super) fn may_be_in_files(name: &[u8]) -> bool {
    !matches!(name.first(), None | Some(b'+' | b'-'))
        && !name.iter().any(|byte| matches!(byte, b':' | b'\n' | 0))
}

/// Whether this line is the entry called `name`.
pub(super) fn is_called(line: &[u8], name: &[u8]) -> bool {
    line.trim_ascii_start().strip_prefix(name).is_some_and(|rest| rest.first() == Some(&b':'))
}

/// `name:password:uid:gid:gecos:home:shell`. The last three may be missing.
pub(super) fn passwd(line: &[u8]) -> Option<Account> {
    let mut fields = line.trim_ascii_start().splitn(7, is_colon);
    let name = fields.next().filter(|name| may_be_in_files(name) && name[0] != b'#')?;
    let password = fields.next()?.to_vec();
    let uid = id(fields.next()?)?;
    let gid = id(fields.next()?)?;
    let _gecos = fields.next();
    let mut text = || fields.next().unwrap_or_default().to_vec();
    Some(Account { name: name.to_vec(), password, uid, gid, home: text(), shell: text() })
}

/// `name:password:gid:member,member`: the gid, if `name` is a member.
pub(super) fn group_of(line: &[u8], name: &[u8]) -> Option<u32> {
    let mut fields = line.trim_ascii_start().splitn(4, is_colon);
    fields.next().filter(|group| may_be_in_files(group) && group[0] != b'#')?;
    let _password = fields.next()?;
    let gid = id(fields.next()?)?;
    let mut members = fields.next()?.split(|byte| *byte == b',');
    members.any(|member| member.trim_ascii_start() == name).then_some(gid)
}

/// `name:hash:last change:min:max:warn:inactive:expire:flag`; all from `warn` on may be missing.
pub(super) fn shadow(line: &[u8]) -> Option<Shadow> {
    let fields: Vec<&[u8]> = line.trim_ascii_start().splitn(9, is_colon).collect();
    let old_form = match fields.len() {
        5 => !fields[4].is_empty(),
        6 => fields[5].trim_ascii().is_empty(),
        _ => false,
    };
    let whole = match fields.len() {
        8 => !fields[7].is_empty(),
        length => length == 9,
    };
    if !old_form && !whole || !may_be_in_files(fields[0]) || fields[0][0] == b'#' {
        return None;
    }
    let newer = |index: usize| if whole { days(fields[index]) } else { Some(None) };
    Some(Shadow {
        hash: fields[1].to_vec(),
        last_change: days(fields[2])?,
        min: days(fields[3])?,
        max: days(fields[4])?,
        warn: newer(5)?,
        inactive: newer(6)?,
        expire: newer(7)?,
    })
}

/// What `getent initgroups NAME` prints: the name, then the gids, all apart by blanks.
pub(super) fn initgroups(answer: &[u8]) -> impl Iterator<Item = u32> {
    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).skip(1).filter_map(id)
}

/// A uid or gid: digits. The highest value isn't one: setuid(2) and its kin take it for "as it is".
fn id(field: &[u8]) -> Option<u32> {
    let value = number(field)?;
    u32::try_from(value).ok().filter(|id| *id != u32::MAX)
}

/// A number of days; empty or negative: left open. `None` for anything else than a number.
fn days(field: &[u8]) -> Option<Option<i64>> {
    if field.is_empty() {
        return Some(None);
    }
    if let Some(digits) = field.strip_prefix(b"-") {
        return number(digits).map(|_| None);
    }
    // The C library holds days in an int: what doesn't fit turns negative there.
    number(field).map(|value| i32::try_from(value).ok().map(i64::from))
}

/// Digits only; what is too large for a u64 counts as its highest value.
fn number(field: &[u8]) -> Option<u64> {
    if field.is_empty() || !field.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = field.iter().fold(0_u64, |value, digit| {
        value.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    Some(value)
}

fn is_colon(byte: &u8) -> bool {
    *byte == b':'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(line: &str) -> Option<(String, u32, u32, String, String)> {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("utf-8");
        passwd(line.as_bytes()).map(|a| (text(a.name), a.uid, a.gid, text(a.home), text(a.shell)))
    }

    #[test]
    fn a_passwd_line_has_its_fields() {
        let found = names("alice:x:1000:1001:Alice,,,:/home/alice:/bin/sh").expect("an account");
        assert_eq!(found, ("alice".into(), 1000, 1001, "/home/alice".into(), "/bin/sh".into()));
    }

    #[test]
    fn malformed_passwd_lines_are_none() {
        for line in [
            "",
            "alice",
            "alice:x",
            "alice:x:1000",
            "alice:x::1",
            "alice:x:1:",
            "alice:x:1x:1",
            "alice:x:-1:1",
            "alice:x:4294967295:1",
            "alice:x:1:4294967295",
            "alice:x:1:99999999999",
            "+alice:x:1:1::/:",
            "-alice:x:1:1::/:",
            "+",
            "#alice:x:1:1::/:",
            ":x:0:0::/:",
            "alice:x:+1:1::/:",
            "alice:x: 1:1::/:",
        ] {
            assert_eq!(names(line), None, "{line:?}");
        }
    }

    #[test]
    fn what_follows_the_gid_may_be_missing_and_the_shell_takes_the_rest() {
        let short = ("a".into(), 0, 4_294_967_294, String::new(), String::new());
        assert_eq!(names("a:x:0:4294967294"), Some(short));
        let found = names("  a::1:2:g:h:s:t").expect("an account");
        assert_eq!(found, ("a".into(), 1, 2, "h".into(), "s:t".into()));
    }

    #[test]
    fn a_line_is_called_by_its_whole_first_field() {
        assert!(is_called(b"root:x:0:0", b"root"));
        assert!(is_called(b" root:x:0:0", b"root"));
        assert!(!is_called(b"root2:x:0:0", b"root"));
        assert!(!is_called(b"root", b"root"));
        assert!(!is_called(b"roo:x", b"root"));
    }

    #[test]
    fn members_of_a_group() {
        assert_eq!(group_of(b"adm:x:4:alice,bob", b"bob"), Some(4));
        assert_eq!(group_of(b"adm:x:4:alice, bob", b"bob"), Some(4));
        assert_eq!(group_of(b"adm:x:4:alice,bobby", b"bob"), None);
        assert_eq!(group_of(b"adm:x:4:", b"bob"), None);
        assert_eq!(group_of(b"adm:x:4", b"bob"), None);
        assert_eq!(group_of(b"+adm:x:4:bob", b"bob"), None);
        assert_eq!(group_of(b"adm:x:four:bob", b"bob"), None);
    }

    #[test]
    fn a_whole_shadow_line() {
        let entry = shadow(b"alice:$y$j9T$x:20000:0:99999:7:30:21000:").expect("an entry");
        assert_eq!(entry.hash, b"$y$j9T$x");
        assert_eq!(
            [entry.last_change, entry.min, entry.max, entry.warn, entry.inactive, entry.expire],
            [Some(20000), Some(0), Some(99999), Some(7), Some(30), Some(21000)]
        );
    }

    #[test]
    fn open_and_negative_days_are_none() {
        let entry = shadow(b"a:*::-1::-1::4294967295:").expect("an entry");
        assert_eq!(
            [entry.last_change, entry.min, entry.max, entry.warn, entry.inactive, entry.expire],
            [None; 6]
        );
    }

    #[test]
    fn which_shadow_lines_count() {
        for line in ["a:h:1:2:3", "a:h:1:2:3:", "a:h:1:2:3:4:5:6", "a:h:1:2:3:4:5:6:", "a:h:::::::"]
        {
            assert!(shadow(line.as_bytes()).is_some(), "{line:?}");
        }
        for line in [
            "",
            "a",
            "a:",
            "a:h",
            "a:h:::",
            "a:h:1:2",
            "a:h:1:2:",
            "a:h:1:2:3:4",
            "a:h:1:2:3:4:5",
            "a:h:1:2:3:4:5:",
            "a:h:x:2:3:4:5:6:",
            "a:h:1:2:3:4:5:x:",
            ":h:1:2:3:4:5:6:",
            "+:h:::::::",
        ] {
            assert!(shadow(line.as_bytes()).is_none(), "{line:?}");
        }
    }

    #[test]
    fn getent_prints_groups_after_the_name() {
        let answer = b"alice                 4 24 27\n";
        assert_eq!(initgroups(answer).collect::<Vec<_>>(), [4, 24, 27]);
        assert_eq!(initgroups(b"alice \n").count(), 0);
        assert_eq!(initgroups(b"").count(), 0);
    }

    proptest! {
        #[test]
        fn no_line_breaks_the_readers(line in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = (passwd(&line), shadow(&line).is_some(), group_of(&line, b"a"));
        }

        #[test]
        fn what_was_written_is_read(name in "[a-z_][a-z0-9_.-]{0,30}", uid in 0..u32::MAX, gid in 0..u32::MAX,
                                    home in "[^:\n\0]{0,20}", shell in "[^:\n\0]{0,20}") {
            let line = format!("{name}:x:{uid}:{gid}:gecos:{home}:{shell}");
            prop_assert!(is_called(line.as_bytes(), name.as_bytes()));
            prop_assert_eq!(names(&line), Some((name, uid, gid, home, shell)));
        }
    }
}
