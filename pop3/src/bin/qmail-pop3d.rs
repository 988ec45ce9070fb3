//! qmail-pop3d: serves a Maildir by POP3, once the client is known.
#![no_std]
#![no_main]

common::program!(pop3::pop3d::run, resident);
