//! mconnect: talks to a server, line by line.

use crate::client::{Channel, Server};
use common::{Exit, Failure, Name};
use sys::{Args, Env};

/// `mconnect [ -s ] [ HOST [ PORT ] ]`: sends what comes on standard input, with a carriage return before each
/// newline, and writes what the server sends to standard output. The host is this one, the port
/// SMTP's, unless they are given; with `-s` all goes through TLS, and the port is that of submissions.
///
/// # Errors
/// Those of tcpclient.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let (channel, args) = Channel::of(args);
    let port = match channel {
        Channel::Plain => c"25",
        Channel::Tls => c"465",
    };
    let server = Server::of(args, args.get(2).unwrap_or(port)).by(channel);
    Err(server.connect(Name("mconnect"), env))
}
