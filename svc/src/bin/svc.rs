//! svc: steers supervised services.
#![no_std]
#![no_main]
common::program!(svc::svc::run);
