//! qmail-popup: asks a client for name and password, has them checked, and hands it over.
//!
//! `qmail-popup hostname subprogram [ args ... ]`. Exit codes: 0 when the client had its session or
//! left, 1 for a login that was refused, 100 for a set-up that can't work, 111 for temporary trouble.

use crate::capabilities::Settings;
use crate::checker::{Checker, Verdict, hand_over};
use crate::client::{Client, Gone};
use crate::failure_log;
use crate::line::Lines;
use crate::login::{Effect, Login};
use crate::output::Output;
use crate::ways::{Way, Ways};
use alloc::vec::Vec;
use common::{Exit, Failure, Name, decimal};
use sys::process::{Signal, getpid};
use sys::spawn::SpawnError;
use sys::{Args, Env, OwnedFd};

const NAME: Name = Name("qmail-popup");

/// How much of a host name is shown: what the checker reads is at most 512 bytes in all.
const HOST_LIMIT: usize = 128;

/// The program.
///
/// # Errors
/// Wrong usage; descriptors that aren't open.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let (Some(host), Some(checker)) = (args.get(1), Checker::new(args.tail(2), env)) else {
        return Err(NAME.usage("hostname subprogram [ args ... ]"));
    };
    let Some(client) = Client::on_standard_descriptors() else {
        return Err(NAME.fatal(Exit::USAGE.0, &[b"descriptors 0 and 1 must be the client's"]));
    };
    sys::signal::ignore(Signal::PIPE);
    let door = Door {
        output: Output::new(client),
        checker,
        program: args.get(2).map_or(b"", |name| name.to_bytes()),
        remote_ip: env.get(b"TCPREMOTEIP"),
        stamp: stamp(host.to_bytes()),
        settings: Settings { ways: Ways::NONE.with(Way::User), ..Settings::from_env(env) },
    };
    // A client that has left, in whatever way, is no trouble of ours.
    Ok(door.open().unwrap_or(Exit::OK))
}

/// `<PID.SECONDS@HOST>`, unlike that of any other connection to this host.
fn stamp(host: &[u8]) -> Vec<u8> {
    let mut stamp = b"<".to_vec();
    stamp.extend_from_slice(
        decimal(getpid().as_raw_nonzero().get().unsigned_abs().into()).as_bytes(),
    );
    stamp.push(b'.');
    stamp.extend_from_slice(decimal(sys::clock::realtime().as_secs()).as_bytes());
    stamp.push(b'@');
    stamp.extend(host.iter().take(HOST_LIMIT).filter(|byte| byte.is_ascii_graphic()));
    stamp.push(b'>');
    stamp
}

struct Door {
    output: Output<Client<'static>>,
    checker: Checker,
    program: &'static [u8],
    remote_ip: Option<&'static [u8]>,
    stamp: Vec<u8>,
    settings: Settings<'static>,
}

impl Door {
    fn open(mut self) -> Result<Exit, Gone> {
        let mut lines = Lines::default();
        let mut login = Login::default();
        // Without its <>: to clients, those are an offer of APOP (RFC 1939, section 7).
        let name = &self.stamp[1..self.stamp.len() - 1];
        self.output.put(&[b"+OK ", name, b"\r\n"])?;
        let mut more = false;
        loop {
            if !more {
                self.output.flush()?;
            }
            let read = self.output.wire().read_up_to_line_end(lines.space())?;
            more = read.more;
            lines.filled(read.count);
            let Some(line) = lines.next() else { continue };
            match login.handle(line) {
                Effect::Say(reply) => self.output.put(&[reply])?,
                Effect::Capa => {
                    let reply = self.settings.before_login(self.settings.ways, false);
                    self.output.put(&[&reply])?;
                }
                Effect::Bye(reply) => {
                    self.output.put(&[reply])?;
                    self.output.flush()?;
                    return Ok(Exit::OK);
                }
                Effect::Check(password) => {
                    // The session to come writes on its own.
                    self.output.flush()?;
                    let credentials = hand_over(login.user(), password, &self.stamp);
                    // They must not stay here for as long as the session lasts.
                    lines.wipe();
                    let verdict = match credentials {
                        Ok(credentials) => self.judge(credentials, login.user()),
                        Err(errno) => {
                            NAME.warn_errno(&[b"unable to create pipe"], errno);
                            Verdict::Temporary
                        }
                    };
                    return Ok(self.close(verdict));
                }
            }
        }
    }

    /// Has the checker look at the login, and logs what went wrong.
    fn judge(&self, credentials: OwnedFd, user: &[u8]) -> Verdict {
        let code = match self.checker.run(credentials) {
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
        let who = failure_log::who(user, self.remote_ip);
        match verdict {
            Verdict::SessionOver => {}
            Verdict::Refused => NAME.info(&[b"authentication failed: ", &who]),
            Verdict::Temporary | Verdict::Permanent => {
                let code = decimal(code.unwrap_or(0).unsigned_abs().into());
                let parts = [b" exited ", code.as_bytes()];
                NAME.warn(&[b"unable to check ", &who, b": ", self.program, parts[0], parts[1]]);
            }
            Verdict::Crashed => {
                NAME.warn(&[b"unable to check ", &who, b": ", self.program, b" crashed"]);
            }
        }
        verdict
    }

    /// Says how it ended. A client that has left by now has lost nothing.
    fn close(mut self, verdict: Verdict) -> Exit {
        let _ = self.output.put(&[verdict.reply()]).and_then(|()| self.output.flush());
        match verdict {
            Verdict::SessionOver => Exit::OK,
            Verdict::Refused => Exit(1),
            Verdict::Permanent => Exit::USAGE,
            Verdict::Temporary | Verdict::Crashed => Exit::TEMPORARY,
        }
    }
}
