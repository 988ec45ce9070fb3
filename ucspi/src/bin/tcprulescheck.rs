//! tcprulescheck: what tcpserver's rules say about a client.
#![no_std]
#![no_main]

common::program!(ucspi::tcprulescheck::run);
