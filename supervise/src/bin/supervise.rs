//! supervise: starts a service, and starts it again when it ends.
#![no_std]
#![no_main]
common::program!(supervise::run);
