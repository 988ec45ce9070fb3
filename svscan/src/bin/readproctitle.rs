//! readproctitle: the last messages in a command line.
#![no_std]
#![no_main]

common::program!(svscan::title::run, resident);
