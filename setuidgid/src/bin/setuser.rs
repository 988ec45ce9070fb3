//! setuser: run a program as an account, in its home directory and with its environment.
#![no_std]
#![no_main]

common::program!(setuidgid::setuser::run);
