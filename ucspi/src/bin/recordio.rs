//! recordio: record the input and output of a program.
#![no_std]
#![no_main]

common::program!(ucspi::recordio::run);
