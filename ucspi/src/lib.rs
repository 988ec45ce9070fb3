//! The rules that tcpserver asks, and the small programs of ucspi-tcp that run beside it
//! and beside tcpclient.
//!
//! [`rules`] and [`cdb`] are what tcpserver, tcprules and tcprulescheck share. Every other public
//! module is a program: its `run`, and what only it needs.

#![cfg_attr(not(any(test, fuzzing)), no_std)]

extern crate alloc;

pub mod addcr;
pub mod argv0;
mod between;
pub mod cdb;
mod child;
mod client;
pub mod date_at;
pub mod delcr;
mod filter;
pub mod finger_at;
pub mod fixcrio;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
pub mod http_at;
pub mod mconnect;
pub mod mconnect_io;
pub mod rblsmtpd;
pub mod recordio;
pub mod rules;
pub mod tcpcat;
pub mod tcprules;
pub mod tcprulescheck;
pub mod ucspi_proxy;
mod visible;
pub mod who_at;
