//! checkpassword: runs a program as the account whose name and password come on descriptor 3.

#![no_main]

common::std_program!(checkpassword::host::run);
