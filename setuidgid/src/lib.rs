//! What runs before a program and sets it up: ids, and the environment.
//!
//! A module is a program: its `run`, and what only it needs.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod child;
pub mod envdir;
pub mod envuidgid;
mod known;
pub mod setuidgid;
