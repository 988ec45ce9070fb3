//! date@: prints the date of a host.

use crate::client::Server;
use crate::visible::Visible;
use common::{Exit, Failure, Name};
use sys::{Args, Env};

/// `date@ [ HOST ]`: prints what the host, or this one, sends at port 13 (daytime), without carriage returns at the
/// ends of lines, and with what isn't printable made visible.
///
/// # Errors
/// Those of tcpclient.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    Server::of(args, c"13").ask(Name("date@"), env, b"", Visible::default())
}
