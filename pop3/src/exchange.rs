//! AUTH (RFC 5034): what client and server say to each other until name and secret are known.

use crate::base64;
use crate::credentials::{Credentials, Proof, Unlawful};
use crate::secret::Secret;
use crate::ways::Way;

/// The longest line that answers a challenge: three times 255 octets (RFC 2595, section 6, and
/// RFC 4616 for PLAIN) and what stands between them, in base64. It has nothing to do with the
/// length of commands (RFC 5034, section 4).
pub const LONGEST_RESPONSE: usize = 1024;

/// What a response is when it is decoded.
type Message = Secret<{ LONGEST_RESPONSE / 4 * 3 }>;

/// Whose turn it is in an exchange: always the client's, with this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// PLAIN: all of it.
    Plain,
    /// LOGIN: the name.
    LoginName,
    /// LOGIN: the password.
    LoginPassword,
    /// CRAM-MD5: name and digest.
    CramMd5,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// This is to be said, and then it is the client's turn with that.
    Ask(Prompt, Exchange),
    /// The credentials are complete.
    Check,
    /// The client wants to be somebody else than the one whose password it has.
    Refuse,
}

/// A line that begins with `+ `.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// This one.
    Said(&'static [u8]),
    /// The one with the challenge.
    Challenge,
}

/// It couldn't be decoded, or isn't what the mechanism has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// `Username:` and `Password:`, in the words of those who invented it: clients look at them.
const NAME_PROMPT: Prompt = Prompt::Said(b"+ VXNlcm5hbWU6\r\n");
const PASSWORD_PROMPT: Prompt = Prompt::Said(b"+ UGFzc3dvcmQ6\r\n");

/// Begins, with what the client has said along with AUTH, if anything; `None` for a way that has
/// nothing to do with AUTH.
#[must_use]
pub fn begin(
    way: Way,
    initial: Option<&[u8]>,
    credentials: &mut Credentials,
) -> Option<Result<Next, Malformed>> {
    credentials.forget();
    let (prompt, exchange) = match way {
        Way::Plain => (Prompt::Said(b"+ \r\n"), Exchange::Plain),
        Way::Login => (NAME_PROMPT, Exchange::LoginName),
        Way::CramMd5 => (Prompt::Challenge, Exchange::CramMd5),
        Way::User | Way::Apop => return None,
    };
    Some(match initial {
        None => Ok(Next::Ask(prompt, exchange)),
        // The server's challenge comes first (RFC 5034, section 4).
        Some(_) if exchange == Exchange::CramMd5 => Err(Malformed),
        // How an initial response says that it is there and empty.
        Some(b"=") => exchange.hear(b"", credentials),
        Some(initial) => exchange.hear(initial, credentials),
    })
}

impl Exchange {
    /// Takes the client's response.
    ///
    /// # Errors
    /// It makes no sense; the exchange is over, and nothing is known.
    pub fn hear(self, response: &[u8], credentials: &mut Credentials) -> Result<Next, Malformed> {
        let next = self.take(response, credentials);
        if next.is_err() {
            credentials.forget();
        }
        next
    }

    fn take(self, response: &[u8], credentials: &mut Credentials) -> Result<Next, Malformed> {
        let mut message = Message::default();
        base64::decode(response, &mut message).map_err(|_| Malformed)?;
        match self {
            Self::Plain => plain(&message, credentials),
            Self::LoginName => {
                credentials.name_is(&message)?;
                Ok(Next::Ask(PASSWORD_PROMPT, Self::LoginPassword))
            }
            Self::LoginPassword => {
                credentials.password_is(&message)?;
                Ok(Next::Check)
            }
            Self::CramMd5 => {
                credentials.are(&message, Proof::OfChallenge)?;
                Ok(Next::Check)
            }
        }
    }
}

/// RFC 4616: who the client wants to be, who it is, its password. As nobody may be another here,
/// the first is left out, or it is the second.
fn plain(message: &[u8], credentials: &mut Credentials) -> Result<Next, Malformed> {
    let mut parts = message.split(|byte| *byte == 0);
    let (Some(wanted), Some(name), Some(password), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Malformed);
    };
    credentials.name_is(name)?;
    credentials.password_is(password)?;
    Ok(if wanted.is_empty() || wanted == name { Next::Check } else { Next::Refuse })
}

impl From<Unlawful> for Malformed {
    fn from(_: Unlawful) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base64::encode;
    use std::vec::Vec;

    fn known(credentials: &Credentials) -> (Vec<u8>, Vec<u8>, Proof) {
        (credentials.name().to_vec(), credentials.secret().to_vec(), credentials.proof())
    }

    #[test]
    fn plain() {
        let mut credentials = Credentials::default();
        let joe = (b"joe".to_vec(), b"se cret".to_vec(), Proof::Password);
        for (message, next) in [
            (&b"\0joe\0se cret"[..], Ok(Next::Check)),
            (b"joe\0joe\0se cret", Ok(Next::Check)),
            (b"root\0joe\0se cret", Ok(Next::Refuse)),
            (b"Joe\0joe\0se cret", Ok(Next::Refuse)),
            (b"", Err(Malformed)),
            (b"joe", Err(Malformed)),
            (b"joe\0se cret", Err(Malformed)),
            (b"\0joe\0", Err(Malformed)),
            (b"\0\0se cret", Err(Malformed)),
            (b"\0joe\0se cret\0", Err(Malformed)),
            (b"\0joe\0se\0cret", Err(Malformed)),
        ] {
            let text = encode(message);
            assert_eq!(Exchange::Plain.hear(&text, &mut credentials), next, "{message:?}");
            let nothing = (Vec::new(), Vec::new(), Proof::Password);
            assert_eq!(known(&credentials), if next.is_ok() { joe.clone() } else { nothing });
        }
        // The longest that there can be.
        let part = [b'x'; 255];
        let longest = [&part[..], b"\0", &part, b"\0", &part].concat();
        assert!(encode(&longest).len() <= LONGEST_RESPONSE);
        let next = Exchange::Plain.hear(&encode(&longest), &mut credentials);
        assert_eq!(next, Ok(Next::Check));
    }

    #[test]
    fn login() {
        let mut credentials = Credentials::default();
        let asked = Ok(Next::Ask(PASSWORD_PROMPT, Exchange::LoginPassword));
        assert_eq!(
            begin(Way::Login, None, &mut credentials),
            Some(Ok(Next::Ask(NAME_PROMPT, Exchange::LoginName)))
        );
        assert_eq!(Exchange::LoginName.hear(b"am9l", &mut credentials), asked);
        assert_eq!(begin(Way::Login, Some(b"am9l"), &mut credentials), Some(asked));
        let next = Exchange::LoginPassword.hear(b"c2VjcmV0", &mut credentials);
        assert_eq!(next, Ok(Next::Check));
        assert_eq!(known(&credentials), (b"joe".to_vec(), b"secret".to_vec(), Proof::Password));
        assert_eq!(Exchange::LoginName.hear(b"", &mut credentials), Err(Malformed));
        assert_eq!(begin(Way::Login, Some(b"="), &mut credentials), Some(Err(Malformed)));
        assert_eq!(Exchange::LoginPassword.hear(b"", &mut credentials), Err(Malformed));
    }

    #[test]
    fn cram_md5() {
        // RFC 2195, section 3.
        let response = b"dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw";
        let mut credentials = Credentials::default();
        assert_eq!(
            begin(Way::CramMd5, None, &mut credentials),
            Some(Ok(Next::Ask(Prompt::Challenge, Exchange::CramMd5)))
        );
        assert_eq!(Exchange::CramMd5.hear(response, &mut credentials), Ok(Next::Check));
        assert_eq!(
            known(&credentials),
            (b"tim".to_vec(), b"b913a602c7eda7a495b4e6e7334d3890".to_vec(), Proof::OfChallenge)
        );
        for initial in [&b"="[..], response] {
            let begun = begin(Way::CramMd5, Some(initial), &mut credentials);
            assert_eq!(begun, Some(Err(Malformed)));
        }
        assert_eq!(Exchange::CramMd5.hear(b"dGlt", &mut credentials), Err(Malformed));
    }

    #[test]
    fn the_first_word_may_come_with_the_command() {
        let mut credentials = Credentials::default();
        let asked = Next::Ask(Prompt::Said(b"+ \r\n"), Exchange::Plain);
        assert_eq!(begin(Way::Plain, None, &mut credentials), Some(Ok(asked)));
        let text = encode(b"\0joe\0x");
        assert_eq!(begin(Way::Plain, Some(&text), &mut credentials), Some(Ok(Next::Check)));
        for initial in ["=", "*", "AA", "AA==="] {
            let begun = begin(Way::Plain, Some(initial.as_bytes()), &mut credentials);
            assert_eq!(begun, Some(Err(Malformed)), "{initial}");
        }
        assert_eq!(begin(Way::User, None, &mut credentials), None);
        assert_eq!(begin(Way::Apop, None, &mut credentials), None);
    }
}
