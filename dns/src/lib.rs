//! Names and addresses for programs without a C library, and without NSS in their process.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod address;
pub mod config;
pub mod hosts;
pub mod message;
pub mod name;
pub mod qualify;
pub mod resolve;
#[cfg(test)]
mod scratch;
pub mod services;

pub use name::DomainName;
