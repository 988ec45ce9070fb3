//! What all programs of daemontools-rs share: how they start and end, how they read options and
//! numbers, how they say what is wrong, time labels, dates, and the environment that they hand on.

#![cfg_attr(not(any(test, fuzzing)), no_std)]

extern crate alloc;

pub mod base64;
pub mod calendar;
pub mod diagnostic;
pub mod env;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
pub mod getopt;
pub mod number;
mod program;
pub mod reason;
pub mod tai64n;
pub mod takeover;

pub use diagnostic::{Exit, Failure, Name};
pub use number::{Decimal, decimal};
#[doc(hidden)]
pub use program::finish;
pub use reason::reason;
#[doc(hidden)]
pub use sys;
