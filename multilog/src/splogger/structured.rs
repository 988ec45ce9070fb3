//! Structured data as an administrator writes it, verified by the letter of RFC 5424, section 6.3.

use alloc::vec::Vec;

/// An element's name without a `@` must be one of those that are registered (section 9.2).
const REGISTERED: [&[u8]; 3] = [b"timeQuality", b"origin", b"meta"];

/// Whether `text` is `-`, or one or more elements, each with a name of its own. Stricter than the RFC in
/// what receivers disagree about: a value is UTF-8 without control characters, and a backslash stands before
/// one of `"`, `\` and `]` only.
pub(crate) fn is_valid(text: &[u8]) -> bool {
    if text == b"-" {
        return true;
    }
    let mut ids: Vec<&[u8]> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((id, later)) = element(rest) else { return false };
        if ids.contains(&id) {
            return false;
        }
        ids.push(id);
        rest = later;
    }
    !ids.is_empty()
}

/// The name of the element at the front, and what follows it.
fn element(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (id, mut rest) = name(text.strip_prefix(b"[")?)?;
    if !is_id(id) {
        return None;
    }
    loop {
        match rest {
            [b']', later @ ..] => return Some((id, later)),
            [b' ', parameter @ ..] => rest = value(name(parameter)?.1.strip_prefix(b"=\"")?)?,
            _ => return None,
        }
    }
}

/// The name at the front: 1 to 32 visible characters but `=`, `]` and `"`.
fn name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let allowed = |byte: &&u8| byte.is_ascii_graphic() && !matches!(**byte, b'=' | b']' | b'"');
    let length = text.iter().take_while(allowed).count();
    (1..=32).contains(&length).then(|| text.split_at(length))
}

/// Registered, or `name@number`, where dots may divide the number.
fn is_id(name: &[u8]) -> bool {
    let Some(at) = name.iter().position(|byte| *byte == b'@') else {
        return REGISTERED.contains(&name);
    };
    let mut arcs = name[at + 1..].split(|byte| *byte == b'.');
    at > 0 && arcs.all(|arc| !arc.is_empty() && arc.iter().all(u8::is_ascii_digit))
}

/// What follows the value at the front and its quotation mark.
fn value(text: &[u8]) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        match text.get(at..)? {
            [b'"', later @ ..] => {
                return core::str::from_utf8(&text[..at]).is_ok().then_some(later);
            }
            [b'\\', b'"' | b'\\' | b']', ..] => at += 2,
            [b'\\' | b']' | 0..32 | 127, ..] | [] => return None,
            [_, ..] => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn what_the_rfc_calls_valid() {
        // The first three are the examples of section 6.3.5.
        for text in [
            r#"[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"]"#,
            r#"[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"][examplePriority@32473 class="high"]"#,
            r#"[exampleSDID@32473 iut="3"][examplePriority@32473 class="high"]"#,
            "-",
            "[x@1]",
            "[x@1.2.3]",
            "[origin]",
            r#"[meta sequenceId="1"]"#,
            r#"[x@1 a=""]"#,
            r#"[x@1 a="\"\\\]" a="é ="]"#,
        ] {
            assert!(is_valid(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn what_it_does_not() {
        for text in [
            // The fourth and fifth example: a blank between elements, and one after the bracket.
            r#"[exampleSDID@32473 iut="3"] [examplePriority@32473 class="high"]"#,
            r#"[ exampleSDID@32473 iut="3"][examplePriority@32473 class="high"]"#,
            "",
            "--",
            "[]",
            "[x]",
            "[x@]",
            "[@1]",
            "[x@1.]",
            "[x@1..2]",
            "[x@y]",
            "[x@1 ]",
            "[x@1 a]",
            "[x@1 a=b]",
            r#"[x@1 a="b]"#,
            r#"[x@1 a="b""#,
            r#"[x@1  a="b"]"#,
            r#"[x@1 a="]"]"#,
            r#"[x@1 a="\n"]"#,
            r#"[x@1 a="\"]"#,
            "[x@1 a=\"\t\"]",
            r#"[x@1 a=""b=""]"#,
            "[x@1][x@1]",
            "[x@1]-",
            "[abcdefghijklmnopqrstuvwxyz0123456@1]",
        ] {
            assert!(!is_valid(text.as_bytes()), "{text}");
        }
        assert!(!is_valid(b"[x@1 a=\"\xe9\"]"), "Latin-1");
    }
}
