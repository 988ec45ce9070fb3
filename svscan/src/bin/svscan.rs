//! svscan: every service of a directory under supervise.
#![no_std]
#![no_main]

common::program!(svscan::daemon::run, resident);
