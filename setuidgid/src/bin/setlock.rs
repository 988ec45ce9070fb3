//! setlock: run a program that holds the lock on a file.
#![no_std]
#![no_main]

common::program!(setuidgid::setlock::run);
