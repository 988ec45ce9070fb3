//! svlog: show the logs of services, in order.
#![no_std]
#![no_main]

common::program!(multilog::svlog::run, resident);
