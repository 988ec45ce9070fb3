//! tcpserver-cert: makes the key and certificate for tcpserver's TLS.
#![no_main]

common::std_program!(tcpserver::certificate::run);
