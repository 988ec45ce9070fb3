//! Names and addresses for programs without a C library, and without NSS in their process: the DNS
//! client of tcpserver, tcpclient and rblsmtpd.
//!
//! [`Resolver`] is what they use. Below it, from the outside in: what the host wants ([`config`],
//! [`qualify`]), what it knows itself ([`hosts`], [`services`]), the sockets, the way of a question
//! from server to server ([`resolve`], pure), and the format of what is sent ([`message`],
//! [`name`]).

#![cfg_attr(not(any(test, fuzzing)), no_std)]

extern crate alloc;

pub mod address;
mod channel;
pub mod config;
mod exchange;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
pub mod hosts;
pub mod message;
pub mod name;
pub mod qualify;
pub mod resolve;
mod resolver;
#[cfg(test)]
mod scratch;
pub mod services;

pub use address::Families;
pub use config::{Environment, Places};
pub use name::DomainName;
pub use resolver::{Resolver, Unresolved};
