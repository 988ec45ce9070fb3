//! finger@: prints what a host tells of a user.

use crate::client::Server;
use crate::visible::Visible;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::{Args, Env};

/// `finger@ [ HOST [ USER ] ]`: sends the user, or an empty line, to port 79 (finger, RFC 1288) of the host, or of
/// this one, and prints the answer, without carriage returns at the ends of lines, and with what
/// isn't printable made visible.
///
/// # Errors
/// Those of tcpclient.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let user = args.get(2).map_or(&b""[..], CStr::to_bytes);
    let request = [user, b"\n"].concat();
    Server::of(args, c"79").ask(Name("finger@"), env, &request, Visible::default())
}
