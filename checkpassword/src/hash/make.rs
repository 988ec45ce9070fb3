//! New hashes, as Debian's passwd would make them.

use super::{Unusable, base64, yescrypt};
use pwhash::sha512_crypt;
use sys::Errno;
use sys::rand::{GetRandomFlags, getrandom};
use zeroize::Zeroizing;

/// What a new hash is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `$y$j9T$`: Debian's default, 16 MiB.
    Yescrypt,
    /// `$6$`, 5000 rounds: where each login must do with less memory.
    Sha512,
}

/// Why there is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmade {
    /// The system gives no random numbers.
    Random(Errno),
    /// The crate refuses.
    Refused(Unusable<'static>),
}

impl Scheme {
    /// The scheme that mkpasswd(1) and crypt(5) call so.
    #[must_use]
    pub fn called(name: &[u8]) -> Option<Self> {
        match name {
            b"yescrypt" => Some(Self::Yescrypt),
            b"sha512crypt" | b"sha-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// How much memory [`Scheme::hash`] allocates, in bytes; a small constant is not counted.
    #[must_use]
    pub fn memory(self) -> usize {
        match self {
            Self::Yescrypt => yescrypt::MADE_MEMORY,
            Self::Sha512 => 0,
        }
    }

    /// A hash of `password` with a salt that no other has.
    ///
    /// # Errors
    /// No random numbers; or the crate refuses.
    pub fn hash(self, password: &[u8]) -> Result<Zeroizing<String>, Unmade> {
        let mut salt = [0; 16];
        let mut filled = 0;
        while filled < salt.len() {
            match getrandom(&mut salt[filled..], GetRandomFlags::empty()) {
                Ok(count) => filled += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(Unmade::Random(errno)),
            }
        }
        self.with(password, salt)
    }

    fn with(self, password: &[u8], salt: [u8; 16]) -> Result<Zeroizing<String>, Unmade> {
        match self {
            Self::Yescrypt => yescrypt::made(password, &salt).map_err(Unmade::Refused),
            Self::Sha512 => {
                let setting = format!("$6${}", base64::encode(&salt[..12]));
                let hash = sha512_crypt::hash_with(setting.as_str(), password);
                hash.map(Zeroizing::new).map_err(|_| Unmade::Refused(Unusable::Unsupported))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Stored;

    #[test]
    fn what_is_made_is_verified() {
        for (name, scheme, prefix) in [
            (&b"yescrypt"[..], Scheme::Yescrypt, "$y$j9T$"),
            (b"sha512crypt", Scheme::Sha512, "$6$"),
        ] {
            assert_eq!(Scheme::called(name), Some(scheme));
            let (one, other) = (
                scheme.hash(b"se cret").expect("a hash"),
                scheme.hash(b"se cret").expect("a hash"),
            );
            assert!(one.starts_with(prefix) && one != other, "{} {}", *one, *other);
            let Ok(Stored::Hash(hash)) = Stored::parse(one.as_bytes()) else { panic!("{}", *one) };
            assert_eq!((hash.verify(b"se cret"), hash.verify(b"secret")), (Ok(true), Ok(false)));
            assert_eq!(hash.memory(), scheme.memory());
        }
        assert_eq!(Scheme::called(b"md5crypt"), None);
    }
}
