//! mconnect-io: what mconnect runs with its connection.
#![no_std]
#![no_main]

common::program!(ucspi::mconnect_io::run);
