//! The orderly stop: who is told to end, and when. No system call is made here.
//!
//! Each service's supervise is told `dx`, and its logger's when that is gone: first `cox`, and when it has heard that this is
//! the logger's last run, the pipe loses its writer, so that the logger ends by itself when it has read all; then `dx`, if it
//! doesn't. The logger of svscan's own messages is the last.
//!
//! | a supervise was | is there | and so |
//! | --- | --- | --- |
//! | not told yet | no | it is over |
//! | not told yet | no, and its pipe holds what its logger is to read | gets a successor, as below |
//! | not told yet | yes | is told; if it can't be reached for [`REACH`], it gets TERM |
//! | not told yet | no, it was killed and its service runs on | gets a successor, which is told; if there is none within [`REACH`], it is over |
//! | told | no | it is over |
//! | told `cox` | yes, and has heard it, or hasn't for [`REACH`] | the pipe's writer goes |
//! | told `cox` | yes, and the pipe has been empty for [`EMPTY`] | is told `dx` |
//! | told `cox` | yes, and nothing has been read for [`STUCK`] | is told `dx` |
//! | told `dx` | yes | is waited for |
//! | told | no, it was killed and its service runs on | is as if not told yet |

use crate::plan::{Identity, Post, Role};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

/// How long a supervise may be out of reach. One that has just been started makes its FIFO before its service.
pub const REACH: Duration = Duration::from_secs(1);

/// How long a logger that has read everything may take to end by itself.
pub const EMPTY: Duration = Duration::from_secs(1);

/// How long a logger may read nothing, though there is something.
pub const STUCK: Duration = Duration::from_secs(10);

/// How often is said who is waited for.
pub const REMIND: Duration = Duration::from_secs(10);

/// How often is looked, where nothing tells.
pub const TICK: Duration = Duration::from_millis(100);

/// How often is looked whether somebody has heard what he was told.
pub const BLINK: Duration = Duration::from_millis(2);

/// A stop under way.
#[derive(Debug)]
pub struct Stop {
    targets: BTreeMap<Post, Target>,
    own: Option<Identity>,
    remind: Duration,
}

/// What is seen of a supervise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Nobody holds its place.
    Gone {
        /// Bytes in its pipe that nobody has read, if it is that of a logger that isn't wanted down.
        unread: u64,
    },
    /// Nobody holds its place, but what it was to look after runs on: it was killed.
    Left,
    /// It is there.
    There {
        /// Whether it has read what it was told.
        heard: bool,
        /// Bytes in its pipe that nobody has read, if it is a logger's.
        unread: u64,
    },
}

/// What is to be done about a supervise now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Nothing.
    Wait,
    /// Start another one, which takes over what runs there.
    Succeed,
    /// Tell it to end when its logger has, which is to read on: `cox`.
    Finish,
    /// Let go of the pipe that its logger reads.
    EndInput,
    /// Tell it to end: `dx`.
    End,
    /// Send it TERM: it can't be told.
    Terminate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Since when it is its turn.
    Untold {
        since: Option<Duration>,
    },
    /// Since when it has been told that this is its logger's last run.
    Asked {
        since: Duration,
    },
    /// Since when so many bytes have been there.
    Reading {
        unread: u64,
        since: Duration,
    },
    Told,
    Over,
}

impl Stop {
    /// All of these are to end; the logger of `own` after all others.
    #[must_use]
    pub fn new(posts: &[Post], own: Option<Identity>, now: Duration) -> Self {
        let untold = |post: &Post| (*post, Target::Untold { since: None });
        Self { targets: posts.iter().map(untold).collect(), own, remind: now + REMIND }
    }

    /// Those whose turn it is, and who aren't over.
    #[must_use]
    pub fn turn(&self) -> Vec<Post> {
        let waiting = |post: &Post| self.targets.get(post).is_some_and(|t| *t != Target::Over);
        let mine = |post: &&Post| match post.role {
            _ if self.own == Some(post.id) => {
                self.targets.keys().all(|p| p == *post || !waiting(p))
            }
            Role::Service => true,
            Role::Logger => !waiting(&Post { id: post.id, role: Role::Service }),
        };
        self.targets.keys().filter(|post| waiting(post)).filter(mine).copied().collect()
    }

    /// Whether all are over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.targets.values().all(|target| *target == Target::Over)
    }

    /// What to do about one whose turn it is.
    pub fn see(&mut self, post: Post, seen: Seen, now: Duration) -> Order {
        let Some(target) = self.targets.get_mut(&post) else { return Order::Wait };
        let (next, order) = match (*target, seen) {
            (Target::Untold { since }, Seen::Left | Seen::Gone { unread: 1.. }) => {
                let since = since.unwrap_or(now);
                if now >= since + REACH {
                    (Target::Over, Order::Wait)
                } else {
                    (Target::Untold { since: Some(since) }, Order::Succeed)
                }
            }
            (_, Seen::Gone { .. }) => (Target::Over, Order::Wait),
            (Target::Asked { .. } | Target::Reading { .. } | Target::Told, Seen::Left) => {
                (Target::Untold { since: Some(now) }, Order::Succeed)
            }
            (Target::Untold { since }, Seen::There { .. }) => {
                let since = since.unwrap_or(now);
                let order = if now >= since + REACH { Order::Terminate } else { ask(post.role) };
                (Target::Untold { since: Some(since) }, order)
            }
            // A logger that ends before its supervise has heard that would be started once more.
            (Target::Asked { since }, Seen::There { heard, unread }) => {
                if heard || now >= since + REACH {
                    (Target::Reading { unread, since: now }, Order::EndInput)
                } else {
                    (*target, Order::Wait)
                }
            }
            (Target::Reading { unread, .. }, Seen::There { unread: left, .. })
                if unread != left =>
            {
                (Target::Reading { unread: left, since: now }, Order::Wait)
            }
            (Target::Reading { unread, since }, Seen::There { .. }) => {
                let patience = if unread == 0 { EMPTY } else { STUCK };
                (*target, if now >= since + patience { Order::End } else { Order::Wait })
            }
            (Target::Told, Seen::There { .. })
            | (Target::Over, Seen::Left | Seen::There { .. }) => (*target, Order::Wait),
        };
        *target = next;
        order
    }

    /// An order was carried out.
    pub fn told(&mut self, post: Post, order: Order, now: Duration) {
        let Some(target) = self.targets.get_mut(&post) else { return };
        *target = match order {
            Order::Wait | Order::Succeed | Order::EndInput => return,
            Order::Finish => Target::Asked { since: now },
            Order::End | Order::Terminate => Target::Told,
        };
    }

    /// How soon to look again.
    #[must_use]
    pub fn tick(&self) -> Duration {
        let asked = |target: &Target| matches!(target, Target::Asked { .. });
        if self.targets.values().any(asked) { BLINK } else { TICK }
    }

    /// Every [`REMIND`], those that are waited for.
    pub fn remind(&mut self, now: Duration) -> Vec<Post> {
        if now < self.remind {
            return Vec::new();
        }
        self.remind = now + REMIND;
        self.turn()
    }
}

fn ask(role: Role) -> Order {
    match role {
        Role::Service => Order::End,
        Role::Logger => Order::Finish,
    }
}

#[cfg(test)]
mod tests;
