//! qmail-popup: asks a POP3 client for name and password, has them checked, and runs the next program.
#![no_std]
#![no_main]

common::program!(pop3::popup::run);
