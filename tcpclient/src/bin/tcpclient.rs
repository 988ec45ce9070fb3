//! tcpclient: make a TCP connection and run a program with it.
#![no_std]
#![no_main]

common::program!(tcpclient::tcpclient::run);
