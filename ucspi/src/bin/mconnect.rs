//! mconnect: talk to a server, line by line.
#![no_std]
#![no_main]

common::program!(ucspi::mconnect::run);
