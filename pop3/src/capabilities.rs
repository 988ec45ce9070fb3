//! What CAPA says (RFC 2449), in each state, true at the moment when it is asked.

use crate::ways::{Way, Ways};
use alloc::vec::Vec;
use common::{decimal, number};
use sys::Env;

/// What CAPA's answers depend on, besides the state.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings<'a> {
    /// The ways to log in: `POP3AUTH`.
    pub ways: Ways,
    /// How many seconds must lie between two logins to one account: `POP3LOGINDELAY`.
    pub login_delay: Option<u64>,
    /// What answers: `POP3IMPLEMENTATION`.
    pub implementation: Implementation<'a>,
}

/// Which name IMPLEMENTATION has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Implementation<'a> {
    /// Ours.
    #[default]
    Own,
    /// None: the capability is left out.
    Unsaid,
    /// Another one.
    Other(&'a [u8]),
}

/// More of a name than this isn't said: RFC 2449 has lines of at most 512 octets.
const LONGEST_NAME: usize = 255;

impl Settings<'static> {
    /// What the environment says. A `POP3AUTH` with a word that isn't known counts as none; a
    /// `POP3LOGINDELAY` that is 0 or no number as none, too.
    #[must_use]
    pub fn from_env(env: Env) -> Self {
        let delay = env.get(b"POP3LOGINDELAY").and_then(number::whole);
        Self {
            ways: Ways::parse(env.get(b"POP3AUTH")).unwrap_or_default(),
            login_delay: delay.filter(|seconds| *seconds > 0),
            implementation: match env.get(b"POP3IMPLEMENTATION") {
                None => Implementation::Own,
                Some(b"") => Implementation::Unsaid,
                Some(name) => Implementation::Other(name),
            },
        }
    }
}

impl Settings<'_> {
    /// The whole reply before login, where `ways` are those that are open now, and `stls` says
    /// whether TLS can begin now. TOP and UIDL are named here too: RFC 2449 has a client look for
    /// them before it logs in, though only the program after the checker answers them. What is
    /// IMPLEMENTATION, it lets a server keep from those who haven't logged in.
    #[must_use]
    pub fn before_login(&self, ways: Ways, stls: bool) -> Vec<u8> {
        let mut reply = self.in_both(ways);
        if stls {
            reply.extend_from_slice(b"STLS\r\n");
        }
        reply.extend_from_slice(b".\r\n");
        reply
    }

    /// The whole reply after login. USER and SASL are named here too (RFC 2449, section 6.2; RFC
    /// 5034, section 3), STLS is not (RFC 2595, section 4).
    #[must_use]
    pub fn after_login(&self) -> Vec<u8> {
        let mut reply = self.in_both(self.ways);
        let mut say = |name: &[u8]| {
            reply.extend_from_slice(b"IMPLEMENTATION ");
            let shown = name.iter().filter(|byte| matches!(byte, b' '..=b'~'));
            reply.extend(shown.take(LONGEST_NAME));
            reply.extend_from_slice(b"\r\n");
        };
        match self.implementation {
            Implementation::Own => say(b"daemontools-rs"),
            Implementation::Unsaid => {}
            Implementation::Other(name) => say(name),
        }
        reply.extend_from_slice(b".\r\n");
        reply
    }

    fn in_both(&self, ways: Ways) -> Vec<u8> {
        let mut reply = b"+OK these are on offer\r\nTOP\r\nUIDL\r\n".to_vec();
        if ways.contains(Way::User) {
            reply.extend_from_slice(b"USER\r\n");
        }
        if ways.mechanisms().next().is_some() {
            reply.extend_from_slice(b"SASL");
            for name in ways.mechanisms() {
                reply.push(b' ');
                reply.extend_from_slice(name);
            }
            reply.extend_from_slice(b"\r\n");
        }
        if let Some(seconds) = self.login_delay {
            reply.extend_from_slice(b"LOGIN-DELAY ");
            reply.extend_from_slice(decimal(seconds).as_bytes());
            reply.extend_from_slice(b"\r\n");
        }
        reply.extend_from_slice(
            b"PIPELINING\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nUTF8 USER\r\nLANG\r\nEXPIRE NEVER\r\n",
        );
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn text(reply: Vec<u8>) -> String {
        String::from_utf8(reply).unwrap().replace("\r\n", " ")
    }

    #[test]
    fn each_state() {
        let settings = Settings::default();
        let rest = "PIPELINING RESP-CODES AUTH-RESP-CODE UTF8 USER LANG EXPIRE NEVER";
        assert_eq!(
            text(settings.before_login(settings.ways, false)),
            std::format!("+OK these are on offer TOP UIDL USER SASL PLAIN LOGIN {rest} . ")
        );
        assert_eq!(
            text(settings.before_login(Ways::NONE, true)),
            std::format!("+OK these are on offer TOP UIDL {rest} STLS . ")
        );
        assert_eq!(
            text(settings.after_login()),
            std::format!(
                "+OK these are on offer TOP UIDL USER SASL PLAIN LOGIN {rest} \
                 IMPLEMENTATION daemontools-rs . "
            )
        );
    }

    #[test]
    fn what_the_environment_says() {
        let with = |entry: &std::ffi::CStr| {
            Settings::from_env(Env::new(std::vec![entry.to_owned()])).after_login()
        };
        let has = |entry, line: &str| text(with(entry)).contains(&std::format!(" {line} "));
        assert!(has(c"POP3AUTH=apop cram-md5", "SASL CRAM-MD5"));
        assert!(!has(c"POP3AUTH=apop cram-md5", "UIDL USER"));
        assert!(!has(c"POP3AUTH=apop", "SASL"));
        assert!(has(c"POP3LOGINDELAY=60", "LOGIN-DELAY 60"));
        for none in [c"POP3LOGINDELAY=0", c"POP3LOGINDELAY=", c"POP3LOGINDELAY=x", c"A=b"] {
            assert!(!text(with(none)).contains("LOGIN-DELAY"));
        }
        assert!(!text(with(c"POP3IMPLEMENTATION=")).contains("IMPLEMENTATION"));
        assert!(has(c"POP3IMPLEMENTATION=Mail at h\r\n.\r\n", "IMPLEMENTATION Mail at h."));
        let long = std::ffi::CString::new(["POP3IMPLEMENTATION=", &"x".repeat(9999)].concat());
        assert!(with(&long.unwrap()).split(|byte| *byte == b'\n').all(|line| line.len() < 512));
    }
}
