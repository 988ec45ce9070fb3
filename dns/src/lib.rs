//! Names and addresses for programs without a C library, and without NSS in their process.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod name;

pub use name::DomainName;
