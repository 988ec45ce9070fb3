//! The state before login (RFC 1939: AUTHORIZATION), pure: a line in, an effect out.

use crate::command::{Command, Mechanism, Syntax, Verb};
use crate::credentials::{Credentials, Proof, Unlawful};
use crate::exchange::{self, Exchange, LONGEST_RESPONSE, Malformed, Next, Prompt};
use crate::language;
use crate::line::{LIMIT, Line};
use crate::ways::{MECHANISMS, Way, Ways};

/// What to do about a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Say this, and go on.
    Say(&'static [u8]),
    /// Say what is on offer.
    Capa,
    /// Say which mechanisms AUTH has.
    Mechanisms,
    /// Say the challenge.
    Challenge,
    /// Say this, and close.
    Bye(&'static [u8]),
    /// Begin TLS, and say so to [`Login::encrypted`].
    StartTls,
    /// Let the checker judge the [`Login::credentials`].
    Check,
    /// These are refused, whatever the checker would say.
    Refuse,
}

/// What a client may do here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The ways to log in that the checker can judge.
    pub ways: Ways,
    /// Whether the connection is encrypted.
    pub encryption: Encryption,
    /// `UCSPITLS=!`: nobody logs in in the clear.
    pub required: bool,
}

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// It isn't, and won't be.
    Absent,
    /// It isn't; STLS begins it.
    OnOffer,
    /// It is.
    Present,
}

impl Terms {
    /// Whether nobody may log in before TLS has begun.
    #[must_use]
    pub fn withheld(&self) -> bool {
        self.required && self.encryption != Encryption::Present
    }

    /// The ways to log in that are open now.
    #[must_use]
    pub fn open(&self) -> Ways {
        if self.withheld() { Ways::NONE } else { self.ways }
    }
}

/// Who is trying to log in.
pub struct Login {
    terms: Terms,
    credentials: Credentials,
    /// AUTH has begun, and what comes is no command.
    exchange: Option<Exchange>,
    /// UTF8 was said: a name or a password that isn't UTF-8 is none.
    utf8: bool,
}

impl Login {
    /// A connection on which nothing was said.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self { terms, credentials: Credentials::default(), exchange: None, utf8: false }
    }

    /// What the client may do at the moment.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Who the client says it is; after [`Effect::Check`] it is complete.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The secret is on its way, and isn't needed any more.
    pub fn forget_secret(&mut self) {
        self.credentials.forget_secret();
    }

    /// TLS has begun. All that was said before may have been somebody else's (RFC 2595, section 4).
    pub fn encrypted(&mut self) {
        *self = Self::new(Terms { encryption: Encryption::Present, ..self.terms });
    }

    /// How long the next line may be.
    #[must_use]
    pub fn longest_line(&self) -> usize {
        if self.exchange.is_some() { LONGEST_RESPONSE } else { LIMIT }
    }

    /// Answers a line.
    pub fn handle(&mut self, line: Line<'_>) -> Effect {
        let exchange = self.exchange.take();
        let Line::Whole(line) = line else {
            if exchange.is_some() {
                self.credentials.forget();
            }
            return Effect::Say(b"-ERR line too long\r\n");
        };
        let answered = match exchange {
            None => self.obey(Command::parse(line)),
            // RFC 5034, section 4: how a client says that it has thought better of it.
            Some(_) if line == b"*" => {
                self.credentials.forget();
                return Effect::Say(b"-ERR as you like\r\n");
            }
            Some(exchange) => {
                let next = exchange.hear(line, &mut self.credentials);
                self.go_on(next)
            }
        };
        answered.unwrap_or_else(|refusal| {
            Effect::Say(match refusal {
                Refusal::Syntax => b"-ERR syntax error\r\n",
                Refusal::LoginFirst => b"-ERR authorization first\r\n",
                Refusal::UserFirst => b"-ERR USER first\r\n",
                Refusal::NotUtf8 => b"-ERR that is no UTF-8\r\n",
                Refusal::Withheld => b"-ERR [SYS/PERM] nobody logs in here without TLS\r\n",
                Refusal::NotOnOffer => b"-ERR that is not on offer\r\n",
                Refusal::Encrypted => b"-ERR TLS has begun already\r\n",
            })
        })
    }

    fn obey(&mut self, command: Command<'_>) -> Result<Effect, Refusal> {
        Ok(match command.verb.ok_or(Refusal::LoginFirst)? {
            Verb::User => {
                self.may(Way::User)?;
                self.credentials.forget();
                let name = command.name()?;
                self.encoding_of(name)?;
                self.credentials.name_is(name)?;
                Effect::Say(b"+OK\r\n")
            }
            Verb::Pass => {
                self.may(Way::User)?;
                if self.credentials.name().is_empty() {
                    return Err(Refusal::UserFirst);
                }
                let password = command.password()?;
                self.encoding_of(password)?;
                self.credentials.password_is(password)?;
                Effect::Check
            }
            Verb::Apop => {
                self.may(Way::Apop)?;
                self.credentials.forget();
                let both = command.name()?;
                self.encoding_of(both)?;
                self.credentials.are(both, Proof::OfBanner)?;
                Effect::Check
            }
            Verb::Auth => self.auth(command)?,
            Verb::Stls => {
                command.alone()?;
                match self.terms.encryption {
                    Encryption::Absent => return Err(Refusal::NotOnOffer),
                    Encryption::OnOffer => Effect::StartTls,
                    Encryption::Present => return Err(Refusal::Encrypted),
                }
            }
            Verb::Utf8 => {
                command.alone()?;
                self.utf8 = true;
                Effect::Say(b"+OK\r\n")
            }
            Verb::Lang => Effect::Say(language::reply(command.language()?)),
            Verb::Capa => {
                command.alone()?;
                Effect::Capa
            }
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
            | Verb::Uidl => return Err(Refusal::LoginFirst),
        })
    }

    /// Without an argument, AUTH asks which mechanisms there are: no RFC says so any more, but old
    /// clients ask.
    fn auth(&mut self, command: Command<'_>) -> Result<Effect, Refusal> {
        if self.terms.withheld() {
            return Err(Refusal::Withheld);
        }
        let Some(Mechanism { name, initial }) = command.mechanism()? else {
            let any = self.terms.ways.mechanisms().next().is_some();
            return if any { Ok(Effect::Mechanisms) } else { Err(Refusal::NotOnOffer) };
        };
        let named = MECHANISMS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        let way = named.ok_or(Refusal::NotOnOffer)?.1;
        self.may(way)?;
        let begun = exchange::begin(way, initial, &mut self.credentials);
        self.go_on(begun.ok_or(Refusal::NotOnOffer)?)
    }

    fn go_on(&mut self, next: Result<Next, Malformed>) -> Result<Effect, Refusal> {
        Ok(match next? {
            Next::Check => Effect::Check,
            Next::Refuse => Effect::Refuse,
            Next::Ask(prompt, exchange) => {
                self.exchange = Some(exchange);
                match prompt {
                    Prompt::Said(text) => Effect::Say(text),
                    Prompt::Challenge => Effect::Challenge,
                }
            }
        })
    }

    /// Whether this way to log in is open.
    fn may(&self, way: Way) -> Result<(), Refusal> {
        if self.terms.withheld() {
            Err(Refusal::Withheld)
        } else if self.terms.ways.contains(way) {
            Ok(())
        } else {
            Err(Refusal::NotOnOffer)
        }
    }

    /// Before UTF8 is said, nobody says how a name is encoded: its bytes are what it is. (RFC 6856,
    /// section 2.2.)
    fn encoding_of(&self, text: &[u8]) -> Result<(), Refusal> {
        if self.utf8 && core::str::from_utf8(text).is_err() {
            Err(Refusal::NotUtf8)
        } else {
            Ok(())
        }
    }
}

/// Why nothing is done.
#[derive(Clone, Copy)]
enum Refusal {
    Syntax,
    LoginFirst,
    UserFirst,
    NotUtf8,
    Withheld,
    NotOnOffer,
    Encrypted,
}

impl From<Syntax> for Refusal {
    fn from(_: Syntax) -> Self {
        Self::Syntax
    }
}

impl From<Unlawful> for Refusal {
    fn from(_: Unlawful) -> Self {
        Self::Syntax
    }
}

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Self::Syntax
    }
}

#[cfg(test)]
mod tests;
