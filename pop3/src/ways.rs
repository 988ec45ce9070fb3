//! The ways to log in that the checker behind can judge, as the administrator says in `POP3AUTH`.

/// A way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// USER and PASS (RFC 1939).
    User,
    /// APOP (RFC 1939): the checker has to know the password itself, not a hash of it.
    Apop,
    /// AUTH CRAM-MD5 (RFC 2195): so it has for this one.
    CramMd5,
    /// AUTH PLAIN (RFC 4616).
    Plain,
    /// AUTH LOGIN, which old clients know and no RFC describes.
    Login,
}

/// How each is called in `POP3AUTH`.
const WORDS: [(&[u8], Way); 5] = [
    (b"user", Way::User),
    (b"apop", Way::Apop),
    (b"cram-md5", Way::CramMd5),
    (b"plain", Way::Plain),
    (b"login", Way::Login),
];

/// The mechanisms of AUTH with their names, the best first.
pub const MECHANISMS: [(&[u8], Way); 3] =
    [(b"CRAM-MD5", Way::CramMd5), (b"PLAIN", Way::Plain), (b"LOGIN", Way::Login)];

/// A set of ways to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ways(u8);

impl Default for Ways {
    /// Those that need no more than a name and a password, as any checker does.
    fn default() -> Self {
        Self::NONE.with(Way::User).with(Way::Plain).with(Way::Login)
    }
}

impl Ways {
    /// None at all.
    pub const NONE: Self = Self(0);

    /// What `POP3AUTH` says: words in any case, separated by blanks; `None` if it isn't set.
    ///
    /// # Errors
    /// The first word that isn't known; an empty one if there is no word.
    pub fn parse(value: Option<&[u8]>) -> Result<Self, &[u8]> {
        let Some(value) = value else { return Ok(Self::default()) };
        let mut ways = Self::NONE;
        for word in value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            let known = WORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word));
            ways = ways.with(known.ok_or(word)?.1);
        }
        if ways == Self::NONE { Err(b"") } else { Ok(ways) }
    }

    /// With one more.
    #[must_use]
    pub const fn with(self, way: Way) -> Self {
        Self(self.0 | 1 << way as u8)
    }

    /// Whether this one is among them.
    #[must_use]
    pub const fn contains(self, way: Way) -> bool {
        self.0 & 1 << way as u8 != 0
    }

    /// The names of the mechanisms of AUTH that are among them.
    pub fn mechanisms(self) -> impl Iterator<Item = &'static [u8]> {
        MECHANISMS.into_iter().filter(move |(_, way)| self.contains(*way)).map(|(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn words() {
        let all = [Way::User, Way::Apop, Way::CramMd5, Way::Plain, Way::Login];
        let set = |ways: &[Way]| ways.iter().fold(Ways::NONE, |set, way| set.with(*way));
        assert_eq!(Ways::parse(None), Ok(set(&[Way::User, Way::Plain, Way::Login])));
        assert_eq!(Ways::parse(Some(b"user plain login apop cram-md5")), Ok(set(&all)));
        assert_eq!(Ways::parse(Some(b" \tPLAIN\n")), Ok(set(&[Way::Plain])));
        assert_eq!(Ways::parse(Some(b"apop apop")), Ok(set(&[Way::Apop])));
        for (value, word) in
            [("", ""), ("  ", ""), ("user,plain", "user,plain"), ("plain scram x", "scram")]
        {
            assert_eq!(Ways::parse(Some(value.as_bytes())), Err(word.as_bytes()), "{value}");
        }
    }

    #[test]
    fn names_of_mechanisms() {
        let names = |value: &[u8]| {
            Ways::parse(Some(value)).unwrap().mechanisms().collect::<Vec<_>>().join(&b' ')
        };
        assert_eq!(names(b"login plain cram-md5 user apop"), b"CRAM-MD5 PLAIN LOGIN");
        assert_eq!(names(b"user apop"), b"");
        for (_, way) in WORDS {
            assert!(Ways::NONE.with(way).contains(way) && !Ways::NONE.contains(way));
        }
    }
}
