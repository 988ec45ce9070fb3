//! Handing the connection over at the descriptors that UCSPI clients have it at.

use super::NAME;
use crate::handover::{READ, WRITE, put};
use common::{Exit, Failure};
use sys::OwnedFd;

/// Where the program reads, and where it writes.
const PLACES: [(i32, &[u8]); 2] =
    [(READ, b"unable to set up descriptor 6"), (WRITE, b"unable to set up descriptor 7")];

/// Puts the connection there. What was there before is closed; the socket itself is never there.
pub(super) fn hand_over(socket: &OwnedFd) -> Result<(), Failure> {
    PLACES.iter().try_for_each(|(number, what)| {
        put(socket, *number).map_err(|errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[what], errno))
    })
}
