//! svup: tells whether a service is up.
#![no_std]
#![no_main]
common::program!(svc::svup::run);
