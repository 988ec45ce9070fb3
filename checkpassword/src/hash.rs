//! Stored password hashes: crypt(5)'s formats, told apart, bounded and verified.
//!
//! yescrypt, gost-yescrypt and scrypt are in [`yescrypt`], SunMD5 in [`sunmd5`], NT in [`nt`], all others in [`classic`]. A stored hash
//! is whatever an administrator or a program left in a file: nothing that can stand there makes
//! this panic, run for hours or take all memory.

pub mod base64;
pub mod classic;
pub mod make;
pub mod nt;
pub mod sunmd5;
pub mod yescrypt;

use classic::Classic;
use nt::Nt;
use sunmd5::SunMd5;
use yescrypt::Yescrypt;

/// The longest hash, in bytes (libxcrypt's `CRYPT_OUTPUT_SIZE`, with its NUL).
pub const MAX: usize = 384;

/// What a password field holds.
#[derive(Debug, Clone, Copy)]
pub enum Stored<'a> {
    /// Nothing: an account without a password.
    Empty,
    /// Something that no password leads to: `!`, `*` and what follows them, or a word such as
    /// `x` or `NP` (shadow(5): "some string that is not a valid result of crypt").
    Locked,
    /// A hash that a password can be checked against.
    Hash(Hash<'a>),
}

/// A hash of a known format, within bounds.
#[derive(Debug, Clone, Copy)]
pub struct Hash<'a>(Scheme<'a>);

#[derive(Debug, Clone, Copy)]
enum Scheme<'a> {
    Yescrypt(Yescrypt<'a>),
    Classic(Classic<'a>),
    SunMd5(SunMd5<'a>),
    Nt(Nt<'a>),
}

/// Why no password can be checked against a stored hash. None of these is the user's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable<'a> {
    /// A format that isn't known here; its prefix, such as `$md5`, where it has one fit to print.
    Unknown(&'a str),
    /// A known format, but cut short or garbled.
    Malformed,
    /// A variant of a known format that the hash crates don't offer.
    Unsupported,
    /// It would take more memory or time than any password is worth.
    Costly,
}

impl Unusable<'_> {
    /// What the log says.
    #[must_use]
    pub fn reason(self) -> String {
        match self {
            Self::Unknown("") => "unknown hash format".into(),
            Self::Unknown(prefix) => format!("unknown hash format {prefix}"),
            Self::Malformed => "malformed hash".into(),
            Self::Unsupported => "unsupported variant of a hash format".into(),
            Self::Costly => "hash demands too much memory or time".into(),
        }
    }
}

impl<'a> Stored<'a> {
    /// Tells what a password field holds.
    ///
    /// # Errors
    /// A hash that can't be used, and why.
    pub fn parse(field: &'a [u8]) -> Result<Self, Unusable<'a>> {
        match field {
            [] => return Ok(Self::Empty),
            [b'!' | b'*', ..] => return Ok(Self::Locked),
            _ => {}
        }
        let text = match str::from_utf8(field) {
            Ok(text) if text.len() < MAX && text.bytes().all(|byte| byte.is_ascii_graphic()) => {
                text
            }
            _ => return Err(Unusable::Malformed),
        };
        if let Some(yescrypt) = Yescrypt::parse(text) {
            return Ok(Self::Hash(Hash(Scheme::Yescrypt(yescrypt?))));
        }
        if let Some(sunmd5) = SunMd5::parse(text) {
            return Ok(Self::Hash(Hash(Scheme::SunMd5(sunmd5?))));
        }
        if let Some(nt) = Nt::parse(text) {
            return Ok(Self::Hash(Hash(Scheme::Nt(nt?))));
        }
        if let Some(classic) = Classic::parse(text) {
            return Ok(Self::Hash(Hash(Scheme::Classic(classic?))));
        }
        // DES hashes have no prefix: what is as long as one, or longer (bigcrypt), may be a hash.
        let crypt =
            text.starts_with(['$', '_']) || (text.len() >= classic::DES && base64::is_base64(text));
        if crypt { Err(Unusable::Unknown(prefix(text))) } else { Ok(Self::Locked) }
    }
}

impl<'a> Hash<'a> {
    /// How much memory [`Hash::verify`] allocates, in bytes; a small constant is not counted.
    #[must_use]
    pub fn memory(&self) -> usize {
        match &self.0 {
            Scheme::Yescrypt(yescrypt) => yescrypt.memory(),
            Scheme::Classic(_) | Scheme::SunMd5(_) | Scheme::Nt(_) => 0,
        }
    }

    /// Whether `password` leads to this hash. Takes the same time wherever they differ.
    ///
    /// # Errors
    /// The crates see something in the hash that [`Stored::parse`] did not.
    pub fn verify(&self, password: &[u8]) -> Result<bool, Unusable<'a>> {
        match &self.0 {
            Scheme::Yescrypt(yescrypt) => yescrypt.verify(password),
            Scheme::Classic(classic) => classic.verify(password),
            Scheme::SunMd5(sunmd5) => Ok(sunmd5.verify(password)),
            Scheme::Nt(nt) => Ok(nt.verify(password)),
        }
    }
}

/// `$id` of a hash that begins with `$id$`, if it is short and plain.
fn prefix(text: &str) -> &str {
    let Some(id) = text.strip_prefix('$').and_then(|text| text.split(['$', ',']).next()) else {
        return "";
    };
    let plain = !id.is_empty() && id.len() <= 12 && id.bytes().all(|b| b.is_ascii_alphanumeric());
    if plain { &text[..=id.len()] } else { "" }
}

#[cfg(test)]
mod tests;
