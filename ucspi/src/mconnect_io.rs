//! mconnect-io: what mconnect and its like have tcpclient run.

use crate::addcr;
use crate::between::{Passage, client};
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use sys::{Args, Env};

const NAME: Name = Name("mconnect-io");

/// `mconnect-io`: copies standard input to descriptor 7, with a carriage return before each newline, and
/// descriptor 6 to standard output, until the latter ends. Arguments mean nothing.
///
/// # Errors
/// Trouble with standard output, or a descriptor that isn't there: 111.
pub fn run(_: Args, _: Env) -> Result<Exit, Failure> {
    client::copy(NAME, Said, client::AtEnd::BeSilent)
}

/// What we say to the server.
struct Said;

impl Passage for Said {
    const READ: usize = 1024;

    fn pass(&mut self, input: &[u8], output: &mut Vec<u8>) {
        addcr::add(input, output);
    }

    fn end(&mut self) {}
}
