//! tcpclient, and what it asks: connections to be made, by name, one address after the other; and the
//! other end's word about who has made one ([`ident`]). [`handover`] is what programs on a connection agree on.

#![cfg_attr(not(any(test, fuzzing)), no_std)]

extern crate alloc;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
pub mod handover;
pub mod ident;
mod socket;
pub mod tcpclient;
