//! tcpserver: accepts TCP connections and runs a program for each.
#![no_main]

common::std_program!(tcpserver::run);
