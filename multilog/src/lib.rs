//! What keeps a log. A module is a program.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod splogger;
pub mod tai64n;
pub mod tai64nlocal;
