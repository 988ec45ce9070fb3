//! ucspi-proxy: connects who is served with the server that tcpclient has connected to.

use crate::between::direction::Direction;
use crate::between::{Passage, client};
use alloc::vec::Vec;
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
    client::copy(NAME, |input, output| Direction::telling(Said, input, output))
}

/// What is said to the server.
struct Said;

impl Passage for Said {
    const READ: usize = 4096;

    fn pass(&mut self, input: &[u8], output: &mut Vec<u8>) {
        output.extend_from_slice(input);
    }

    fn end(&mut self) {}
}
