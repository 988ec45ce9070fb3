//! The small runtime under daemontools-rs, and its only crate with unsafe code but for the calls of libpam in
//! `checkpassword-pam`.
//!
//! Ordinary system calls come from rustix, re-exported here without its `std` feature. What rustix
//! doesn't offer is built here, each behind a safe face: the start of a program without a C
//! library ([`entry!`]), its memory ([`alloc`], [`mem`]), `execve` with the originals' search of
//! `PATH` ([`exec`]), a vfork-like spawn with exact hand-over ([`spawn`]), `fork` ([`mod@fork`]),
//! signal dispositions and masks ([`signal`]), `ppoll` ([`poll`]), filters for system calls
//! ([`seccomp`]), and accounts without NSS ([`account`]).
//!
//! Two modes (see build.rs): **freestanding**, where a handful of system calls is made by hand
//! (`raw/freestanding.rs`), and **hosted**, where the C library makes them (`raw/hosted.rs`).
//! Nothing else differs. Every function may be used from an ordinary std program too.

#![cfg_attr(not(test), no_std)]

extern crate alloc as alloc_crate;

pub mod account;
pub mod alloc;
pub mod args;
pub mod clock;
pub mod descriptor;
pub mod exec;
pub mod fork;
mod lines;
mod lock;
pub mod mem;
pub mod outgoing;
pub mod poll;
mod raw;
pub mod rights;
pub mod seccomp;
pub mod signal;
pub mod spawn;
pub mod start;
pub mod title;

pub use args::{Args, Env, Vector};
pub use descriptor::{
    adopt, borrow, close_all_but, read, read_at, read_whole_at, write_all, write_all_at,
};
pub use lines::lines;
pub use lock::{LEFT_OVER, lock};
pub use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
pub use rustix::io::Errno;
pub use rustix::{
    buffer, event, fd, fs, io, mm, net, pipe, process, rand, stdio, system, termios, thread, time,
};
