//! The state before login (RFC 1939: AUTHORIZATION), pure: a line in, an effect out.
//!
//! APOP, STLS and AUTH have their verbs and are refused: none is on offer yet.

use crate::command::{Command, Syntax, Verb};
use crate::language;
use crate::line::{LIMIT, Line};

/// What to do about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect<'a> {
    /// Say this, and go on.
    Say(&'static [u8]),
    /// Say what is on offer.
    Capa,
    /// Say this, and close.
    Bye(&'static [u8]),
    /// Let the checker judge the name ([`Login::user`]) and this password.
    Check(&'a [u8]),
}

/// Who is trying to log in.
pub struct Login {
    name: [u8; LIMIT],
    length: usize,
}

impl Default for Login {
    fn default() -> Self {
        Self { name: [0; LIMIT], length: 0 }
    }
}

impl Login {
    /// The name that USER gave; empty before that.
    #[must_use]
    pub fn user(&self) -> &[u8] {
        &self.name[..self.length]
    }

    /// Answers a line.
    pub fn handle<'a>(&mut self, line: Line<'a>) -> Effect<'a> {
        let Line::Whole(line) = line else { return Effect::Say(b"-ERR line too long\r\n") };
        self.obey(Command::parse(line)).unwrap_or(Effect::Say(b"-ERR syntax error\r\n"))
    }

    fn obey<'a>(&mut self, command: Command<'a>) -> Result<Effect<'a>, Syntax> {
        let Some(verb) = command.verb else { return Ok(LOGIN_FIRST) };
        Ok(match verb {
            Verb::User => {
                self.remember(command.name()?);
                Effect::Say(b"+OK\r\n")
            }
            Verb::Pass if self.length == 0 => Effect::Say(b"-ERR USER first\r\n"),
            Verb::Pass => Effect::Check(command.password()?),
            Verb::Apop => Effect::Say(b"-ERR APOP is not on offer\r\n"),
            Verb::Auth => Effect::Say(b"-ERR AUTH is not on offer\r\n"),
            Verb::Stls => Effect::Say(b"-ERR TLS is not on offer\r\n"),
            Verb::Utf8 => {
                command.alone()?;
                Effect::Say(b"+OK\r\n")
            }
            Verb::Capa => {
                command.alone()?;
                Effect::Capa
            }
            Verb::Lang => Effect::Say(language::reply(command.language()?)),
            Verb::Noop => {
                command.alone()?;
                Effect::Say(b"+OK\r\n")
            }
            Verb::Quit => {
                command.alone()?;
                Effect::Bye(b"+OK\r\n")
            }
            Verb::Stat
            | Verb::List
            | Verb::Retr
            | Verb::Dele
            | Verb::Rset
            | Verb::Last
            | Verb::Top
            | Verb::Uidl => LOGIN_FIRST,
        })
    }

    fn remember(&mut self, name: &[u8]) {
        self.length = name.len().min(LIMIT);
        self.name[..self.length].copy_from_slice(&name[..self.length]);
    }
}

const LOGIN_FIRST: Effect<'_> = Effect::Say(b"-ERR authorization first\r\n");

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    /// The replies to a dialogue, a letter for what follows: `?` the checker, `.` the end.
    fn dialogue(lines: &[&[u8]]) -> Vec<u8> {
        let mut login = Login::default();
        let mut out = Vec::new();
        for line in lines {
            match login.handle(Line::Whole(line)) {
                Effect::Say(reply) => out.extend_from_slice(reply),
                Effect::Capa => out.extend_from_slice(b"CAPA"),
                Effect::Bye(reply) => {
                    out.extend_from_slice(reply);
                    out.push(b'.');
                }
                Effect::Check(password) => {
                    out.push(b'?');
                    out.extend_from_slice(login.user());
                    out.push(b'/');
                    out.extend_from_slice(password);
                }
            }
        }
        out
    }

    #[test]
    fn the_whole_table() {
        let first = &b"-ERR authorization first\r\n"[..];
        let syntax = &b"-ERR syntax error\r\n"[..];
        let ok = &b"+OK\r\n"[..];
        for (line, reply) in [
            (&b"user joe"[..], ok),
            (b"user", syntax),
            (b"user ", syntax),
            (b"user a\0b", syntax),
            (b"pass x", b"-ERR USER first\r\n"),
            (b"pass", b"-ERR USER first\r\n"),
            (b"apop joe 0123456789abcdef0123456789abcdef", b"-ERR APOP is not on offer\r\n"),
            (b"auth", b"-ERR AUTH is not on offer\r\n"),
            (b"auth plain AGEAYg==", b"-ERR AUTH is not on offer\r\n"),
            (b"stls", b"-ERR TLS is not on offer\r\n"),
            (b"capa", b"CAPA"),
            (b"capa x", syntax),
            (b"noop", ok),
            (b"noop x", syntax),
            (b"quit", b"+OK\r\n."),
            (b"quit x", syntax),
            (b"stat", first),
            (b"list x", first),
            (b"retr", first),
            (b"dele 1", first),
            (b"rset", first),
            (b"last", first),
            (b"top", first),
            (b"uidl", first),
            (b"utf8", ok),
            (b"xyzzy", first),
            (b"", first),
        ] {
            assert_eq!(dialogue(&[line]), reply, "{:?}", std::str::from_utf8(line));
        }
        assert_eq!(Login::default().handle(Line::TooLong), Effect::Say(b"-ERR line too long\r\n"));
    }

    #[test]
    fn name_then_password() {
        assert_eq!(dialogue(&[b"USER joe", b"PASS se cret"]), b"+OK\r\n?joe/se cret");
        assert_eq!(dialogue(&[b"user joe", b"noop", b"pass x"]), b"+OK\r\n+OK\r\n?joe/x");
        assert_eq!(dialogue(&[b"user joe", b"user ann", b"pass x"]), b"+OK\r\n+OK\r\n?ann/x");
        assert_eq!(
            dialogue(&[b"user joe", b"pass", b"pass x"]),
            b"+OK\r\n-ERR syntax error\r\n?joe/x"
        );
    }
}
