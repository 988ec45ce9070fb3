//! What keeps a log. A module is a program, or what several of them share.

#![cfg_attr(not(any(test, fuzzing)), no_std)]

extern crate alloc;

mod crc32;
#[cfg(test)]
mod cut;
mod expansion;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod gzip;
mod input;
mod iso;
mod pieces;
mod wall;
mod zstandard;

pub mod multilog;
pub mod splogger;
pub mod svlog;
pub mod tai64n;
pub mod tai64nlocal;
