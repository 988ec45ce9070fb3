//! tai64n: put a TAI64N label before each line.
#![no_std]
#![no_main]

common::program!(multilog::tai64n::run);
