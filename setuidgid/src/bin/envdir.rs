//! envdir: run a program with variables from a directory of files.
#![no_std]
#![no_main]

common::program!(setuidgid::envdir::run);
