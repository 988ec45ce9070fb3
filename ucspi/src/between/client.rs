//! Standing between the standard descriptors and a connection that tcpclient has made: the frame of
//! mconnect-io and ucspi-proxy.

use super::direction::Direction;
use super::flow::Passage;
use super::{possess, wait};
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use sys::Errno;
use sys::io::fcntl_dupfd_cloexec;
use sys::signal::{Signal, ignore};

const MOVE: &[u8] = b"unable to move descriptors";

/// What the server learns when standard input has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum AtEnd {
    /// That nothing more comes; it may still have something to say.
    Tell,
    /// Nothing. On a socket that is both descriptors it would have to be told; but where they are two,
    /// as with TLS, the server would take their end for the end of the conversation.
    BeSilent,
}

/// Copies standard input to descriptor 7, through `said`, and descriptor 6 to standard output, as it
/// is, until the latter ends.
///
/// # Errors
/// Trouble with standard output, or a descriptor that isn't there: 111.
pub(crate) fn copy<P: Passage>(name: Name, said: P, at_end: AtEnd) -> Result<Exit, Failure> {
    // Who doesn't read any more shows as EPIPE.
    ignore(Signal::PIPE);
    let fatal = |what: &[u8], errno| name.fatal_errno(Exit::TEMPORARY.0, &[what], errno);
    let own = |number| possess(number).map_err(|errno| fatal(MOVE, errno));
    let from = sys::adopt(6).ok_or_else(|| fatal(b"unable to read descriptor 6", Errno::BADF))?;
    let to = sys::adopt(7).ok_or_else(|| fatal(b"unable to write descriptor 7", Errno::BADF))?;
    let mut kept = None;
    let mut said = if at_end == AtEnd::Tell {
        Direction::telling(said, own(0)?, Some(to))
    } else {
        kept = Some(fcntl_dupfd_cloexec(&to, 3).map_err(|errno| fatal(MOVE, errno))?);
        Direction::new(said, own(0)?, Some(to))
    };
    let mut heard = Direction::new(AsIs, Some(from), own(1)?);
    while let Some(hears) = heard.awaited() {
        let ready = wait([Some(hears), said.awaited()]);
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
    drop(kept);
    match heard.trouble() {
        None => Ok(Exit::OK),
        // Whoever reads has had enough.
        Some(Errno::PIPE) => Err(Failure::silent(Exit::TEMPORARY.0)),
        Some(errno) => Err(fatal(b"unable to write", errno)),
    }
}

/// What passes unchanged.
pub(crate) struct AsIs;

impl Passage for AsIs {
    const READ: usize = 4096;

    fn pass(&mut self, input: &[u8], output: &mut Vec<u8>) {
        output.extend_from_slice(input);
    }

    fn end(&mut self) {}
}
