//! tcpcat: prints what a server sends.

use crate::client::{Channel, Server};
use common::{Exit, Failure, Name};
use sys::fs::{Mode, OFlags, open};
use sys::stdio::dup2_stdin;
use sys::{Args, Env};

const NAME: Name = Name("tcpcat");

/// `tcpcat [ -s ] [ HOST [ PORT ] ]`: writes what the server sends to standard output, as it is. The host is
/// this one, the port that of the quotation of the day, unless they are given; with `-s` it comes by TLS.
///
/// # Errors
/// Those of tcpclient.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    // Nothing is sent: mconnect-io has nothing to read.
    open(c"/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .and_then(dup2_stdin)
        .map_err(|errno| {
            NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to open /dev/null"], errno)
        })?;
    let (channel, args) = Channel::of(args);
    let server = Server::of(args, args.get(2).unwrap_or(c"17")).by(channel);
    Err(server.connect(NAME, env))
}
