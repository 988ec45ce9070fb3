//! Locks that last as long as their holder lives.

use crate::clock::monotonic;
use crate::poll::poll;
use core::time::Duration;
use rustix::fd::AsFd;
use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, retry_on_intr};

/// How long a killed holder's lock may outlive it: a child that it was just starting has it, too, up to its exec.
pub const LEFT_OVER: Duration = Duration::from_secs(1);

/// How often is looked whether the lock is free.
const BLINK: Duration = Duration::from_millis(10);

/// Takes the exclusive flock(2) of an open file. One that another holds is waited for at most so long.
///
/// # Errors
/// `EWOULDBLOCK`: another still holds it. What else flock(2) says, `EINTR` excepted.
pub fn lock(file: impl AsFd, patience: Duration) -> Result<(), Errno> {
    let attempt =
        || retry_on_intr(|| flock(file.as_fd(), FlockOperation::NonBlockingLockExclusive));
    let outcome = attempt();
    if outcome != Err(Errno::WOULDBLOCK) || patience.is_zero() {
        return outcome;
    }
    let deadline = monotonic() + patience;
    loop {
        let _ = poll(&mut [], Some(BLINK), None);
        let outcome = attempt();
        if outcome != Err(Errno::WOULDBLOCK) || monotonic() >= deadline {
            return outcome;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsRawFd;
    use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create, open};
    use std::time::Instant;

    #[test]
    fn a_lock_is_waited_for_as_long_as_was_said() {
        let holder = memfd_create("lock", MemfdFlags::CLOEXEC).expect("a file");
        let path = format!("/proc/self/fd/{}", holder.as_raw_fd());
        let other = open(path, OFlags::RDONLY, Mode::empty()).expect("the same");
        assert_eq!(lock(&holder, Duration::ZERO), Ok(()));
        assert_eq!(lock(&holder, Duration::ZERO), Ok(()), "it is ours already");
        assert_eq!(lock(&other, Duration::ZERO), Err(Errno::WOULDBLOCK));
        let (begin, patience) = (Instant::now(), Duration::from_millis(50));
        assert_eq!(lock(&other, patience), Err(Errno::WOULDBLOCK));
        assert!(begin.elapsed() >= patience);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| lock(&other, Duration::from_secs(60)));
            drop(holder);
            assert_eq!(waiting.join().expect("no panic"), Ok(()));
        });
    }
}
