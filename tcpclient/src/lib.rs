//! tcpclient, and what it asks: connections to be made, by name, one address after the other; and the
//! other end's word about who has made one ([`ident`]).

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod ident;
mod socket;
pub mod tcpclient;
