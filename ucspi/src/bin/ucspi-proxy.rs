//! ucspi-proxy: connects who is served with another server.
#![no_std]
#![no_main]

common::program!(ucspi::ucspi_proxy::run);
