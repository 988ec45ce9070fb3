//! Waiting: for descriptors, for a time, and for signals at once.

use crate::raw;
use crate::signal::SignalSet;
use core::time::Duration;
use rustix::io::Errno;

pub use rustix::event::{PollFd, PollFlags};

/// ppoll(2): waits until a descriptor is ready, `timeout` is over (`None`: for ever), or a signal
/// arrives. The signals outside `mask` are let in while waiting, and only then; `None` leaves the
/// mask as it is. Gives how many descriptors are ready, 0 when the time is over.
///
/// # Errors
/// `EINTR` when a signal was caught; `ENOMEM`.
pub fn poll(
    fds: &mut [PollFd<'_>],
    timeout: Option<Duration>,
    mask: Option<SignalSet>,
) -> Result<usize, Errno> {
    let timeout = timeout.map(|time| raw::Timespec {
        seconds: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        nanoseconds: i64::from(time.subsec_nanos()),
    });
    raw::ppoll(fds, timeout, mask.map(SignalSet::bits))
}
