//! pgrphack: run a program in a process group of its own.
#![no_std]
#![no_main]

common::program!(setuidgid::pgrphack::run);
