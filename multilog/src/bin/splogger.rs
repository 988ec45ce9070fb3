//! splogger: hand what a service says to the host's syslog.
#![no_std]
#![no_main]

common::program!(multilog::splogger::run, resident);
