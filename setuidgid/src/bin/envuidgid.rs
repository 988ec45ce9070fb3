//! envuidgid: run a program with an account's ids in its environment.
#![no_std]
#![no_main]

common::program!(setuidgid::envuidgid::run);
