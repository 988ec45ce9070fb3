//! https@: print a page that comes by TLS.
#![no_std]
#![no_main]

common::program!(ucspi::http_at::run_over_tls);
