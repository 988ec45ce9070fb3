//! rblsmtpd: refuse mail from hosts that are on a list.
#![no_std]
#![no_main]

common::program!(ucspi::rblsmtpd::run);
