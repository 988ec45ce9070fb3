//! svok: tells whether a service is supervised.
#![no_std]
#![no_main]
common::program!(svc::svok::run);
