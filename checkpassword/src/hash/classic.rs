//! The hashes that cost only time: SHA-512, SHA-256, bcrypt, MD5, SHA-1, and the two of DES that
//! old hosts still have, all computed by the `pwhash` crate.

use super::{Unusable, base64};
use ctutils::CtEq;
use pwhash::{bcrypt, bsdi_crypt, md5_crypt, sha1_crypt, sha256_crypt, sha512_crypt, unix_crypt};
use zeroize::Zeroizing;

/// The length of a traditional DES hash, salt included.
pub const DES: usize = 13;

/// The most rounds of SHA-512, SHA-256 or SHA-1: 4,000 times the default, some 10 s.
pub const MAX_ROUNDS: u64 = 20_000_000;

/// bcrypt's highest cost here: 2^18 rounds, some 20 s. (The default is 5 to 12.)
pub const MAX_BCRYPT: u64 = 18;

/// A hash of one of these formats.
#[derive(Debug, Clone, Copy)]
pub struct Classic<'a> {
    format: Format,
    text: &'a str,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Sha512,
    Sha256,
    Bcrypt,
    Md5,
    Sha1,
    Bsdi,
    Des,
}

impl<'a> Classic<'a> {
    /// Recognises a hash; `None` if it is none of these. Any text is allowed.
    ///
    /// # Errors
    /// Inside: malformed, a variant that the crate hasn't got, or beyond the bounds.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Result<Self, Unusable<'a>>> {
        let (format, check) = if let Some(rest) = text.strip_prefix("$6$") {
            (Format::Sha512, sha2(rest, 86))
        } else if let Some(rest) = text.strip_prefix("$5$") {
            (Format::Sha256, sha2(rest, 43))
        } else if let Some(rest) = text.strip_prefix("$1$") {
            (Format::Md5, salt_and_result(rest, 22))
        } else if let Some(rest) = text.strip_prefix("$sha1$") {
            (Format::Sha1, sha1(rest))
        } else if let Some(rest) = bcrypt_prefix(text) {
            (Format::Bcrypt, bcrypt(rest))
        } else if let Some(rest) = text.strip_prefix('_') {
            (Format::Bsdi, if rest.len() == 19 { digits(rest) } else { Err(Unusable::Malformed) })
        } else if text.len() == DES && base64::is_base64(text) {
            (Format::Des, Ok(()))
        } else {
            return None;
        };
        Some(check.map(|()| Self { format, text }))
    }

    /// Whether `password` leads to this hash.
    ///
    /// # Errors
    /// The crate refuses the hash.
    pub fn verify(&self, password: &[u8]) -> Result<bool, Unusable<'a>> {
        // The hashes of old hosts are deprecated in the crate as they are everywhere: for new
        // passwords. These are old ones.
        #[expect(deprecated, reason = "old passwords, which their owners still have")]
        let computed = match self.format {
            Format::Sha512 => sha512_crypt::hash_with(self.text, password),
            Format::Sha256 => sha256_crypt::hash_with(self.text, password),
            Format::Bcrypt => bcrypt::hash_with(self.text, password),
            Format::Md5 => md5_crypt::hash_with(self.text, password),
            Format::Sha1 => sha1_crypt::hash_with(self.text, password),
            Format::Bsdi => bsdi_crypt::hash_with(self.text, password),
            Format::Des => unix_crypt::hash_with(self.text, password),
        };
        let computed = Zeroizing::new(computed.map_err(|_| Unusable::Malformed)?);
        Ok(computed.as_bytes().ct_eq(self.text.as_bytes()).into())
    }
}

/// `[rounds=N$]SALT$RESULT`.
fn sha2(rest: &str, length: usize) -> Result<(), Unusable<'static>> {
    let Some(rest) = rest.strip_prefix("rounds=") else { return salt_and_result(rest, length) };
    let (count, rest) = rest.split_once('$').ok_or(Unusable::Malformed)?;
    rounds(count)?;
    salt_and_result(rest, length)
}

/// `ROUNDS$SALT$RESULT`.
fn sha1(rest: &str) -> Result<(), Unusable<'static>> {
    let (count, rest) = rest.split_once('$').ok_or(Unusable::Malformed)?;
    rounds(count)?;
    salt_and_result(rest, 28)
}

fn rounds(count: &str) -> Result<(), Unusable<'static>> {
    match common::number::whole(count.as_bytes()) {
        None | Some(0) => Err(Unusable::Malformed),
        Some(rounds) if rounds > MAX_ROUNDS => Err(Unusable::Costly),
        Some(_) => Ok(()),
    }
}

fn salt_and_result(rest: &str, length: usize) -> Result<(), Unusable<'static>> {
    let (salt, result) = rest.split_once('$').ok_or(Unusable::Malformed)?;
    digits(result)?;
    if result.len() != length {
        return Err(Unusable::Malformed);
    }
    // libxcrypt takes any character in a salt; the crate only those that programs put there.
    if base64::is_base64(salt) { Ok(()) } else { Err(Unusable::Unsupported) }
}

/// What follows `$2b$` or its kin. Not `$2x$`, which marks the hashes of a broken bcrypt.
fn bcrypt_prefix(text: &str) -> Option<&str> {
    ["$2b$", "$2a$", "$2y$"].iter().find_map(|prefix| text.strip_prefix(prefix))
}

/// `COST$SALTRESULT`: 2 digits, 22 characters, 31 characters.
fn bcrypt(rest: &str) -> Result<(), Unusable<'static>> {
    let (cost, rest) = rest.split_once('$').ok_or(Unusable::Malformed)?;
    let cost = common::number::whole(cost.as_bytes()).filter(|_| cost.len() == 2);
    digits(rest)?;
    match cost {
        Some(4..=MAX_BCRYPT) if rest.len() == 53 => Ok(()),
        Some(19..=31) if rest.len() == 53 => Err(Unusable::Costly),
        _ => Err(Unusable::Malformed),
    }
}

fn digits(text: &str) -> Result<(), Unusable<'static>> {
    if base64::is_base64(text) { Ok(()) } else { Err(Unusable::Malformed) }
}
