//! svstat: tells what supervised services do.
#![no_std]
#![no_main]
common::program!(svc::svstat::run);
