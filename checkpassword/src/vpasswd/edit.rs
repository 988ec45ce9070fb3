//! The text of the file, with one user's line changed and all else as it was.

use crate::lines::MAX_LINE;
use crate::users::line::{Fields, named};
use zeroize::Zeroizing;

/// A user who is to be added. What may stand in the fields has been seen to.
pub struct NewUser<'a> {
    /// The name.
    pub user: &'a [u8],
    /// The password's hash.
    pub hash: &'a [u8],
    /// `uid:gid`, or a colon alone.
    pub ids: &'a [u8],
    /// The home directory.
    pub home: &'a [u8],
    /// What stands in the field for the quota, if it is there.
    pub quota: Option<&'a [u8]>,
    /// The password in clear, if it is to be kept.
    pub secret: Option<&'a [u8]>,
}

/// A text with secrets in it.
pub type Text = Zeroizing<Vec<u8>>;

/// With a line more at its end; `None` if the user is there already.
#[must_use]
pub fn add(text: &[u8], new: &NewUser<'_>) -> Option<Text> {
    let NewUser { user, hash, ids, home, quota, secret } = *new;
    if lines(text).any(|line| is_of(line, user)) {
        return None;
    }
    let mut fields = vec![user, hash, ids];
    if quota.is_some() || secret.is_some() {
        fields.extend([&b""[..], home, quota.unwrap_or_default()]);
        fields.extend(secret);
    } else {
        fields.push(home);
    }
    let separator: &[u8] = if text.is_empty() || text.ends_with(b"\n") { b"" } else { b"\n" };
    let mut line = fields.iter().flat_map(|field| [&b":"[..], field]).collect::<Vec<_>>();
    line[0] = separator;
    line.push(b"\n");
    Some(joined(text, &line))
}

/// With another hash, and another secret or none, in the user's first line, and whether a secret stood there. `None` if there
/// is no such user.
///
/// # Errors
/// Why the line can't be changed.
pub fn change(
    text: &[u8],
    user: &[u8],
    hash: &[u8],
    secret: Option<&[u8]>,
) -> Result<Option<(Text, bool)>, &'static str> {
    let mut before = 0;
    for line in lines(text) {
        if !is_of(line, user) {
            before += line.len();
            continue;
        }
        let end: &[u8] = if line.ends_with(b"\n") { b"\n" } else { b"" };
        let whole = &line[..line.len() - end.len()];
        let rest = &whole[user.len() + 1..];
        let had_secret = !Fields::parse(rest)?.secret.is_empty();
        let fields: Vec<&[u8]> = rest.splitn(7, |byte| *byte == b':').collect();
        // Vpopmail's other fields, or, of a line that had none, empty ones.
        let (gecos, home, quota) = match fields[..] {
            [_, _, _, home] => (&b""[..], home, &b""[..]),
            [_, _, _, gecos, home, quota, ..] => (gecos, home, quota),
            _ => return Err("its line is malformed"),
        };
        let mut new = vec![user, b":", hash, b":", fields[1], b":", fields[2], b":"];
        if fields.len() == 4 && secret.is_none() {
            new.push(home);
        } else {
            new.extend([gecos, b":", home, b":", quota]);
        }
        if let Some(secret) = secret {
            new.extend([b":", secret]);
        }
        if new.iter().map(|part| part.len()).sum::<usize>() > MAX_LINE {
            return Err("its line would be too long");
        }
        new.extend([end, &text[before + line.len()..]]);
        return Ok(Some((joined(&text[..before], &new), had_secret)));
    }
    Ok(None)
}

/// Without any line of the user: a second one would count from now on. `None` if there is none.
#[must_use]
pub fn remove(text: &[u8], user: &[u8]) -> Option<Text> {
    let kept: Vec<&[u8]> = lines(text).filter(|line| !is_of(line, user)).collect();
    let changed = joined(b"", &kept);
    (changed.len() < text.len()).then_some(changed)
}

/// The lines, each with its end.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

fn is_of(line: &[u8], user: &[u8]) -> bool {
    named(line).is_some_and(|(name, _)| name == user)
}

/// At its full size from the start: memory that grows leaves copies behind.
fn joined(first: &[u8], parts: &[&[u8]]) -> Text {
    let length = first.len() + parts.iter().map(|part| part.len()).sum::<usize>();
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    text.extend_from_slice(first);
    parts.iter().for_each(|part| text.extend_from_slice(part));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn joe(quota: Option<&'static str>, secret: Option<&'static str>) -> NewUser<'static> {
        let (quota, secret) = (quota.map(str::as_bytes), secret.map(str::as_bytes));
        NewUser { user: b"joe", hash: b"h", ids: b"1:2", home: b"/m", quota, secret }
    }

    fn text(text: &Text) -> &str {
        str::from_utf8(text).expect("text")
    }

    #[test]
    fn a_user_is_added_at_the_end_once() {
        for (before, quota, secret, after) in [
            ("", None, None, "joe:h:1:2:/m\n"),
            ("# users\nann:g:::/a", None, None, "# users\nann:g:::/a\njoe:h:1:2:/m\n"),
            ("#joe:h:1:2:/m\n", Some("10MB"), None, "#joe:h:1:2:/m\njoe:h:1:2::/m:10MB\n"),
            ("", None, Some("s:t"), "joe:h:1:2::/m::s:t\n"),
            ("", Some("1"), Some("s"), "joe:h:1:2::/m:1:s\n"),
        ] {
            let found = add(before.as_bytes(), &joe(quota, secret)).expect("no joe yet");
            assert_eq!(text(&found), after);
            assert!(add(&found, &joe(None, None)).is_none());
        }
    }

    #[test]
    fn a_change_touches_hash_and_secret_only() {
        for (before, secret, after) in [
            ("joe:h:1:2:/m\n", None, Ok(("joe:n:1:2:/m\n", false))),
            (
                "a\n\njoe:h:1:2:/m\njoe:x:::/z\nb",
                None,
                Ok(("a\n\njoe:n:1:2:/m\njoe:x:::/z\nb", false)),
            ),
            ("joe:h:1:2:/m", Some("s"), Ok(("joe:n:1:2::/m::s", false))),
            ("joe:h:1:0:Joe Doe:/m:NOQUOTA", None, Ok(("joe:n:1:0:Joe Doe:/m:NOQUOTA", false))),
            ("joe:h:1:0:Joe Doe:/m:1:old:er\n", None, Ok(("joe:n:1:0:Joe Doe:/m:1\n", true))),
            ("joe:h:1:0:Joe Doe:/m:1:old\n", Some("s"), Ok(("joe:n:1:0:Joe Doe:/m:1:s\n", true))),
            (
                "joe:h\n",
                None,
                Err("must have 5 fields, user:hash:uid:gid:home, or vpopmail's 7 or 8"),
            ),
        ] {
            let found = change(before.as_bytes(), b"joe", b"n", secret.map(str::as_bytes));
            let found = found.map(|found| found.expect("joe is there"));
            assert_eq!(
                found.as_ref().map(|(t, had)| (text(t), *had)),
                after.as_ref().map(|found| *found)
            );
        }
        assert!(matches!(change(b"ann:h:1:2:/m\n#joe:h:1:2:/m\n", b"joe", b"n", None), Ok(None)));
        let long = vec![b's'; MAX_LINE];
        assert!(change(b"joe:h:1:2:/m\n", b"joe", b"n", Some(&long)).is_err());
    }

    #[test]
    fn whoever_is_removed_is_gone() {
        let found =
            remove(b"# joe\njoe:h:1:2:/m\nann:g:::/a\njoe:x:::/z", b"joe").expect("joe was there");
        assert_eq!(text(&found), "# joe\nann:g:::/a\n");
        assert!(remove(&found, b"joe").is_none());
    }

    proptest! {
        #[test]
        fn others_stay_as_they_were(before in "([a-c]{1,2}:h:1:2:/m\n|#[a-z]*\n|\n){0,8}", secret in "[!-~]{0,9}") {
            let secret = (!secret.is_empty()).then_some(secret.as_bytes());
            let new = NewUser { user: b"joe", hash: b"h", ids: b":", home: b"/m", quota: None, secret };
            let with = add(before.as_bytes(), &new).expect("no joe yet");
            let (changed, had) = change(&with, b"joe", b"n", None).expect("fine").expect("there");
            prop_assert_eq!(had, secret.is_some());
            let without = remove(&changed, b"joe").expect("there");
            prop_assert_eq!(text(&without), before);
        }
    }
}
