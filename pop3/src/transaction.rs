//! The state after login (RFC 1939: TRANSACTION), pure: a line in, an effect out. What it knows of
//! the maildrop is how many messages there are and which are marked as deleted.

use crate::command::{Command, Syntax, Verb};
use crate::language;
use crate::line::Line;
use alloc::vec;
use alloc::vec::Vec;

/// What to do about a line. Messages count from 0 here, from 1 on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Say this.
    Say(&'static [u8]),
    /// Say what is on offer.
    Capa,
    /// Say how many messages aren't deleted, and their octets.
    Stat,
    /// Say the size of each message that isn't deleted.
    ListAll,
    /// Say the size of this one.
    List(usize),
    /// Say the unique id of each message that isn't deleted.
    UidlAll,
    /// Say the unique id of this one.
    Uidl(usize),
    /// Send this message.
    Retr(usize),
    /// Send its header and so many lines of its body.
    Top(usize, u64),
    /// Say this number.
    Last(usize),
    /// Update the maildrop, say how that went, and close.
    Quit,
}

/// What has to be known of the maildrop before a line can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// Nothing.
    Nothing,
    /// Which messages there are.
    Messages,
    /// That, and their sizes.
    Sizes,
}

impl Wants {
    /// What this line wants.
    #[must_use]
    pub fn of(line: Line<'_>) -> Self {
        let Line::Whole(line) = line else { return Self::Nothing };
        let Some(verb) = Command::parse(line).verb else { return Self::Nothing };
        match verb {
            Verb::Stat | Verb::List => Self::Sizes,
            Verb::Retr | Verb::Dele | Verb::Top | Verb::Uidl | Verb::Quit => Self::Messages,
            Verb::User
            | Verb::Pass
            | Verb::Apop
            | Verb::Auth
            | Verb::Stls
            | Verb::Utf8
            | Verb::Lang
            | Verb::Capa
            | Verb::Noop
            | Verb::Rset
            | Verb::Last => Self::Nothing,
        }
    }
}

/// What a session has asked for so far.
pub struct Transaction {
    messages: usize,
    /// A bit for each message.
    deleted: Vec<u64>,
    kept: usize,
    last: usize,
}

impl Transaction {
    /// A session with so many messages, none of them deleted.
    #[must_use]
    pub fn new(messages: usize) -> Self {
        let deleted = vec![0; messages.div_ceil(64)];
        Self { messages, deleted, kept: messages, last: 0 }
    }

    /// How many messages aren't marked as deleted.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Whether a message is marked as deleted.
    #[must_use]
    pub fn is_deleted(&self, message: usize) -> bool {
        self.deleted.get(message / 64).is_some_and(|bits| bits >> (message % 64) & 1 == 1)
    }

    /// The messages that aren't marked as deleted.
    pub fn all_kept(&self) -> impl Iterator<Item = usize> {
        (0..self.messages).filter(|message| !self.is_deleted(*message))
    }

    /// The messages that are marked as deleted.
    pub fn all_deleted(&self) -> impl Iterator<Item = usize> {
        (0..self.messages).filter(|message| self.is_deleted(*message))
    }

    /// Answers a line.
    pub fn handle(&mut self, line: Line<'_>) -> Effect {
        let Line::Whole(line) = line else { return Effect::Say(b"-ERR line too long\r\n") };
        let effect = self.obey(Command::parse(line));
        effect.unwrap_or_else(|refusal| {
            Effect::Say(match refusal {
                Refusal::Unknown => b"-ERR unknown command\r\n",
                Refusal::LoggedIn => b"-ERR already logged in\r\n",
                Refusal::Syntax => b"-ERR syntax error\r\n",
                Refusal::NoMessage => b"-ERR no such message\r\n",
                Refusal::Deleted => b"-ERR that message is deleted\r\n",
            })
        })
    }

    fn obey(&mut self, command: Command<'_>) -> Result<Effect, Refusal> {
        Ok(match command.verb.ok_or(Refusal::Unknown)? {
            Verb::Stat => {
                command.alone()?;
                Effect::Stat
            }
            Verb::List => match command.optional_number()? {
                None => Effect::ListAll,
                Some(number) => Effect::List(self.message(number)?),
            },
            Verb::Uidl => match command.optional_number()? {
                None => Effect::UidlAll,
                Some(number) => Effect::Uidl(self.message(number)?),
            },
            Verb::Retr => Effect::Retr(self.message(command.number()?)?),
            Verb::Top => {
                let (number, lines) = command.two_numbers()?;
                Effect::Top(self.message(number)?, lines)
            }
            Verb::Dele => {
                let message = self.message(command.number()?)?;
                self.deleted[message / 64] |= 1 << (message % 64);
                self.kept -= 1;
                // Of the commands that access a message only this one counts, as in the original.
                self.last = self.last.max(message + 1);
                Effect::Say(b"+OK\r\n")
            }
            Verb::Rset => {
                command.alone()?;
                self.deleted.fill(0);
                self.kept = self.messages;
                self.last = 0;
                Effect::Say(b"+OK\r\n")
            }
            Verb::Last => {
                command.alone()?;
                Effect::Last(self.last)
            }
            Verb::Noop => {
                command.alone()?;
                Effect::Say(b"+OK\r\n")
            }
            Verb::Capa => {
                command.alone()?;
                Effect::Capa
            }
            Verb::Lang => Effect::Say(language::reply(command.language()?)),
            Verb::Quit => {
                command.alone()?;
                Effect::Quit
            }
            Verb::User | Verb::Pass | Verb::Apop | Verb::Auth | Verb::Stls | Verb::Utf8 => {
                return Err(Refusal::LoggedIn);
            }
        })
    }

    /// The message that a client means by `number`.
    fn message(&self, number: u64) -> Result<usize, Refusal> {
        let message = number.checked_sub(1).and_then(|message| usize::try_from(message).ok());
        let message = message.filter(|message| *message < self.messages);
        let message = message.ok_or(Refusal::NoMessage)?;
        if self.is_deleted(message) { Err(Refusal::Deleted) } else { Ok(message) }
    }
}

/// Why nothing is done.
enum Refusal {
    Unknown,
    LoggedIn,
    Syntax,
    NoMessage,
    Deleted,
}

impl From<Syntax> for Refusal {
    fn from(_: Syntax) -> Self {
        Self::Syntax
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::format;

    const OK: Effect = Effect::Say(b"+OK\r\n");
    const SYNTAX: Effect = Effect::Say(b"-ERR syntax error\r\n");
    const NONE: Effect = Effect::Say(b"-ERR no such message\r\n");
    const DELETED: Effect = Effect::Say(b"-ERR that message is deleted\r\n");
    const LOGGED_IN: Effect = Effect::Say(b"-ERR already logged in\r\n");
    const UNKNOWN: Effect = Effect::Say(b"-ERR unknown command\r\n");

    #[test]
    fn the_whole_table() {
        for (line, effect) in [
            ("stat", Effect::Stat),
            ("stat 1", SYNTAX),
            ("list", Effect::ListAll),
            ("list 2", Effect::List(1)),
            ("list 3", NONE),
            ("list 0", NONE),
            ("list 18446744073709551615", NONE),
            ("list 18446744073709551616", SYNTAX),
            ("list x", SYNTAX),
            ("list 1 2", SYNTAX),
            ("uidl", Effect::UidlAll),
            ("uidl 1", Effect::Uidl(0)),
            ("uidl 3", NONE),
            ("uidl -1", SYNTAX),
            ("retr 1", Effect::Retr(0)),
            ("retr", SYNTAX),
            ("retr 1 2", SYNTAX),
            ("retr 3", NONE),
            ("top 2 0", Effect::Top(1, 0)),
            ("top 2 18446744073709551615", Effect::Top(1, u64::MAX)),
            ("top 2", SYNTAX),
            ("top", SYNTAX),
            ("top 1 2 3", SYNTAX),
            ("top 1 x", SYNTAX),
            ("top 3 1", NONE),
            ("dele 1", OK),
            ("dele", SYNTAX),
            ("dele 3", NONE),
            ("dele 1 2", SYNTAX),
            ("rset", OK),
            ("rset 1", SYNTAX),
            ("last", Effect::Last(0)),
            ("last 1", SYNTAX),
            ("noop", OK),
            ("noop 1", SYNTAX),
            ("capa", Effect::Capa),
            ("capa 1", SYNTAX),
            ("lang", Effect::Say(language::reply(None))),
            ("lang en de", SYNTAX),
            ("quit", Effect::Quit),
            ("quit now", SYNTAX),
            ("user joe", LOGGED_IN),
            ("pass x", LOGGED_IN),
            ("apop joe x", LOGGED_IN),
            ("auth", LOGGED_IN),
            ("stls", LOGGED_IN),
            ("utf8", LOGGED_IN),
            ("xyzzy", UNKNOWN),
            ("", UNKNOWN),
        ] {
            assert_eq!(Transaction::new(2).handle(Line::Whole(line.as_bytes())), effect, "{line}");
        }
        let long = Effect::Say(b"-ERR line too long\r\n");
        assert_eq!(Transaction::new(2).handle(Line::TooLong), long);
    }

    fn effects(session: &mut Transaction, lines: &[&str]) -> Vec<Effect> {
        lines.iter().map(|line| session.handle(Line::Whole(line.as_bytes()))).collect()
    }

    #[test]
    fn deleted_messages_are_out_of_reach_until_rset() {
        let mut session = Transaction::new(3);
        assert_eq!(
            effects(&mut session, &["dele 2", "last", "dele 1", "last"]),
            [OK, Effect::Last(2), OK, Effect::Last(2)]
        );
        for line in ["dele 2", "retr 2", "top 2 1", "list 2", "uidl 2"] {
            assert_eq!(effects(&mut session, &[line]), [DELETED], "{line}");
        }
        assert_eq!(session.all_kept().collect::<Vec<_>>(), [2]);
        assert_eq!(
            effects(&mut session, &["rset", "last", "retr 2"]),
            [OK, Effect::Last(0), Effect::Retr(1)]
        );
        assert_eq!(session.kept(), 3);
    }

    #[test]
    fn what_a_line_wants() {
        for (line, wants) in [
            ("stat", Wants::Sizes),
            ("LIST 1", Wants::Sizes),
            ("uidl", Wants::Messages),
            ("top 1 1", Wants::Messages),
            ("quit", Wants::Messages),
            ("capa", Wants::Nothing),
            ("last", Wants::Nothing),
            ("xyzzy", Wants::Nothing),
        ] {
            assert_eq!(Wants::of(Line::Whole(line.as_bytes())), wants, "{line}");
            // What wants nothing is answered without a maildrop as with one.
            if wants == Wants::Nothing {
                let line = Line::Whole(line.as_bytes());
                assert_eq!(Transaction::new(0).handle(line), Transaction::new(2).handle(line));
            }
        }
        assert_eq!(Wants::of(Line::TooLong), Wants::Nothing);
    }

    #[test]
    fn an_empty_maildrop() {
        let mut session = Transaction::new(0);
        assert_eq!(
            effects(&mut session, &["list 1", "dele 0", "uidl"]),
            [NONE, NONE, Effect::UidlAll]
        );
        assert_eq!(session.all_kept().count(), 0);
    }

    proptest! {
        #[test]
        fn marks_are_a_set(
            messages in 0_usize..200,
            commands in prop::collection::vec(prop::option::weighted(0.95, 0_u64..220), 0..100),
        ) {
            let mut session = Transaction::new(messages);
            let mut model = BTreeSet::new();
            for command in commands {
                match command {
                    None => {
                        session.handle(Line::Whole(b"rset"));
                        model.clear();
                    }
                    Some(number) => {
                        let line = format!("dele {number}");
                        let done = session.handle(Line::Whole(line.as_bytes())) == OK;
                        let there = (1..=messages as u64).contains(&number);
                        prop_assert_eq!(done, there && model.insert(number));
                    }
                }
                prop_assert_eq!(session.kept(), messages - model.len());
                let kept: Vec<u64> = session.all_kept().map(|m| m as u64 + 1).collect();
                let expected: Vec<u64> =
                    (1..=messages as u64).filter(|n| !model.contains(n)).collect();
                prop_assert_eq!(kept, expected);
            }
        }
    }
}
