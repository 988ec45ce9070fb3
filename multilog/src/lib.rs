//! What keeps a log. A module is a program, or what several of them share.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod input;
mod pieces;

pub mod multilog;
pub mod splogger;
pub mod tai64n;
pub mod tai64nlocal;
