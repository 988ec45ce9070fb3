//! date@: print the date of a host.
#![no_std]
#![no_main]

common::program!(ucspi::date_at::run);
