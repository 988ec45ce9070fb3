//! TLS for any program: one process for each connection relays between the socket and the program.
//!
//! [`Server::load`] reads key and certificates, before privileges are dropped. The listener calls
//! [`Server::before_fork`] and forks; the child calls [`serve`], which completes the handshake,
//! has the program started, and relays until both are done. TLS 1.2 and 1.3, no threads, small
//! buffers: it fits into an address space of 5,000,000 bytes.
//!
//! From the file to the connection, each room is about one thing: [`key_file`] reads, [`pem`]
//! decodes, [`identity`] and [`chain`] make of it what TLS needs, [`server`] and [`tickets`] are
//! what all connections share; [`wire`] is one connection, [`handshake`] its beginning, [`opening`]
//! and [`reason`] say why there was none; [`relay`] decides what flows and ends when, [`pump`]
//! does it.

mod base64;
mod chain;
pub mod der;
mod handshake;
pub mod identity;
pub mod key_file;
mod opening;
pub mod pem;
mod pump;
mod reason;
mod relay;
mod server;
mod tickets;
mod wire;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

pub use pem::PemError;
pub use server::{LoadError, Server};

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use pump::Program;
use std::os::fd::OwnedFd;
use std::time::Duration;
use sys::process::Pid;
use wire::Wire;

/// The raw wait status that stands for "temporary trouble": a program that exits 111.
const TROUBLE: i32 = 111 << 8;

/// Serves one connection, in a process of its own: completes the handshake within `limit`, sends
/// `banner`, and relays between the peer and the program that `start` starts.
///
/// `start` gets the program's standard input and output (close-on-exec, blocking) and gives the
/// program's process, or the exit code that stands for it if there is none. It is called once the
/// handshake is complete, with signals as they were; the caller has already put back the
/// dispositions that its listener had changed. Afterwards SIGCHLD and SIGPIPE are ours.
///
/// `log` gets what goes wrong, one call for each line: the reason only, without program, address
/// or newline.
///
/// Gives the program's raw wait status; that of an exit with 111 if no handshake came about.
pub fn serve(
    server: &Server,
    stream: OwnedFd,
    limit: Duration,
    banner: &[u8],
    start: impl FnOnce(OwnedFd, OwnedFd) -> Result<Pid, u8>,
    log: &mut dyn FnMut(&[u8]),
) -> i32 {
    match begin(server, stream, limit, start) {
        Ok((wire, program)) => pump::run(wire, program, banner, log),
        Err(reason) => {
            log(reason.as_bytes());
            TROUBLE
        }
    }
}

fn begin(
    server: &Server,
    stream: OwnedFd,
    limit: Duration,
    start: impl FnOnce(OwnedFd, OwnedFd) -> Result<Pid, u8>,
) -> Result<(Wire, Program), String> {
    let tls = server.connection().map_err(|error| format!("unable to set up TLS: {error}"))?;
    let trouble = |verb: &str, error| format!("unable to {verb}: {}", reason::system(error));
    let mut wire = Wire::new(stream, tls).map_err(|error| trouble("set up connection", error))?;
    handshake::complete(&mut wire, limit)
        .map_err(|reason| format!("TLS handshake failed: {reason}"))?;
    let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(|error| trouble("create pipe", error));
    let ((program_input, input), (output, program_output)) = (pipe()?, pipe()?);
    let process = start(program_input, program_output).map_err(|code| i32::from(code) << 8);
    Ok((wire, Program { process, input, output }))
}
