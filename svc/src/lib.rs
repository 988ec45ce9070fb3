//! svc, svok, svstat and svup: the clients of supervised service directories. They know the protocol
//! (the library of `supervise`), and nothing of the process that speaks it on the other side.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod explanation;
mod look;
mod signal_name;
pub mod svc;
pub mod svok;
pub mod svstat;
pub mod svup;
mod text;
mod utc;
mod visit;
mod watch;
mod writer;
