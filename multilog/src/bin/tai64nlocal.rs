//! tai64nlocal: make a TAI64N label at the start of a line a local time.
#![no_std]
#![no_main]

common::program!(multilog::tai64nlocal::run);
