//! svscan, svscanboot and readproctitle: every service of a host, from boot on.
//!
//! svscan is [`daemon`]: it lists the scan [`directory`], asks the [`plan`] what to start, and starts it ([`launch`]). A
//! service and its logger are joined by a [`logpipe`]; [`watch`] tells at once when something changes. svscanboot is
//! [`boot`], readproctitle is [`title`].

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod boot;
pub mod complaint;
pub mod daemon;
pub mod directory;
pub mod launch;
pub mod logpipe;
pub mod plan;
pub mod title;
pub mod watch;
