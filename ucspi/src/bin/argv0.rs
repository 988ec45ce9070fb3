//! argv0: run a program under another name.
#![no_std]
#![no_main]

common::program!(ucspi::argv0::run);
