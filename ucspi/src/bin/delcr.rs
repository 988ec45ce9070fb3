//! delcr: take out the carriage return before each newline.
#![no_std]
#![no_main]

common::program!(ucspi::delcr::run);
