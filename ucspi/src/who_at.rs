//! who@: prints who is logged in on a host.

use crate::client::Server;
use crate::visible::Visible;
use common::{Exit, Failure, Name};
use sys::{Args, Env};

/// `who@ [ HOST ]`: prints what the host, or this one, sends at port 11 (systat), without carriage returns at the
/// ends of lines, and with what isn't printable made visible.
///
/// # Errors
/// Those of tcpclient.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    Server::of(args, c"11").ask(Name("who@"), env, b"", Visible::default())
}
