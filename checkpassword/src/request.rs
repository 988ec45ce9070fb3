//! What comes on descriptor 3: `login NUL password NUL timestamp NUL`. For APOP and CRAM-MD5 the
//! second field is the client's digest and the third what it was made with (`digest`).

use crate::{MISUSED, REFUSED};
use common::{Exit, Failure, Name};
use core::ops::Range;
use sys::Errno;
use sys::io::{FdFlags, fcntl_setfd};
use zeroize::Zeroizing;

/// The most that may come; with one byte more it is a bad login.
pub const MAX: usize = 512;

/// A login name, a password and a timestamp, wiped from memory when dropped.
pub struct Request {
    buffer: Zeroizing<Vec<u8>>,
    login: Range<usize>,
    password: Range<usize>,
    timestamp: Range<usize>,
}

impl Request {
    /// Reads descriptor 3 to its end, and sees to it that nobody after us has it.
    ///
    /// # Errors
    /// Exit code 1 for more than [`MAX`] bytes, 2 where login or password lack their NUL, 111 if
    /// the descriptor can't be read (it isn't open, say).
    pub fn receive(name: Name) -> Result<Self, Failure> {
        let trouble = |errno| {
            name.fatal_errno(
                Exit::TEMPORARY.0,
                &[b"unable to read login and password from descriptor 3"],
                errno,
            )
        };
        let descriptor = sys::borrow(3).ok_or_else(|| trouble(Errno::BADF))?;
        // As good as closed: all that we run, we exec.
        fcntl_setfd(descriptor, FdFlags::CLOEXEC).map_err(trouble)?;
        // One byte more than allowed, and never moved: no copy of the password is left behind.
        let mut buffer = Zeroizing::new(vec![0; MAX + 1]);
        let mut length = 0;
        loop {
            match sys::read(descriptor, &mut buffer[length..]).map_err(trouble)? {
                0 => break,
                more => length += more,
            }
            if length > MAX {
                return Err(Failure::silent(REFUSED.0));
            }
        }
        let Some(Fields { login, password, timestamp }) = fields(&buffer[..length]) else {
            let text: &[u8] =
                b"unable to read login and password from descriptor 3: not NUL-terminated";
            return Err(name.fatal(MISUSED.0, &[text]));
        };
        Ok(Self { buffer, login, password, timestamp })
    }

    /// The login name, as the client sent it.
    #[must_use]
    pub fn login(&self) -> &[u8] {
        &self.buffer[self.login.clone()]
    }

    /// The password; or, where the client keeps that to itself, the digest that proves it knows it.
    #[must_use]
    pub fn password(&self) -> &[u8] {
        &self.buffer[self.password.clone()]
    }

    /// What a digest was made with: the banner's timestamp, or a challenge. Empty if none came.
    #[must_use]
    pub fn timestamp(&self) -> &[u8] {
        &self.buffer[self.timestamp.clone()]
    }
}

/// Where the fields of a request stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) login: Range<usize>,
    pub(crate) password: Range<usize>,
    pub(crate) timestamp: Range<usize>,
}

/// Finds them; login and password must be there. The timestamp may be missing or lack its NUL: the original never looked
/// at it. Whatever follows is of no interest.
pub(crate) fn fields(data: &[u8]) -> Option<Fields> {
    let end = |start: usize| data[start..].iter().position(|byte| *byte == 0).map(|at| start + at);
    let login = end(0)?;
    let password = end(login + 1)?;
    let timestamp = password + 1..end(password + 1).unwrap_or(data.len());
    Some(Fields { login: 0..login, password: login + 1..password, timestamp })
}

/// A name that a client sent, fit for a log: what isn't printable ASCII becomes `?`, and what is
/// longer than 100 bytes is cut.
#[must_use]
pub fn printable(name: &[u8]) -> Vec<u8> {
    let visible = |byte: &u8| if byte.is_ascii_graphic() { *byte } else { b'?' };
    let mut text: Vec<u8> = name.iter().take(100).map(visible).collect();
    if name.len() > 100 {
        text.extend_from_slice(b"...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
        fields(data).map(|f| (&data[f.login], &data[f.password], &data[f.timestamp]))
    }

    #[test]
    fn login_and_password_each_end_with_a_nul() {
        let joe = |timestamp: &'static [u8]| Some((&b"joe"[..], &b"secret"[..], timestamp));
        assert_eq!(parsed(b"joe\0secret\0Y123\0"), joe(b"Y123"));
        assert_eq!(parsed(b"joe\0secret\0Y123\0more\0"), joe(b"Y123"));
        assert_eq!(parsed(b"joe\0secret\0Y123"), joe(b"Y123"));
        assert_eq!(parsed(b"joe\0secret\0"), joe(b""));
        assert_eq!(parsed(b"\0\0"), Some((&b""[..], &b""[..], &b""[..])));
        for broken in [&b""[..], b"joe", b"joe\0", b"joe\0secret"] {
            assert_eq!(parsed(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn names_in_logs_are_printable_and_short() {
        assert_eq!(printable(b"joe@example.org"), b"joe@example.org");
        assert_eq!(printable(b"a b\n\xFF"), b"a?b??");
        assert_eq!(printable(&[b'a'; 101]).len(), 103);
    }

    proptest! {
        #[test]
        fn what_was_sent_is_found(login in "[^\0]{0,99}", password in "[^\0]{0,99}", rest: Vec<u8>) {
            let mut data = format!("{login}\0{password}\0").into_bytes();
            data.extend(&rest);
            let timestamp = rest.split(|byte| *byte == 0).next().unwrap_or_default();
            prop_assert_eq!(parsed(&data), Some((login.as_bytes(), password.as_bytes(), timestamp)));
        }
    }
}
