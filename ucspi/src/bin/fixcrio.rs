//! fixcrio: put a carriage return before each newline that a program reads or writes.
#![no_std]
#![no_main]

common::program!(ucspi::fixcrio::run);
