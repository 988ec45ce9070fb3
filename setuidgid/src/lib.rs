//! What runs before a program and sets it up: ids, the environment, a lock, a process group.
//!
//! A module is a program: its `run`, and what only it needs.

#![cfg_attr(not(any(test, fuzzing)), no_std)]

extern crate alloc;

mod child;
pub mod envdir;
pub mod envini;
pub mod envuidgid;
pub mod fghack;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod ids;
mod known;
pub mod pgrphack;
pub mod setlock;
pub mod setuidgid;
pub mod setuser;
