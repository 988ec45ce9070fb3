//! svscanboot: svscan and readproctitle at boot.
#![no_std]
#![no_main]

common::program!(svscan::boot::run);
