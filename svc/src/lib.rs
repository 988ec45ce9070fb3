//! svc, svok and svstat: the clients of supervised service directories. They know the protocol
//! (the library of `supervise`), and nothing of the process that speaks it on the other side.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod svc;
pub mod svok;
pub mod svstat;
mod visit;
