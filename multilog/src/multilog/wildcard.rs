//! fnmatch(3) without flags, in the C locale: POSIX.1-2017, "Pattern Matching Notation".
//!
//! A `*` matches anything, slashes and leading dots too; `?` any one byte; `[...]` one of those
//! listed (ranges, `!` or `^` for all others, `[:alpha:]` and its like, `[=a=]`, `[.a.]`);
//! a backslash takes the meaning from what follows. A bracket that isn't closed is itself.

/// Whether `pattern` matches the whole of `text`. Time is at most the product of their lengths.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    // Where to go on when what follows the last star doesn't match: one byte later.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        let matched = match pattern {
            [b'*', rest @ ..] => {
                star = Some((rest, text));
                pattern = rest;
                continue;
            }
            [] if text.is_empty() => return true,
            [] => None,
            // What can match nothing can't, wherever it stands.
            _ => match (one(pattern), text) {
                (Some((element, rest)), [byte, later @ ..]) => {
                    element.matches(*byte).then_some((rest, later))
                }
                (None, _) | (_, []) => None,
            },
        };
        (pattern, text) = match (matched, star) {
            (Some(both), _) => both,
            (None, Some((after, [_, later @ ..]))) => {
                star = Some((after, later));
                (after, later)
            }
            (None, None | Some((_, []))) => return false,
        };
    }
}

/// What one byte is compared with.
pub(crate) enum Element<'a> {
    Any,
    Byte(u8),
    /// What stands between the brackets, the `!` excepted.
    Bracket {
        list: &'a [u8],
        negated: bool,
    },
}

impl Element<'_> {
    pub(crate) fn matches(&self, byte: u8) -> bool {
        match self {
            Self::Any => true,
            Self::Byte(own) => *own == byte,
            Self::Bracket { list, negated } => contains(list, byte) != *negated,
        }
    }
}

/// The first element of a pattern, which isn't a star, and what follows it. `None` for one that
/// nothing matches: a backslash at the end, a class that doesn't exist.
pub(crate) fn one(pattern: &[u8]) -> Option<(Element<'_>, &[u8])> {
    match pattern {
        [b'?', rest @ ..] => Some((Element::Any, rest)),
        [b'\\', byte, rest @ ..] => Some((Element::Byte(*byte), rest)),
        [] | [b'\\'] => None,
        [b'[', rest @ ..] => match bracket(rest) {
            Bracket::Closed(element, rest) => Some((element, rest)),
            Bracket::Open => Some((Element::Byte(b'['), rest)),
            Bracket::Wrong => None,
        },
        [byte, rest @ ..] => Some((Element::Byte(*byte), rest)),
    }
}

enum Bracket<'a> {
    Closed(Element<'a>, &'a [u8]),
    Open,
    Wrong,
}

/// Finds the end of a bracket expression, of which the `[` was taken.
fn bracket(pattern: &[u8]) -> Bracket<'_> {
    let negated = matches!(pattern.first(), Some(b'!' | b'^'));
    let list = &pattern[usize::from(negated)..];
    let mut rest = list;
    while let Some(item) = item(rest, rest.len() == list.len()) {
        rest = match item {
            Item::End => {
                let list = &list[..list.len() - rest.len()];
                return Bracket::Closed(Element::Bracket { list, negated }, &rest[1..]);
            }
            Item::Range(_, _, rest) | Item::Class(_, rest) => rest,
            Item::Wrong => return Bracket::Wrong,
        };
    }
    Bracket::Open
}

/// Whether a list that was found complete has `byte` in it.
fn contains(list: &[u8], byte: u8) -> bool {
    let mut rest = list;
    while let Some(item) = item(rest, rest.len() == list.len()) {
        rest = match item {
            Item::Range(first, last, _) if (first..=last).contains(&byte) => return true,
            Item::Class(class, _) if class(&byte) => return true,
            Item::Range(_, _, rest) | Item::Class(_, rest) => rest,
            Item::End | Item::Wrong => return false,
        };
    }
    false
}

type Class = fn(&u8) -> bool;

/// A part of a list, with what follows it.
enum Item<'a> {
    /// The closing bracket.
    End,
    Range(u8, u8, &'a [u8]),
    Class(Class, &'a [u8]),
    Wrong,
}

/// The first item of a list; a `]` that comes first is itself. `None` at the end of the pattern.
fn item(list: &[u8], is_first: bool) -> Option<Item<'_>> {
    if list.first() == Some(&b']') && !is_first {
        return Some(Item::End);
    }
    if let Some(inner) = list.strip_prefix(b"[:")
        && let Some(end) = inner.windows(2).position(|two| two == b":]")
        && inner[..end].iter().all(u8::is_ascii_lowercase)
    {
        let class = class(&inner[..end]);
        return Some(class.map_or(Item::Wrong, |class| Item::Class(class, &inner[end + 2..])));
    }
    let (first, rest) = member(list)?;
    match rest {
        [b'-', after @ ..] if !after.is_empty() && after[0] != b']' => {
            let (last, rest) = member(after)?;
            Some(Item::Range(first, last, rest))
        }
        _ => Some(Item::Range(first, first, rest)),
    }
}

/// A single byte of a list: itself, escaped, or as `[.a.]` or `[=a=]`.
fn member(list: &[u8]) -> Option<(u8, &[u8])> {
    match list {
        [b'[', open @ (b'.' | b'='), byte, close, b']', rest @ ..] if open == close => {
            Some((*byte, rest))
        }
        [b'\\', byte, rest @ ..] => Some((*byte, rest)),
        [b'\\'] | [] => None,
        [byte, rest @ ..] => Some((*byte, rest)),
    }
}

fn class(name: &[u8]) -> Option<Class> {
    Some(match name {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => u8::is_ascii_punctuation,
        b"space" => |byte| matches!(byte, b' ' | b'\t'..=b'\r'),
        b"upper" => u8::is_ascii_uppercase,
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn elements() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "/.x", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a", "aa", true),
            ("*a*b*c", "xxaxbxbxc", true),
            ("*a*b*c", "xxaxcxb", false),
            ("[abc]", "b", true),
            ("[!abc]", "b", false),
            ("[^abc]", "d", true),
            ("[a-c]x", "bx", true),
            ("[c-a]", "b", false),
            ("[]]", "]", true),
            ("[!]]", "a", true),
            ("[]-a]", "^", true),
            ("[a-]", "-", true),
            ("[-a]", "-", true),
            ("[", "[", true),
            ("[a", "[a", true),
            ("[a", "a", false),
            ("[[:digit:]x]", "7", true),
            ("[[:digit:]x]", "y", false),
            ("[[:nothing:]]", "n", false),
            ("[[.a.]]", "a", true),
            ("[[=a=]]", "a", true),
            ("[\\]]", "]", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("\\", "\\", false),
            ("*\\", "x\\", false),
            ("[*?]", "*", true),
            ("[[]", "[", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern = b"*a".repeat(500);
        let text = b"a".repeat(1000);
        assert!(matches(&pattern, &text));
        assert!(!matches(&[&pattern[..], b"b"].concat(), &text));
    }

    proptest! {
        #[test]
        fn a_text_escaped_matches_itself_alone(text: Vec<u8>, other: Vec<u8>) {
            let pattern: Vec<u8> = text.iter().flat_map(|byte| [b'\\', *byte]).collect();
            prop_assert!(matches(&pattern, &text));
            prop_assert_eq!(matches(&pattern, &other), text == other);
        }

        #[test]
        fn no_pattern_hangs_or_panics(pattern in "[]\\[*?!^a:.=\\-\\\\]{0,20}", text in "[]\\[a:*\\-]{0,20}") {
            matches(pattern.as_bytes(), text.as_bytes());
        }
    }
}
