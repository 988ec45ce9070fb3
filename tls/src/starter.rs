//! The program's process, while it isn't the program yet.
//!
//! It is forked before the cage is shut, since nobody gets out of there, and waits for word from the
//! relay that the handshake is complete. Then it runs the program. No word, no program.

use crate::exports::{Exports, LONGEST};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use sys::fork::exit;

/// Waits for the relay's word and calls `run`, which runs the program and comes back, with an exit
/// code, only if it can't.
pub(crate) fn wait(notice: OwnedFd, run: impl FnOnce(&Exports) -> u8) -> ! {
    let exports = received(notice);
    exit(exports.map_or(111, |exports| run(&exports)))
}

/// `None`: the relay has ended without a word, or said what no relay says.
pub(crate) fn received(notice: OwnedFd) -> Option<Exports> {
    let mut message = Vec::with_capacity(1024);
    // One more than there can be, to tell that there is too much.
    File::from(notice).take(LONGEST as u64 + 1).read_to_end(&mut message).ok()?;
    Exports::read(&message)
}
