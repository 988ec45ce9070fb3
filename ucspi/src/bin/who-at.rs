//! who@: print who is logged in on a host.
#![no_std]
#![no_main]

common::program!(ucspi::who_at::run);
