//! http@: print a page.
#![no_std]
#![no_main]

common::program!(ucspi::http_at::run);
