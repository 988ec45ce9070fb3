//! fghack: keep a program that goes to the background in the foreground.
#![no_std]
#![no_main]

common::program!(setuidgid::fghack::run);
