//! addcr: put a carriage return before each newline.
#![no_std]
#![no_main]

common::program!(ucspi::addcr::run);
