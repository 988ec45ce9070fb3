//! The POP3 chain: qmail-popup (who are you?), qmail-pop3d (your mail), and maildirmake.
//!
//! Each state of the protocol is a pure machine, a line of the client's in and an effect out
//! ([`login`], [`transaction`]); [`popup`] and [`pop3d`] are the programs that carry the effects
//! out. Between them stands a checker such as checkpassword ([`checker`]), and nothing else: they
//! share no more than RFC 1939 and the descriptors.

#![cfg_attr(not(any(test, fuzzing)), no_std)]

extern crate alloc;

pub mod admission;
pub mod base64;
pub mod capabilities;
pub mod checker;
pub mod client;
pub mod command;
pub mod credentials;
pub mod encoding;
pub mod exchange;
pub mod failure_log;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
pub mod language;
pub mod line;
pub mod listing;
pub mod login;
pub mod maildir;
pub mod maildirmake;
pub mod maildrop;
pub mod memory;
pub mod message;
pub mod names;
pub mod output;
pub mod penalty;
pub mod pop3d;
pub mod popup;
pub mod secret;
pub mod server;
pub mod size_file;
pub mod stamp;
pub mod transaction;
pub mod ucspi_tls;
pub mod unique_id;
pub mod update;
pub mod ways;
