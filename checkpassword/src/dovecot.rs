//! Dovecot's side of the checkpassword interface (its `checkpassword` passdb and userdb).
//!
//! Dovecot runs a checker with its own `checkpassword-reply` as the program, which reports to it
//! what it finds in the environment. Two things are different then. The checker doesn't become the user: who has
//! only a user's rights could have been tampered with by that user, so Dovecot refuses such an answer; the ids are
//! told instead (`userdb_uid`, `userdb_gid`, named in `EXTRA`). And Dovecot also asks without a password,
//! with `AUTHORIZED=1`: who is this user, or what is their secret; a checker that knows this answers with
//! `AUTHORIZED=2`, and exit code 3 means that there is no such user.

use crate::REFUSED;
use crate::handover::{Ids, User};
use common::Exit;
use common::decimal;
use common::env::Environment;
use sys::{Args, Env};

/// There is no such user: for Dovecot only, where no password was asked for.
pub const UNKNOWN: Exit = Exit(3);

/// The program that Dovecot names.
const REPLY: &[u8] = b"checkpassword-reply";

/// Who asks, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The chain: is the password right, and then run the program as the user.
    Session,
    /// Dovecot: is the password right.
    Password,
    /// Dovecot: who is it.
    Account,
    /// Dovecot: what is the secret, in clear; for mechanisms that need it.
    Secret,
}

impl Question {
    /// What the program in `command` and the variables ask.
    ///
    /// `AUTHORIZED` means nothing before any other program: nobody gets a session without a password by a variable that
    /// happens to be there.
    #[must_use]
    pub fn of(command: Args, env: Env) -> Self {
        let program = command.get(0).map_or(&b""[..], |program| program.to_bytes());
        let is = |name: &[u8]| env.get(name) == Some(b"1");
        Self::asked(program, is(b"AUTHORIZED"), is(b"CREDENTIALS_LOOKUP"))
    }

    fn asked(program: &[u8], authorized: bool, credentials: bool) -> Self {
        let name = program.rsplit(|byte| *byte == b'/').next();
        match (name == Some(REPLY), authorized, credentials) {
            (false, _, _) => Self::Session,
            (true, false, _) => Self::Password,
            (true, true, false) => Self::Account,
            (true, true, true) => Self::Secret,
        }
    }

    /// Whether a password came with it.
    #[must_use]
    pub fn has_password(self) -> bool {
        matches!(self, Self::Session | Self::Password)
    }

    /// What the user wants to use: POP3, but where Dovecot says otherwise.
    #[must_use]
    pub fn service(self, env: Env) -> &'static [u8] {
        match env.get(b"SERVICE") {
            Some(service) if self != Self::Session => service,
            Some(_) | None => b"pop3",
        }
    }

    /// The exit code that says no.
    #[must_use]
    pub fn no(self) -> Exit {
        if self.has_password() { REFUSED } else { UNKNOWN }
    }

    /// Adds what `checkpassword-reply` reports of `user`.
    pub(crate) fn answer(self, user: &User, secret: &[u8], environment: &mut Environment) {
        let mut extra: Vec<u8> = environment.get(b"EXTRA").unwrap_or_default().to_vec();
        let mut tell = |name: &[u8], value: &[u8]| {
            environment.set(name, value);
            if !extra.is_empty() {
                extra.push(b' ');
            }
            extra.extend_from_slice(name);
        };
        if let Some(Ids { uid, gid, groups }) = &user.ids {
            tell(b"userdb_uid", decimal(u64::from(*uid)).as_bytes());
            tell(b"userdb_gid", decimal(u64::from(*gid)).as_bytes());
            if groups.iter().any(|group| group != gid) {
                tell(b"userdb_system_groups_user", &user.name);
            }
        }
        if self == Self::Secret {
            tell(b"password", &[b"{PLAIN}", secret].concat());
        }
        environment.set(b"EXTRA", &extra);
        if !self.has_password() {
            environment.set(b"AUTHORIZED", b"2");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_and_for_what() {
        for (program, authorized, credentials, question) in [
            ("qmail-pop3d", false, false, Question::Session),
            ("qmail-pop3d", true, true, Question::Session),
            ("/usr/lib/dovecot/checkpassword-reply/x", true, false, Question::Session),
            ("/usr/lib/dovecot/checkpassword-reply", false, false, Question::Password),
            ("/usr/lib/dovecot/checkpassword-reply", false, true, Question::Password),
            ("checkpassword-reply", true, false, Question::Account),
            ("checkpassword-reply", true, true, Question::Secret),
        ] {
            assert_eq!(
                Question::asked(program.as_bytes(), authorized, credentials),
                question,
                "{program}"
            );
            assert_eq!(question.no(), if question.has_password() { Exit(1) } else { Exit(3) });
        }
    }

    #[test]
    fn what_is_told() {
        let ids = Some(Ids { uid: 1000, gid: 100, groups: vec![100, 101] });
        let user = User { name: b"joe".to_vec(), ids, home: b"/h".to_vec(), shell: Vec::new() };
        let alone =
            User { ids: Some(Ids { uid: 1000, gid: 100, groups: vec![100] }), ..user.clone() };
        let nobody = User { ids: None, ..user.clone() };
        let all = "userdb_uid userdb_gid userdb_system_groups_user";
        for (question, user, before, extra, authorized, password) in [
            (Question::Password, &user, "", all, None, None),
            (Question::Password, &nobody, "", "", None, None),
            (Question::Account, &alone, "more", "more userdb_uid userdb_gid", Some("2"), None),
            (
                Question::Secret,
                &alone,
                "",
                "userdb_uid userdb_gid password",
                Some("2"),
                Some("{PLAIN}se cret"),
            ),
        ] {
            let mut environment = Environment::empty();
            environment.set(b"EXTRA", before.as_bytes());
            question.answer(user, b"se cret", &mut environment);
            let value = |name: &str| {
                environment.get(name.as_bytes()).map(|value| str::from_utf8(value).expect("text"))
            };
            assert_eq!(value("EXTRA"), Some(extra));
            assert_eq!((value("AUTHORIZED"), value("password")), (authorized, password));
            assert_eq!(value("userdb_uid"), user.ids.as_ref().map(|_| "1000"));
            assert_eq!(value("userdb_gid"), user.ids.as_ref().map(|_| "100"));
        }
    }
}
