//! checkpassword-pam: checkpassword, with PAM to say who may log in.

#![no_main]

common::std_program!(checkpassword_pam::run);
