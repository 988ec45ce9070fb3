//! qmail-popup: asks a client for name and password, has them checked, and hands it over.
//!
//! `qmail-popup hostname subprogram [ args ... ]`. Exit codes: 0 when the client had its session or
//! left, 1 for a login that was refused, 100 for a set-up that can't work, 111 for temporary trouble.

use crate::base64;
use crate::capabilities::Settings;
use crate::checker::{Checker, Verdict, hand_over};
use crate::client::{Client, Gone};
use crate::credentials::Proof;
use crate::failure_log;
use crate::line::Lines;
use crate::login::{Effect, Encryption, Login, Terms};
use crate::output::Output;
use crate::penalty;
use crate::stamp;
use crate::ucspi_tls::{self, Offer, Situation};
use crate::ways::{Way, Ways};
use alloc::vec::Vec;
use common::env::Environment;
use common::{Exit, Failure, Name, decimal};
use core::time::Duration;
use sys::process::{Signal, getpid};
use sys::spawn::SpawnError;
use sys::{Args, Env, OwnedFd};

const NAME: Name = Name("qmail-popup");

/// How long a client that isn't logged in may say nothing. RFC 1939, section 3, has a server wait
/// ten minutes: for clients that have a session to lose, we say, and to them they are granted.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long it may take to log in, all in all.
const TOTAL: Duration = Duration::from_secs(300);

/// The program.
///
/// # Errors
/// Wrong usage; descriptors that aren't open; a `POP3AUTH` that names no way to log in.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let (Some(host), Some(checker)) = (args.get(1), Checker::new(args.tail(2), env)) else {
        return Err(NAME.usage("hostname subprogram [ args ... ]"));
    };
    let ways = Ways::parse(env.get(b"POP3AUTH")).map_err(not_a_way)?;
    let Some(client) = Client::on_standard_descriptors() else {
        return Err(NAME.fatal(Exit::USAGE.0, &[b"descriptors 0 and 1 must be the client's"]));
    };
    let challenge = if ways.contains(Way::CramMd5) {
        stamp::challenge(pid(), now(), host.to_bytes())
            .map_err(|errno| NAME.fatal_errno(111, &[b"unable to make a challenge"], errno))?
    } else {
        Vec::new()
    };
    sys::signal::ignore(Signal::PIPE);
    let end = sys::clock::monotonic().saturating_add(TOTAL);
    let Situation { required, encrypted, offer } = Situation::of(env);
    let terms = Terms {
        ways,
        encryption: match &offer {
            Some(_) => Encryption::OnOffer,
            None if encrypted => Encryption::Present,
            None => Encryption::Absent,
        },
        required,
    };
    if terms.withheld() && offer.is_none() {
        NAME.warn(&[b"UCSPITLS is !, and there is no TLS: nobody can log in"]);
    }
    let mut door = Door {
        output: Output::new(client.until(end, PATIENCE)),
        end,
        login: Login::new(terms),
        lines: Lines::default(),
        checker,
        program: args.get(2).map_or(b"", |name| name.to_bytes()),
        remote_ip: env.get(b"TCPREMOTEIP"),
        environment: Environment::new(env),
        offer,
        settings: Settings::from_env(env),
        stamp: stamp::banner(pid(), now(), host.to_bytes()),
        challenge,
    };
    // A client that has left, in whatever way, is no trouble of ours.
    Ok(door.open().unwrap_or(Exit::OK))
}

fn not_a_way(word: &[u8]) -> Failure {
    NAME.fatal(
        Exit::USAGE.0,
        &match word {
            b"" => [&b"unable to offer logins: POP3AUTH is empty"[..], b"", b""],
            word => [b"unable to offer ", word, b": POP3AUTH knows user plain login apop cram-md5"],
        },
    )
}

fn pid() -> u64 {
    getpid().as_raw_nonzero().get().unsigned_abs().into()
}

fn now() -> u64 {
    sys::clock::realtime().as_secs()
}

struct Door {
    output: Output<Client<'static>>,
    /// When the client's time to log in is over, on the monotonic clock.
    end: Duration,
    login: Login,
    lines: Lines,
    checker: Checker,
    program: &'static [u8],
    remote_ip: Option<&'static [u8]>,
    environment: Environment,
    offer: Option<Offer>,
    settings: Settings<'static>,
    stamp: Vec<u8>,
    challenge: Vec<u8>,
}

/// It never moves: a copy of the login would stay where it was.
impl Door {
    fn open(&mut self) -> Result<Exit, Gone> {
        self.greet()?;
        let mut more = false;
        loop {
            if !more {
                self.output.flush()?;
            }
            let read = self.output.wire().read_up_to_line_end(self.lines.space())?;
            more = read.more;
            self.lines.filled(read.count);
            let Some(line) = self.lines.next_within(self.login.longest_line()) else { continue };
            match self.login.handle(line) {
                Effect::Say(reply) => self.output.put(&[reply])?,
                Effect::Capa => {
                    let terms = self.login.terms();
                    let stls = terms.encryption == Encryption::OnOffer;
                    self.output.put(&[&self.settings.before_login(terms.open(), stls)])?;
                }
                Effect::Mechanisms => {
                    self.output.put(&[b"+OK\r\n"])?;
                    for name in self.login.terms().ways.mechanisms() {
                        self.output.put(&[name, b"\r\n"])?;
                    }
                    self.output.put(&[b".\r\n"])?;
                }
                Effect::Challenge => {
                    self.output.put(&[b"+ ", &base64::encode(&self.challenge), b"\r\n"])?;
                }
                Effect::StartTls => {
                    self.start_tls()?;
                    more = false;
                }
                Effect::Bye(reply) => {
                    self.output.put(&[reply])?;
                    self.output.flush()?;
                    return Ok(Exit::OK);
                }
                Effect::Check => return self.check(),
                Effect::Refuse => {
                    let asked = sys::clock::monotonic();
                    self.output.flush()?;
                    self.lines.wipe();
                    self.login.forget_secret();
                    NAME.info(&[b"authentication failed: ", &self.who()]);
                    return Ok(self.close(Verdict::Refused, asked));
                }
            }
        }
    }

    /// Its timestamp has its <> only where APOP is on offer: clients take them for an offer of it
    /// (RFC 1939, section 7).
    fn greet(&mut self) -> Result<(), Gone> {
        let with_brackets = self.login.terms().ways.contains(Way::Apop);
        let name = &self.stamp[1..self.stamp.len() - 1];
        let shown = if with_brackets { &self.stamp[..] } else { name };
        self.output.put(&[b"+OK ", shown, b"\r\n"])
    }

    /// RFC 2595, section 4. What has come behind STLS in the clear is nobody's: it is thrown away
    /// before the client hears that it may begin.
    fn start_tls(&mut self) -> Result<(), Gone> {
        let Some(offer) = self.offer.take() else { return Err(Gone::Closed) };
        self.output.wire().discard()?;
        self.lines.wipe();
        self.output.put(&[b"+OK begin TLS\r\n"])?;
        self.output.flush()?;
        let encrypted = offer.begin(self.end)?;
        // The connection itself is closed here, and left to the process that encrypts.
        sys::stdio::dup2_stdin(&encrypted.input).map_err(Gone::Failed)?;
        sys::stdio::dup2_stdout(&encrypted.output).map_err(Gone::Failed)?;
        ucspi_tls::describe(&mut self.environment, &encrypted.described);
        let client = Client::on_standard_descriptors().ok_or(Gone::Closed)?;
        *self.output.wire() = client.until(self.end, PATIENCE);
        self.login.encrypted();
        Ok(())
    }

    fn check(&mut self) -> Result<Exit, Gone> {
        // The session to come writes on its own.
        self.output.flush()?;
        // It has no use for what is on offer now; nobody is to wait for its asking.
        if self.offer.take().is_some() {
            ucspi_tls::withdraw(&mut self.environment);
        }
        let asked = sys::clock::monotonic();
        let credentials = self.login.credentials();
        let stamp = match credentials.proof() {
            Proof::Password | Proof::OfBanner => &self.stamp,
            Proof::OfChallenge => &self.challenge,
        };
        let handed = hand_over(credentials.name(), credentials.secret(), stamp);
        // They must not stay here for as long as the session lasts.
        self.lines.wipe();
        self.login.forget_secret();
        let verdict = match handed {
            Ok(credentials) => self.judge(credentials),
            Err(errno) => {
                NAME.warn_errno(&[b"unable to create pipe"], errno);
                Verdict::Temporary
            }
        };
        Ok(self.close(verdict, asked))
    }

    /// Has the checker look at the login, and logs what went wrong.
    fn judge(&self, credentials: OwnedFd) -> Verdict {
        let code = match self.checker.run(credentials, &self.environment) {
            Ok(code) => code,
            Err(error) => {
                let errno = error.errno();
                NAME.warn_errno(&[b"unable to run ", self.program], errno);
                return match error {
                    SpawnError::Exec(_) => Verdict::Permanent,
                    SpawnError::Clone(_) | SpawnError::Directory(_) | SpawnError::Descriptor(_) => {
                        Verdict::Temporary
                    }
                };
            }
        };
        let verdict = Verdict::of(code);
        match verdict {
            Verdict::SessionOver => {}
            Verdict::Refused => NAME.info(&[b"authentication failed: ", &self.who()]),
            Verdict::Temporary | Verdict::Permanent => {
                let who = self.who();
                let code = decimal(code.unwrap_or(0).unsigned_abs().into());
                let parts = [b" exited ", code.as_bytes()];
                NAME.warn(&[b"unable to check ", &who, b": ", self.program, parts[0], parts[1]]);
            }
            Verdict::Crashed => {
                let who = self.who();
                NAME.warn(&[b"unable to check ", &who, b": ", self.program, b" crashed"]);
            }
        }
        verdict
    }

    fn who(&self) -> Vec<u8> {
        failure_log::who(self.login.credentials().name(), self.remote_ip)
    }

    /// Says how it ended, a refusal not at once. A client that has left by now has lost nothing.
    fn close(&mut self, verdict: Verdict, asked: Duration) -> Exit {
        if verdict == Verdict::Refused {
            penalty::sit_out(asked);
        }
        let _ = self.output.put(&[verdict.reply()]).and_then(|()| self.output.flush());
        match verdict {
            Verdict::SessionOver => Exit::OK,
            Verdict::Refused => Exit(1),
            Verdict::Permanent => Exit::USAGE,
            Verdict::Temporary | Verdict::Crashed => Exit::TEMPORARY,
        }
    }
}
