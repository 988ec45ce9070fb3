//! tcprules: compile rules for tcpserver.
#![no_std]
#![no_main]

common::program!(ucspi::tcprules::run, resident);
