//! Who a client says it is, and what is to prove it: on its way to the checker, and nowhere else.

use crate::line::LIMIT;
use crate::secret::Secret;

/// What the secret is, and so with what the checker compares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proof {
    /// The password itself.
    #[default]
    Password,
    /// APOP: a digest of the banner's timestamp and the password.
    OfBanner,
    /// CRAM-MD5: a digest of the challenge, keyed with the password.
    OfChallenge,
}

/// A login that is to be checked.
#[derive(Default)]
pub struct Credentials {
    name: Secret<LIMIT>,
    secret: Secret<LIMIT>,
    proof: Proof,
}

/// They are no name and no secret: one is empty, holds a NUL, which would end it early on its way
/// to the checker, or is longer than a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlawful;

/// How long a digest is, in hex.
const DIGEST: usize = 32;

impl Credentials {
    /// The account's name; empty if there is none yet.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// What is to prove it; empty if there is nothing yet.
    #[must_use]
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }

    /// What the secret is.
    #[must_use]
    pub fn proof(&self) -> Proof {
        self.proof
    }

    /// Forgets all of it.
    pub fn forget(&mut self) {
        self.name.wipe();
        self.forget_secret();
    }

    /// Forgets all but the name, which will be said when something goes wrong.
    pub fn forget_secret(&mut self) {
        self.secret.wipe();
        self.proof = Proof::Password;
    }

    /// A name, and no secret yet.
    ///
    /// # Errors
    /// It is none; all is forgotten.
    pub fn name_is(&mut self, name: &[u8]) -> Result<(), Unlawful> {
        self.forget();
        lawful(name).and_then(|name| self.name.set(name).map_err(|_| Unlawful))
    }

    /// A password for the name that is known.
    ///
    /// # Errors
    /// It is none.
    pub fn password_is(&mut self, password: &[u8]) -> Result<(), Unlawful> {
        self.forget_secret();
        lawful(password).and_then(|password| self.secret.set(password).map_err(|_| Unlawful))
    }

    /// Name and digest, 32 hexadecimal digits, with one space between them; the name may have more.
    ///
    /// # Errors
    /// They are none; all is forgotten.
    pub fn are(&mut self, name_and_digest: &[u8], proof: Proof) -> Result<(), Unlawful> {
        self.forget();
        let space = name_and_digest.iter().rposition(|byte| *byte == b' ').ok_or(Unlawful)?;
        let digest = &name_and_digest[space + 1..];
        if digest.len() != DIGEST || !digest.iter().all(u8::is_ascii_hexdigit) {
            return Err(Unlawful);
        }
        self.name_is(&name_and_digest[..space])?;
        self.password_is(digest)?;
        self.proof = proof;
        Ok(())
    }
}

fn lawful(text: &[u8]) -> Result<&[u8], Unlawful> {
    if text.is_empty() || text.contains(&0) { Err(Unlawful) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_digests() {
        let mut credentials = Credentials::default();
        let digest = "0123456789abcdef0123456789abcdef";
        let mut are = |text: &str| {
            let said = credentials.are(text.as_bytes(), Proof::OfBanner);
            let known = [credentials.name(), credentials.secret()].map(<[u8]>::to_vec);
            said.map(|()| (known, credentials.proof()))
        };
        for name in ["joe", "joe@h.example", "joe user", " joe", "joé", "joe "] {
            let known = [name, digest].map(|text| text.as_bytes().to_vec());
            assert_eq!(are(&std::format!("{name} {digest}")), Ok((known, Proof::OfBanner)));
        }
        for wrong in [
            "",
            "joe",
            digest,
            &std::format!(" {digest}"),
            &std::format!("joe\t{digest}"),
            &std::format!("joe {digest} "),
            &std::format!("joe {digest}0"),
            &std::format!("joe {}", &digest[1..]),
            &std::format!("joe {}", digest.replace('a', "g")),
            &std::format!("jo\0e {digest}"),
        ] {
            assert_eq!(are(wrong), Err(Unlawful), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_unlawful_is_forgotten() {
        let mut credentials = Credentials::default();
        credentials.name_is(b"joe").unwrap();
        credentials.password_is(b"x").unwrap();
        assert_eq!(credentials.password_is(b"a\0b"), Err(Unlawful));
        assert_eq!((credentials.name(), credentials.secret()), (&b"joe"[..], &b""[..]));
        assert_eq!(credentials.name_is(&[b'x'; LIMIT + 1]), Err(Unlawful));
        assert_eq!(credentials.name(), b"");
        assert_eq!(credentials.password_is(&[b'x'; LIMIT]), Ok(()));
    }
}
