//! tcpclient: makes a TCP connection and runs a program with it.

mod attempts;
mod connection;
mod descriptors;
mod destination;
mod encryption;
mod options;
mod surroundings;

use common::{Exit, Failure, Name, decimal};
use connection::Connection;
use core::net::SocketAddr;
use options::{Options, Verbosity};
use sys::exec::Program;
use sys::{Args, Env};

const NAME: Name = Name("tcpclient");

/// `tcpclient OPTIONS HOST PORT PROGRAM ARGUMENTS`: connects, and becomes the program, which has the
/// connection at descriptors 6 (to read) and 7 (to write), and knows its two ends from the environment.
/// With `-s`, tlsclient comes in between, and what the program has there is a relay's.
///
/// # Errors
/// Wrong usage: 100. No address, no connection, a program that can't be run: 111. With `-q` nothing is
/// said of what goes wrong, but for wrong options.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let options = Options::parse(args)?;
    let failure = match connect_and_run(&options, env) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    Err(match options.verbosity {
        Verbosity::Quiet => Failure::silent(failure.code),
        Verbosity::Errors | Verbosity::Verbose => failure,
    })
}

fn connect_and_run(options: &Options, env: Env) -> Result<core::convert::Infallible, Failure> {
    let name = options.host()?;
    let host = name.to_bytes();
    // The original, too, misses the program only once it has understood the port.
    let port = destination::port(options.port()?.to_bytes())?;
    let program = options.program()?;
    let mut resolver = surroundings::resolver(env);
    let addresses = destination::addresses(host, options, &mut resolver)?;
    let connection = connect(options, &addresses, port)?;
    if options.verbosity == Verbosity::Verbose {
        say(b"connected to ", connection.remote, None);
    }
    let environment = surroundings::describe(&connection, options, &mut resolver, env);
    descriptors::hand_over(&connection.socket)?;
    let path = environment.get(b"PATH");
    if options.tls.wanted() {
        let (arguments, environment) = (options.arguments(), environment.vector());
        return Err(options.tls.exec(name, options.verbosity, arguments, path, &environment));
    }
    let errno =
        Program::find(program, path).exec(&options.arguments().vector(), &environment.vector());
    let parts: [&[u8]; 2] = [b"unable to run ", program.to_bytes()];
    Err(NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno))
}

/// Tries the addresses as [`attempts`] has it. Each failure that isn't made up for later is told at once.
fn connect(
    options: &Options,
    addresses: &[core::net::IpAddr],
    port: u16,
) -> Result<Connection, Failure> {
    let mut attempts = attempts::Attempts::new(addresses.len(), options.patience);
    while let Some(attempt) = attempts.next() {
        let remote = SocketAddr::new(addresses[attempt.place], port);
        match Connection::open(remote, options.local, attempt.wait) {
            Ok(connection) => {
                if options.no_delay {
                    connection.send_at_once();
                }
                return Ok(connection);
            }
            Err(connection::Refused::ByUs(failure)) => return Err(failure),
            Err(connection::Refused::There(errno)) => {
                if attempts.failed(attempt, errno) && options.verbosity != Verbosity::Quiet {
                    say(b"unable to connect to ", remote, Some(errno));
                }
            }
        }
    }
    Err(Failure::silent(Exit::TEMPORARY.0))
}

/// `tcpclient: WHAT ADDRESS port PORT`, with the reason.
fn say(what: &[u8], remote: SocketAddr, errno: Option<sys::Errno>) {
    let (address, port) = (dns::address::text(remote.ip()), decimal(remote.port().into()));
    let reason = errno.map_or("", common::reason);
    let colon: &[u8] = if errno.is_some() { b": " } else { b"" };
    NAME.info(&[what, &address, b" port ", port.as_bytes(), colon, reason.as_bytes()]);
}
