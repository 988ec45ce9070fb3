//! tcpcat: print what a server sends.
#![no_std]
#![no_main]

common::program!(ucspi::tcpcat::run);
