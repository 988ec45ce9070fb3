//! svscan, svscanboot and readproctitle: every service of a host, from boot on.
//!
//! svscan is [`daemon`]: it lists the scan [`directory`], asks the [`plan`] what to start and the [`batch`] how many, and
//! starts them ([`launch`]). A service and its logger are joined by a [`logpipe`]; [`watch`] tells at once when something
//! changes, also on the [`trail`] that a link leads; [`ignored`] entries are said once. [`stop`] is the order in which all
//! of it ends. A [`site`] is a service directory as svscan talks to it; there is the [`chosen`] service on which all
//! depends, and svscan's [`own_log`]. svscanboot is [`boot`], readproctitle is [`title`].

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod batch;
pub mod boot;
pub mod chosen;
pub mod complaint;
pub mod daemon;
pub mod directory;
pub mod ignored;
pub mod launch;
pub mod logpipe;
pub mod options;
pub mod own_log;
pub mod plan;
pub mod site;
pub mod stop;
pub mod title;
pub mod trail;
pub mod watch;
