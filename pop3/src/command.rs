//! What a client's line asks for: the verb, and its arguments.
//!
//! RFC 1939, section 3: a keyword of three or four characters in any case, arguments after a
//! space. We let more spaces than one stand between them, and at the end, as the original did.

use common::number;

/// Every verb that we know, whether or not it is on offer in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// RFC 1939: the account's name.
    User,
    /// RFC 1939: its password.
    Pass,
    /// RFC 1939: name and digest in one.
    Apop,
    /// RFC 5034: SASL.
    Auth,
    /// RFC 2595: TLS from here on.
    Stls,
    /// RFC 6856: UTF-8 in the dialogue.
    Utf8,
    /// RFC 6856: in which language replies are.
    Lang,
    /// RFC 2449: what can this server do?
    Capa,
    /// RFC 1939: nothing.
    Noop,
    /// RFC 1939: the end.
    Quit,
    /// RFC 1939: how many messages, how many octets.
    Stat,
    /// RFC 1939: the size of a message, or of all.
    List,
    /// RFC 1939: a message.
    Retr,
    /// RFC 1939: mark as deleted.
    Dele,
    /// RFC 1939: no message is marked any more.
    Rset,
    /// RFC 1460, gone from RFC 1939, asked by old clients: the highest message accessed.
    Last,
    /// RFC 1939: the header of a message, and the first lines of its body.
    Top,
    /// RFC 1939: the unique id of a message, or of all.
    Uidl,
}

/// How each verb is spelled.
const VERBS: [(&[u8], Verb); 18] = [
    (b"USER", Verb::User),
    (b"PASS", Verb::Pass),
    (b"APOP", Verb::Apop),
    (b"AUTH", Verb::Auth),
    (b"STLS", Verb::Stls),
    (b"UTF8", Verb::Utf8),
    (b"LANG", Verb::Lang),
    (b"CAPA", Verb::Capa),
    (b"NOOP", Verb::Noop),
    (b"QUIT", Verb::Quit),
    (b"STAT", Verb::Stat),
    (b"LIST", Verb::List),
    (b"RETR", Verb::Retr),
    (b"DELE", Verb::Dele),
    (b"RSET", Verb::Rset),
    (b"LAST", Verb::Last),
    (b"TOP", Verb::Top),
    (b"UIDL", Verb::Uidl),
];

/// A line, split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command<'a> {
    /// The verb, if we know it.
    pub verb: Option<Verb>,
    /// What follows the space after it.
    argument: &'a [u8],
}

/// A language range (RFC 4647), or `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range<'a>(pub &'a [u8]);

/// What AUTH asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mechanism<'a> {
    /// The mechanism's name.
    pub name: &'a [u8],
    /// What the client says along with it.
    pub initial: Option<&'a [u8]>,
}

/// The arguments aren't those that the verb takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syntax;

impl<'a> Command<'a> {
    /// Splits a line that comes without its line end.
    #[must_use]
    pub fn parse(line: &'a [u8]) -> Self {
        let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let verb = VERBS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&line[..end]));
        Self {
            verb: verb.map(|(_, verb)| *verb),
            argument: line.get(end + 1..).unwrap_or_default(),
        }
    }

    /// For verbs that take no argument.
    ///
    /// # Errors
    /// There is one.
    pub fn alone(&self) -> Result<(), Syntax> {
        match self.words() {
            [None, None, None] => Ok(()),
            _ => Err(Syntax),
        }
    }

    /// For verbs that take one number.
    ///
    /// # Errors
    /// There is none, or more than that, or it isn't a number.
    pub fn number(&self) -> Result<u64, Syntax> {
        self.optional_number()?.ok_or(Syntax)
    }

    /// For verbs that take one number or none.
    ///
    /// # Errors
    /// There is more than that, or it isn't a number.
    pub fn optional_number(&self) -> Result<Option<u64>, Syntax> {
        match self.words() {
            [None, None, None] => Ok(None),
            [Some(one), None, None] => number::whole(one).map(Some).ok_or(Syntax),
            _ => Err(Syntax),
        }
    }

    /// For verbs that take two numbers.
    ///
    /// # Errors
    /// There aren't two, or there are more, or they aren't numbers.
    pub fn two_numbers(&self) -> Result<(u64, u64), Syntax> {
        match self.words() {
            [Some(one), Some(two), None] => {
                number::whole(one).zip(number::whole(two)).ok_or(Syntax)
            }
            _ => Err(Syntax),
        }
    }

    /// For LANG: one language range, or none.
    ///
    /// # Errors
    /// There is more than that, or it isn't one.
    pub fn language(&self) -> Result<Option<Range<'a>>, Syntax> {
        match self.words() {
            [None, None, None] => Ok(None),
            [Some(range), None, None] if is_range(range) => Ok(Some(Range(range))),
            _ => Err(Syntax),
        }
    }

    /// For AUTH: a mechanism and, if there is one, the initial response; or nothing.
    ///
    /// # Errors
    /// There is more than that.
    pub fn mechanism(&self) -> Result<Option<Mechanism<'a>>, Syntax> {
        match self.words() {
            [name, initial, None] => Ok(name.map(|name| Mechanism { name, initial })),
            [_, _, Some(_)] => Err(Syntax),
        }
    }

    /// An account's name: the rest of the line, spaces before it skipped.
    ///
    /// # Errors
    /// It is empty, or holds a NUL, which would end it early on its way to the checker.
    pub fn name(&self) -> Result<&'a [u8], Syntax> {
        let start = self.argument.iter().position(|byte| *byte != b' ').ok_or(Syntax)?;
        without_nul(&self.argument[start..])
    }

    /// A password: all that follows the one space, which may well begin or end with another
    /// (RFC 1939, section 7: PASS has one argument, so spaces are part of it).
    ///
    /// # Errors
    /// It is empty, or holds a NUL.
    pub fn password(&self) -> Result<&'a [u8], Syntax> {
        without_nul(self.argument)
    }

    /// The first two words of the argument, and a third if there are more than two.
    fn words(&self) -> [Option<&'a [u8]>; 3] {
        let mut words =
            self.argument.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).fuse();
        [words.next(), words.next(), words.next()]
    }
}

/// RFC 4647, section 2.1: parts of up to eight letters and, after the first, digits.
fn is_range(range: &[u8]) -> bool {
    range == b"*"
        || range.split(|byte| *byte == b'-').enumerate().all(|(nth, part)| {
            (1..=8).contains(&part.len())
                && part.iter().all(|byte| match nth {
                    0 => byte.is_ascii_alphabetic(),
                    _ => byte.is_ascii_alphanumeric(),
                })
        })
}

fn without_nul(text: &[u8]) -> Result<&[u8], Syntax> {
    if text.is_empty() || text.contains(&0) { Err(Syntax) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_in_any_case() {
        for (name, verb) in VERBS {
            assert_eq!(Command::parse(name).verb, Some(verb));
            assert_eq!(Command::parse(&name.to_ascii_lowercase()).verb, Some(verb));
        }
        for line in [&b""[..], b" STAT", b"STATS", b"STA", b"STAT\t", b"STAT\0", b"XTND XMIT"] {
            assert_eq!(Command::parse(line).verb, None);
        }
    }

    #[test]
    fn arguments() {
        let with = |argument| Command { verb: None, argument };
        assert_eq!(with(b"").alone(), Ok(()));
        assert_eq!(with(b"  ").alone(), Ok(()));
        assert_eq!(with(b"1").alone(), Err(Syntax));
        assert_eq!(with(b" 17 ").number(), Ok(17));
        assert_eq!(with(b"").number(), Err(Syntax));
        assert_eq!(with(b"1 2").number(), Err(Syntax));
        assert_eq!(with(b"-1").number(), Err(Syntax));
        assert_eq!(with(b"1\t").number(), Err(Syntax));
        assert_eq!(with(b"99999999999999999999").number(), Err(Syntax));
        assert_eq!(with(b"").optional_number(), Ok(None));
        assert_eq!(with(b"3").optional_number(), Ok(Some(3)));
        assert_eq!(with(b"x").optional_number(), Err(Syntax));
        assert_eq!(with(b"1  0").two_numbers(), Ok((1, 0)));
        assert_eq!(with(b"1").two_numbers(), Err(Syntax));
        assert_eq!(with(b"1 2 3").two_numbers(), Err(Syntax));
    }

    #[test]
    fn languages() {
        let with = |argument| Command { verb: None, argument }.language();
        assert_eq!(with(b" "), Ok(None));
        for range in [&b"*"[..], b"en", b"i-default", b"de-CH-1996"] {
            assert_eq!(with(range), Ok(Some(Range(range))));
        }
        for wrong in [&b"en de"[..], b"1", b"en-", b"-en", b"abcdefghi", b"en-*", b"\xE9"] {
            assert_eq!(with(wrong), Err(Syntax));
        }
    }

    #[test]
    fn names_and_passwords() {
        assert_eq!(Command::parse(b"user  joe user").name(), Ok(&b"joe user"[..]));
        assert_eq!(Command::parse(b"user   ").name(), Err(Syntax));
        assert_eq!(Command::parse(b"user a\0b").name(), Err(Syntax));
        assert_eq!(Command::parse(b"pass  se cret ").password(), Ok(&b" se cret "[..]));
        assert_eq!(Command::parse(b"pass").password(), Err(Syntax));
        assert_eq!(Command::parse(b"pass ").password(), Err(Syntax));
        assert_eq!(Command::parse(b"pass a\0").password(), Err(Syntax));
    }
}
