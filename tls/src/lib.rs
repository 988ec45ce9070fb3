//! TLS for any program: one process for each connection relays between the socket and the program.
//!
//! [`Server::load`] reads key and certificates, before privileges are dropped; [`Cage::new`] makes
//! ready, after that, what relays are shut in with. The listener calls [`Server::before_fork`] and
//! forks; the child calls [`serve`], or [`offer`] if the program itself is to say when TLS begins
//! (UCSPI-TLS). Whoever has connected to a server calls [`connect`], with a [`Client`]. Each of
//! them forks the program's process, shuts itself in, completes the handshake, lets the
//! program run, and relays until both are done. TLS 1.2 and 1.3, no threads, small buffers: it fits
//! into an address space of 5,000,000 bytes.
//!
//! From the file to the connection, each room is about one thing: [`settings`] names the files,
//! [`key_file`] reads, [`pem`] decodes (with [`base64`]), [`identity`] and [`chain`] make of it what
//! TLS needs, [`names`] chooses between several; [`certificate`] and [`distinguished`] read what
//! certificates say, in [`der`]; [`server`] and [`tickets`] are what all connections share,
//! [`client`] what the other end needs, [`provider`] what both have in common, [`options`] how they
//! are told; [`cage`] is what the relay gives up, [`starter`] what the program waits in, [`asked`]
//! how it asks for TLS itself; [`wire`] is one connection, [`handshake`] its beginning, [`opening`]
//! and [`reason`] say why there was none; [`hybrid`] is a key exchange of its own; [`described`] and
//! [`exports`] tell the program of it; [`relay`] decides what flows and ends when, [`pump`] does it.

mod asked;
mod base64;
mod cage;
mod certificate;
mod chain;
mod client;
pub mod der;
mod described;
mod distinguished;
mod exports;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod handshake;
mod hybrid;
pub mod identity;
mod intake;
pub mod key_file;
mod names;
mod opening;
pub mod options;
pub mod pem;
mod pipe;
mod provider;
mod pump;
mod reason;
mod relay;
mod server;
mod settings;
mod starter;
mod tickets;
mod wire;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use cage::{Account, Cage, NOBODY};
pub use client::{Client, ClientSettings, Peer};
pub use exports::Exports;
pub use pem::PemError;
pub use server::{LoadError, Server};
pub use settings::{Clients, Settings, Unusable};

use asked::Asked;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use pipe::{from_program, pipe, to_program};
use pump::Program;
use rustls::Connection;
use std::fmt;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;
use sys::fork::{Fork, exit, fork};
use wire::Wire;

/// The raw wait status that stands for "temporary trouble": a program that exits 111.
const TROUBLE: i32 = 111 << 8;

/// How a connection is served.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// How long the handshake may take, all of it.
    pub limit: Duration,
    /// Said to the peer as soon as it is complete.
    pub banner: &'a [u8],
    /// What the relay is shut in with.
    pub cage: &'a Cage,
}

/// What a program that decides itself about TLS is given, besides the connection: UCSPI-TLS. All
/// three are close-on-exec and blocking.
pub struct Offer {
    /// To ask on: `y` starts TLS, and so does `Y`, which has an answer, too.
    pub control: OwnedFd,
    /// What the peer sends, once that was asked.
    pub input: OwnedFd,
    /// What the peer is sent.
    pub output: OwnedFd,
}

/// Serves one connection, in a process of its own: completes the handshake within the limit, sends
/// the banner, and relays between the peer and the program that `run` runs.
///
/// `run` is called in a process of its own, once the handshake is complete, with signals as they
/// were; the caller has already put back the dispositions that its listener had changed. It gets the
/// program's standard input and output (close-on-exec, blocking) and what to put into its
/// environment, and comes back only if the program can't be run, with the exit code that says so.
/// In this process SIGCHLD and SIGPIPE are ours, and all descriptors but the standard ones closed:
/// nothing that the caller has besides may be used, or dropped.
///
/// `log` gets what goes wrong, one call for each line: the reason only, without program, address
/// or newline. It may do nothing but write.
///
/// Gives the program's raw wait status; that of an exit with 111 if no handshake came about.
pub fn serve(
    server: &Server,
    stream: OwnedFd,
    terms: Terms<'_>,
    run: impl FnOnce(OwnedFd, OwnedFd, &Exports) -> u8,
    log: &mut dyn FnMut(&[u8]),
) -> i32 {
    match relayed(|| server.connection(), stream, terms, run, log) {
        Ok(status) => status,
        Err(no_tls) => refused(&no_tls.to_string(), log),
    }
}

/// The same for a connection that was made from here: completes the handshake as `client`, which
/// verifies who is there, and relays between the server and the program that `run` runs.
///
/// All that is said of [`serve`] holds here, too.
///
/// # Errors
/// Why there is no TLS. The program was not run, then.
pub fn connect(
    client: &Client,
    stream: OwnedFd,
    terms: Terms<'_>,
    run: impl FnOnce(OwnedFd, OwnedFd, &Exports) -> u8,
    log: &mut dyn FnMut(&[u8]),
) -> Result<i32, NoTls> {
    relayed(|| client.connection(), stream, terms, run, log)
}

/// Why a connection has no TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoTls {
    /// This host can't do it: what, and the reason.
    Trouble(String),
    /// The handshake came to nothing: the reason.
    Handshake(String),
}

impl fmt::Display for NoTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trouble(what) => f.write_str(what),
            Self::Handshake(reason) => write!(f, "TLS handshake failed: {reason}"),
        }
    }
}

/// One connection, from either end.
fn relayed(
    connection: impl FnOnce() -> Result<Connection, String>,
    stream: OwnedFd,
    terms: Terms<'_>,
    run: impl FnOnce(OwnedFd, OwnedFd, &Exports) -> u8,
    log: &mut dyn FnMut(&[u8]),
) -> Result<i32, NoTls> {
    let begun = (|| -> Result<_, String> {
        let ((program_input, input), (program_output, output)) = (to_program()?, from_program()?);
        let (notice, notify) = pipe()?;
        match fork().map_err(no_process)? {
            Fork::Child => {
                drop((stream, input, output, notify));
                starter::wait(notice, |exports| run(program_input, program_output, exports))
            }
            Fork::Parent(process) => {
                pump::take_signals();
                drop((program_input, program_output, notice));
                let wire = Wire::new(stream, connection()?);
                Ok((wire, Program { process, input, output }, notify))
            }
        }
    })();
    let (mut wire, program, notify) = begun.map_err(NoTls::Trouble)?;
    let kept = [wire.socket(), program.input.as_fd(), program.output.as_fd(), notify.as_fd()];
    report(&terms.cage.shut(&kept), log);
    if let Err(reason) = handshake::complete(&mut wire, terms.limit) {
        drop(notify);
        pump::reap(program.process);
        return Err(NoTls::Handshake(reason));
    }
    // If nobody reads this, the program's process is gone, which the pump will find.
    let _ = File::from(notify).write_all(&wire.described().message());
    Ok(pump::run(wire, program, terms.banner, log))
}

/// How a relay ends: as its program did, with this raw wait status; with a signal's number plus 128
/// where one ended it.
#[must_use]
pub fn exit_code(status: i32) -> u8 {
    let code = if libc::WIFSIGNALED(status) {
        128 + libc::WTERMSIG(status)
    } else {
        libc::WEXITSTATUS(status)
    };
    u8::try_from(code).unwrap_or(111)
}

/// Serves one connection whose program speaks UCSPI-TLS: it is run at once, by `run`, and talks in
/// the clear until it asks for TLS, if it ever does. The limit for the handshake counts from then
/// on; the banner is none of ours.
///
/// For the rest as [`serve`]; a handshake that fails closes the connection and what was offered, and
/// the program ends as it likes.
pub fn offer(
    server: &Server,
    stream: OwnedFd,
    terms: Terms<'_>,
    run: impl FnOnce(OwnedFd, Offer) -> u8,
    log: &mut dyn FnMut(&[u8]),
) -> i32 {
    let begun = (|| -> Result<_, String> {
        let ((program_input, input), (program_output, output)) = (to_program()?, from_program()?);
        let flags = SockFlag::SOCK_CLOEXEC;
        let (control, asked) = socketpair(AddressFamily::Unix, SockType::Stream, None, flags)
            .map_err(|error| trouble("create socket", error))?;
        match fork().map_err(no_process)? {
            Fork::Child => {
                drop((input, output, asked));
                let offer = Offer { control, input: program_input, output: program_output };
                exit(run(stream, offer))
            }
            Fork::Parent(process) => {
                pump::take_signals();
                drop((program_input, program_output, control));
                let wire = Wire::new(stream, server.connection()?);
                Ok((wire, Program { process, input, output }, asked))
            }
        }
    })();
    let (mut wire, program, control) = match begun {
        Ok(begun) => begun,
        Err(reason) => return refused(&reason, log),
    };
    let kept = [wire.socket(), program.input.as_fd(), program.output.as_fd(), control.as_fd()];
    report(&terms.cage.shut(&kept), log);
    let asked = asked::wait(&control);
    if let Asked::Never = asked {
        return left_alone((wire, control), program);
    }
    if let Err(reason) = handshake::complete(&mut wire, terms.limit) {
        log(format!("TLS handshake failed: {reason}").as_bytes());
        // What the program may still have to say must not go out in the clear.
        wire.close();
        return left_alone((wire, control), program);
    }
    if let Asked::StartAndTell = asked
        && let Err(error) = asked::answer(&control, &wire.described().message())
    {
        log(trouble("tell the program about TLS", error).as_bytes());
        wire.close();
        return left_alone((wire, control), program);
    }
    drop(control);
    pump::run(wire, program, b"", log)
}

/// Lets go of all that is between the peer and the program, and waits for its end.
fn left_alone(between: (Wire, OwnedFd), program: Program) -> i32 {
    let Program { process, input, output } = program;
    drop((between, input, output));
    pump::reap(process)
}

fn report(lines: &[String], log: &mut dyn FnMut(&[u8])) {
    for line in lines {
        log(format!("TLS process is {line}").as_bytes());
    }
}

fn refused(reason: &str, log: &mut dyn FnMut(&[u8])) -> i32 {
    log(reason.as_bytes());
    TROUBLE
}

fn no_process(errno: sys::Errno) -> String {
    format!("unable to fork: {}", common::reason(errno))
}

fn trouble(verb: &str, error: nix::Error) -> String {
    format!("unable to {verb}: {}", reason::system(error))
}
