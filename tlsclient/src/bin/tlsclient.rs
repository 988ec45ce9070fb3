//! tlsclient: talk TLS on a connection and run a program with it.
#![no_main]

common::std_program!(tlsclient::run);
