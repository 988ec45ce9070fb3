//! setuidgid: run a program under an account's ids.
#![no_std]
#![no_main]

common::program!(setuidgid::setuidgid::run);
