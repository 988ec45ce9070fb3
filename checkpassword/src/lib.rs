//! checkpassword and vchkpw: may this user log in, and if so, run the next program as them. And vpasswd, which looks after
//! vchkpw's users.
//!
//! Both checkers speak the checkpassword interface (<https://cr.yp.to/checkpwd/interface.html>): login name
//! and password come on descriptor 3 ([`request`]), the next program is in the arguments. Exit
//! codes, where the next program is not reached:
//!
//! | code | meaning |
//! | --- | --- |
//! | 1 | the login is not acceptable; nothing is said, the caller logs it |
//! | 2 | misused: no program, or no login and password on descriptor 3 |
//! | 3 | for [`dovecot`] only: there is no such user |
//! | 111 | temporary trouble, told on standard error |
//!
//! checkpassword ([`host`]) asks the host's accounts, vchkpw ([`virtual_users`]) a file of its own ([`users`]) or
//! vpopmail's ([`mod@vpopmail`]), where secrets may be kept for APOP and CRAM-MD5 ([`digest`]).
//! What they share: the password hashes ([`hash`]) and the memory that these need under a
//! service's soft limits ([`check`], [`memory`]), and the way into the program ([`handover`]).

pub mod age;
pub mod check;
pub mod digest;
pub mod dovecot;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
pub mod handover;
pub mod hash;
pub mod host;
pub mod lines;
pub mod memory;
pub mod request;
pub mod users;
pub mod virtual_users;
pub mod vpasswd;
pub mod vpopmail;

use common::Exit;

/// The login is not acceptable: unknown, wrong password, locked, expired.
pub const REFUSED: Exit = Exit(1);

/// The program was misused: no program to run, or not the right data on descriptor 3.
pub const MISUSED: Exit = Exit(2);
