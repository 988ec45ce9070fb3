//! supervise, and the protocol of a supervised service directory, which svc, svok, svstat and
//! svscan speak too.
//!
//! The protocol is [`place`] (where its files are), [`status`] and [`detail`] (what a service does),
//! [`command`] (the letters that steer it) and [`client`] (how to reach whoever supervises it).
//!
//! The rest is supervise's own. [`machine`] decides, [`daemon`] carries out. [`options`] is what a
//! service directory asks for, [`scripts`] how it is run, [`service`] a process that is supervised,
//! [`part`] all that is known of a service or its log, [`pace`] when it may be started again.
//! [`directory`] and [`record`] keep what must outlive the process, [`logpipe`] and [`readiness`] are
//! the pipes, [`logger`] knows when a logger may end.

#![cfg_attr(not(any(test, fuzzing)), no_std)]

extern crate alloc;

pub mod client;
pub mod command;
pub mod daemon;
pub mod detail;
pub mod directory;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
pub mod logger;
pub mod logpipe;
pub mod machine;
pub mod options;
pub mod pace;
pub mod part;
pub mod place;
pub mod procfs;
pub mod readiness;
pub mod record;
pub mod scripts;
pub mod service;
pub mod status;

pub use daemon::run;
