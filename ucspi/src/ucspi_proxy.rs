//! ucspi-proxy: connects who is served with the server that tcpclient has connected to.

use crate::between::client::{self, AsIs, AtEnd};
use common::{Exit, Failure, Name};
use sys::{Args, Env};

const NAME: Name = Name("ucspi-proxy");

/// `ucspi-proxy`: copies standard input to descriptor 7, and descriptor 6 to standard output, byte for
/// byte, until the latter ends. The end of standard input is told to the server, which may still have
/// something to say. Arguments mean nothing.
///
/// # Errors
/// Trouble with standard output, or a descriptor that isn't there: 111.
pub fn run(_: Args, _: Env) -> Result<Exit, Failure> {
    client::copy(NAME, AsIs, AtEnd::Tell)
}
