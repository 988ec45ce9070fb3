//! vpasswd: adds, changes, removes and lists the users of vchkpw's file.

#![no_main]

common::std_program!(checkpassword::vpasswd::run);
