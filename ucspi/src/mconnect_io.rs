//! mconnect-io: what mconnect and its like have tcpclient run.

use crate::addcr;
use crate::between::direction::Direction;
use crate::between::{self, Passage};
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use sys::io::fcntl_dupfd_cloexec;
use sys::signal::{Signal, ignore};
use sys::{Args, Env, Errno};

const NAME: Name = Name("mconnect-io");

/// `mconnect-io`: copies standard input to descriptor 7, with a carriage return before each newline, and
/// descriptor 6 to standard output, until the latter ends. Arguments mean nothing.
///
/// # Errors
/// Trouble with standard output, or a descriptor that isn't there: 111.
pub fn run(_: Args, _: Env) -> Result<Exit, Failure> {
    // Who doesn't read any more shows as EPIPE.
    ignore(Signal::PIPE);
    let fatal = |what: &[u8], errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[what], errno);
    let own = |number| {
        between::possess(number).map_err(|errno| fatal(b"unable to move descriptors", errno))
    };
    let from = sys::adopt(6).ok_or_else(|| fatal(b"unable to read descriptor 6", Errno::BADF))?;
    let to = sys::adopt(7).ok_or_else(|| fatal(b"unable to write descriptor 7", Errno::BADF))?;
    // The end of what we say isn't told. On a socket that is both descriptors it couldn't be, but where
    // they are two, as with TLS, the server would take it for the end of the conversation.
    let silent = fcntl_dupfd_cloexec(&to, 3);
    let _silent = silent.map_err(|errno| fatal(b"unable to move descriptors", errno))?;
    let mut said = Direction::new(Said, own(0)?, Some(to));
    let mut heard = Direction::new(Heard, Some(from), own(1)?);
    while let Some(hears) = heard.awaited() {
        let ready = between::wait([Some(hears), said.awaited()]);
        let Some([hears, says]) = ready.map_err(|errno| fatal(b"unable to copy", errno))? else {
            break;
        };
        if hears {
            heard.go_on();
        }
        if says {
            said.go_on();
        }
    }
    match heard.trouble() {
        None => Ok(Exit::OK),
        // Whoever reads has had enough.
        Some(Errno::PIPE) => Err(Failure::silent(Exit::TEMPORARY.0)),
        Some(errno) => Err(fatal(b"unable to write", errno)),
    }
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

/// What the server says.
struct Heard;

impl Passage for Heard {
    const READ: usize = 4096;

    fn pass(&mut self, input: &[u8], output: &mut Vec<u8>) {
        output.extend_from_slice(input);
    }

    fn end(&mut self) {}
}
