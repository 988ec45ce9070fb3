//! qmail-pop3d: serves a Maildir by POP3 to a client that is logged in.
//!
//! `qmail-pop3d maildir`. Exit codes: 0 for whatever became of a session, also one that is refused,
//! as the client was told and qmail-popup has nothing to add; 100 for wrong usage.

use crate::capabilities::Settings;
use crate::client::{Client, Gone};
use crate::line::Lines;
use crate::maildir::{Maildir, Unusable};
use crate::maildrop::Maildrop;
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
    let server = match maildrop(path) {
        Ok((maildir, maildrop)) => {
            Server::new(maildir, maildrop, output).announcing(Settings::from_env(env))
        }
        Err((reply, failure)) => {
            let _ = output.put(&[reply]).and_then(|()| output.flush());
            return Err(failure);
        }
    };
    match serve(server) {
        End::Quit | End::Gone(_) => Ok(Exit::OK),
        End::Cut(place, name, errno) => {
            Err(NAME.fatal_errno(0, &[b"unable to read ", place.name(), b"/", &name], errno))
        }
    }
}

/// The maildrop; or why there is none, for the client and for the log.
fn maildrop(path: &CStr) -> Result<(Maildir, Maildrop), (&'static [u8], Failure)> {
    // Nothing that comes over the network should be able to act as root on a mistake of ours.
    if getuid().is_root() || geteuid().is_root() {
        return Err((
            b"-ERR [SYS/PERM] root gets no mailbox here\r\n",
            NAME.fatal(0, &[b"refusing to serve root's mail"]),
        ));
    }
    Maildir::open(path, sys::clock::realtime().as_secs()).map_err(|unusable| {
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
    })
}

fn serve(mut server: Server<Client<'static>>) -> End {
    let mut lines = Lines::default();
    if let Err(gone) = server.output().put(&[b"+OK\r\n"]) {
        return End::Gone(gone);
    }
    loop {
        while let Some(line) = lines.next() {
            if let Err(end) = server.answer(line) {
                return end;
            }
        }
        if let Err(gone) = listen(&mut server, &mut lines) {
            return End::Gone(gone);
        }
    }
}

/// Sends what was said, and waits for what the client says to that.
fn listen(server: &mut Server<Client<'static>>, lines: &mut Lines) -> Result<(), Gone> {
    server.output().flush()?;
    let count = server.output().wire().read(lines.space())?;
    lines.filled(count);
    Ok(())
}
