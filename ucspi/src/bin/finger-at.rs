//! finger@: print what a host tells of a user.
#![no_std]
#![no_main]

common::program!(ucspi::finger_at::run);
