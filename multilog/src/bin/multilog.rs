//! multilog: keep logs that rotate by themselves.
#![no_std]
#![no_main]

common::program!(multilog::multilog::run, resident);
