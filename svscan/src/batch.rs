//! How many supervises are started at once: a thousand services are no fork storm. No system call is made here.
//!
//! A supervise counts from its start until its `ok` FIFO can be reached: then it has made its files, and starts its
//! service. One that takes too long is no longer waited for, or a broken one would hold up all others.

use crate::plan::Post;
use alloc::vec::Vec;
use core::time::Duration;

/// How long a supervise is waited for.
pub const BIRTH: Duration = Duration::from_secs(1);

/// How often to look whether one has come up, while others wait for their turn.
pub const STEP: Duration = Duration::from_millis(1);

/// The supervises that were started and aren't up yet.
#[derive(Debug)]
pub struct Batch {
    limit: usize,
    births: Vec<(Post, Duration)>,
}

impl Batch {
    /// For a host with so many processors. More at once than keeps these busy gains little: on two, under load, 1,000
    /// services were up within 0.50 s with 8 at once, 0.45 s with 32, 0.48 s with all.
    #[must_use]
    pub fn new(processors: usize) -> Self {
        Self { limit: processors.saturating_mul(16).clamp(32, 128), births: Vec::new() }
    }

    /// How many may be started now.
    #[must_use]
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.births.len())
    }

    /// It was started.
    pub fn started(&mut self, post: Post, now: Duration) {
        self.births.push((post, now));
    }

    /// It has ended.
    pub fn ended(&mut self, post: Post) {
        self.births.retain(|(other, _)| *other != post);
    }

    /// Those that aren't known to be up.
    pub fn births(&self) -> impl Iterator<Item = Post> {
        self.births.iter().map(|(post, _)| *post)
    }

    /// It was looked which ones are up.
    pub fn look(&mut self, now: Duration, is_up: impl Fn(Post) -> bool) {
        self.births.retain(|(post, since)| now < *since + BIRTH && !is_up(*post));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Identity, Role};

    const fn post(inode: u64) -> Post {
        Post { id: Identity { device: 1, inode }, role: Role::Service }
    }

    #[test]
    fn a_place_is_free_again_when_one_is_up_or_gone_or_late() {
        let second = Duration::from_secs;
        let mut batch = Batch::new(2);
        assert_eq!(batch.room(), 32);
        (0..32).for_each(|inode| batch.started(post(inode), second(inode)));
        assert_eq!(batch.room(), 0);
        batch.ended(post(15));
        batch.ended(post(99));
        assert_eq!(batch.room(), 1);
        batch.look(second(0), |who| who == post(6));
        assert_eq!(batch.room(), 2);
        batch.look(second(1), |_| false);
        assert_eq!(batch.room(), 3, "the first one takes too long");
    }

    #[test]
    fn it_grows_with_the_host_within_bounds() {
        for (processors, room) in [(0, 32), (1, 32), (4, 64), (16, 128), (256, 128)] {
            assert_eq!(Batch::new(processors).room(), room);
        }
    }
}
