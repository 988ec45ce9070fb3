//! What `+` and `-` compare a line with.

use super::wildcard;
use memchr::memchr;

/// A pattern, and the rules that it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// multilog's own: stars and other characters.
    Simple(&'static [u8]),
    /// fnmatch(3)'s, after `F`.
    Wildcard(&'static [u8]),
}

impl Pattern {
    /// Whether it matches the whole of `text`.
    pub(crate) fn matches(self, text: &[u8]) -> bool {
        match self {
            Self::Simple(pattern) => matches(pattern, text),
            Self::Wildcard(pattern) => wildcard::matches(pattern, text),
        }
    }
}

/// A star stands for what comes before the *first* occurrence of the character that follows it in
/// the pattern; it never tries a later one. (`*a` doesn't match `aa`.)
pub(crate) fn matches(mut pattern: &[u8], mut text: &[u8]) -> bool {
    loop {
        match pattern {
            [] => return text.is_empty(),
            [b'*'] => return true,
            // The next character stays: it is compared with itself; but a second star is first looked
            // for as a character, and then is a star.
            [b'*', rest @ ..] => {
                let Some(at) = memchr(rest[0], text) else { return false };
                text = &text[at..];
                pattern = rest;
            }
            [character, rest @ ..] => {
                if text.first() != Some(character) {
                    return false;
                }
                text = &text[1..];
                pattern = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_end_at_the_first_occurrence() {
        for (pattern, text, expected) in [
            ("hello", "hello", true),
            ("hello", "hello world", false),
            ("hello", "hell", false),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "a", true),
            ("*a", "aa", false),
            ("*a*", "bab", true),
            ("*fatal: *", "@4 fatal: x", true),
            ("* fatal: *", "@4 f fatal: x", false),
            ("named[*]: Cleaned cache *", "named[135]: Cleaned cache of 3121 RRs", true),
            ("*x", "abc", false),
            ("?", "x", false),
            ("**", "x", false),
            ("**", "b*a", true),
            ("**a", "*ba", true),
            ("**a", "ba", false),
            ("a**", "ab*c", true),
        ] {
            let pattern = Pattern::Simple(pattern.as_bytes());
            assert_eq!(pattern.matches(text.as_bytes()), expected, "{pattern:?} {text}");
        }
    }
}
