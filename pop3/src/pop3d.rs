//! qmail-pop3d: serves a Maildir by POP3 to a client that is logged in.
//!
//! `qmail-pop3d maildir`. Exit codes: 0 for whatever became of a session, also one that is refused,
//! as the client was told and qmail-popup has nothing to add; 100 for wrong usage.

use crate::admission::{Admission, Refusal};
use crate::capabilities::Settings;
use crate::client::{Client, PATIENCE};
use crate::line::Lines;
use crate::maildir::{Maildir, Unusable};
use crate::output::Output;
use crate::server::{End, Server};
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::process::{Signal, geteuid, getuid};
use sys::{Args, Env};

const NAME: Name = Name("qmail-pop3d");

/// The program.
///
/// # Errors
/// Wrong usage; descriptors that aren't open; a maildrop that can't be served, or no further.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let (Some(path), None) = (args.get(1), args.get(2)) else {
        return Err(NAME.usage("maildir"));
    };
    let Some(client) = Client::on_standard_descriptors() else {
        return Err(NAME.fatal(Exit::USAGE.0, &[b"descriptors 0 and 1 must be the client's"]));
    };
    // A write that can't be has an error that says so.
    sys::signal::ignore(Signal::PIPE);
    sys::signal::ignore(Signal::XFSZ);
    let mut output = Output::new(client);
    let now = sys::clock::realtime();
    let settings = Settings::from_env(env);
    let opened = open(path, now.as_secs()).and_then(|maildir| {
        let lock = Admission::from_env(env, settings.login_delay).admit(maildir.root(), now);
        Ok((maildir, lock.map_err(|refusal| turn_away(path, refusal))?))
    });
    let (maildir, lock) = match opened {
        Ok(opened) => opened,
        Err((reply, failure)) => {
            let _ = output.put(&[reply]).and_then(|()| output.flush());
            return failure.map_or(Ok(Exit::OK), Err);
        }
    };
    let mut server = Server::new(maildir, now.as_secs(), output).announcing(settings);
    let end = serve(&mut server);
    server.remember();
    drop(lock);
    if end == End::Quit {
        server.output().wire().say_no_more();
    }
    match end {
        End::Quit | End::Gone(_) => Ok(Exit::OK),
        End::Cut(place, name, errno) => {
            Err(NAME.fatal_errno(0, &[b"unable to read ", place.name(), b"/", &name], errno))
        }
        End::Unusable(unusable) => explain(path, unusable).1.map_or(Ok(Exit::OK), Err),
    }
}

/// What a client hears that has no session, and what the log says of it.
type Refused = (&'static [u8], Option<Failure>);

/// The Maildir; or why there is none.
fn open(path: &CStr, now: u64) -> Result<Maildir, Refused> {
    // Nothing that comes over the network should be able to act as root on a mistake of ours.
    if getuid().is_root() || geteuid().is_root() {
        return Err((
            b"-ERR [SYS/PERM] root gets no mailbox here\r\n",
            Some(NAME.fatal(0, &[b"refusing to serve root's mail"])),
        ));
    }
    let maildir = Maildir::open(path).map_err(|unusable| explain(path, unusable))?;
    maildir.clean(now);
    Ok(maildir)
}

fn explain(path: &CStr, unusable: Unusable) -> Refused {
    let path = path.to_bytes();
    let (reply, failure) = match unusable {
        Unusable::Maildir(errno) => (
            &b"-ERR [SYS/PERM] this account has no Maildir\r\n"[..],
            NAME.fatal_errno(0, &[b"unable to open ", path], errno),
        ),
        Unusable::Place(place, errno) => (
            &b"-ERR [SYS/PERM] unable to read this account's Maildir\r\n"[..],
            NAME.fatal_errno(0, &[b"unable to read ", path, b"/", place.name()], errno),
        ),
        Unusable::Memory => (
            &b"-ERR [SYS/TEMP] out of memory\r\n"[..],
            NAME.fatal(0, &[b"unable to list ", path, b": out of memory"]),
        ),
    };
    (reply, Some(failure))
}

fn turn_away(path: &CStr, refusal: Refusal) -> Refused {
    match refusal {
        Refusal::InUse => (b"-ERR [IN-USE] another session has this mailbox\r\n", None),
        Refusal::TooSoon => (b"-ERR [LOGIN-DELAY] the last login was a moment ago\r\n", None),
        Refusal::Unlockable(errno) => (
            b"-ERR [SYS/TEMP] unable to lock this account's Maildir\r\n",
            Some(NAME.fatal_errno(0, &[b"unable to lock ", path.to_bytes()], errno)),
        ),
    }
}

fn serve(server: &mut Server<Client<'static>>) -> End {
    let mut lines = Lines::default();
    if let Err(gone) = server.output().put(&[b"+OK\r\n"]) {
        return End::Gone(gone);
    }
    // It isn't bytes that show that a client is there, but commands (RFC 1939, section 3).
    let mut deadline = sys::clock::monotonic() + PATIENCE;
    loop {
        let mut answered = false;
        while let Some(line) = lines.next() {
            if let Err(end) = server.answer(line) {
                return end;
            }
            answered = true;
        }
        if let Err(gone) = server.output().flush() {
            return End::Gone(gone);
        }
        if answered {
            deadline = sys::clock::monotonic() + PATIENCE;
        }
        match server.output().wire().read_by(deadline, lines.space()) {
            Ok(count) => lines.filled(count),
            Err(gone) => return End::Gone(gone),
        }
    }
}
