//! qmail-pop3d: serves a Maildir by POP3 to a client that is logged in.
//!
//! `qmail-pop3d maildir`. Exit codes: 0 for whatever became of a session, also one that is refused,
//! as the client was told and qmail-popup has nothing to add; 100 for wrong usage.

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
    sys::signal::ignore(Signal::PIPE);
    let mut output = Output::new(client);
    let now = sys::clock::realtime().as_secs();
    let maildir = match open(path, now) {
        Ok(maildir) => maildir,
        Err((reply, failure)) => {
            let _ = output.put(&[reply]).and_then(|()| output.flush());
            return Err(failure);
        }
    };
    let mut server = Server::new(maildir, now, output).announcing(Settings::from_env(env));
    let end = serve(&mut server);
    server.remember();
    match end {
        End::Quit | End::Gone(_) => Ok(Exit::OK),
        End::Cut(place, name, errno) => {
            Err(NAME.fatal_errno(0, &[b"unable to read ", place.name(), b"/", &name], errno))
        }
        End::Unusable(unusable) => Err(explain(path, unusable).1),
    }
}

/// The Maildir; or why there is none, for the client and for the log.
fn open(path: &CStr, now: u64) -> Result<Maildir, (&'static [u8], Failure)> {
    // Nothing that comes over the network should be able to act as root on a mistake of ours.
    if getuid().is_root() || geteuid().is_root() {
        return Err((
            b"-ERR [SYS/PERM] root gets no mailbox here\r\n",
            NAME.fatal(0, &[b"refusing to serve root's mail"]),
        ));
    }
    let maildir = Maildir::open(path).map_err(|unusable| explain(path, unusable))?;
    maildir.clean(now);
    Ok(maildir)
}

fn explain(path: &CStr, unusable: Unusable) -> (&'static [u8], Failure) {
    let path = path.to_bytes();
    match unusable {
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
