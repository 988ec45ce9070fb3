//! envini: run a program with variables from an INI file.
#![no_std]
#![no_main]

common::program!(setuidgid::envini::run);
