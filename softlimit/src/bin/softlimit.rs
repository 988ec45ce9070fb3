//! softlimit: run a program under new soft resource limits.
#![no_std]
#![no_main]

common::program!(softlimit::run);
