//! maildirmake: make a Maildir.
#![no_std]
#![no_main]

common::program!(pop3::maildirmake::run);
