//! mconnect: talks to a server, line by line.

use crate::client::Server;
use common::{Exit, Failure, Name};
use sys::{Args, Env};

/// `mconnect [ HOST [ PORT ] ]`: sends what comes on standard input, with a carriage return before each
/// newline, and writes what the server sends to standard output. The host is this one, the port
/// SMTP's, unless they are given.
///
/// # Errors
/// Those of tcpclient.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let server = Server::of(args, args.get(2).unwrap_or(c"25"));
    Err(server.connect(Name("mconnect"), env))
}
