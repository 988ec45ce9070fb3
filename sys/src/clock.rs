//! The two clocks that the programs read.

use core::time::Duration;
use rustix::time::{ClockId, clock_gettime};

/// Time since some fixed moment, never set back: what deadlines are counted on.
#[must_use]
pub fn monotonic() -> Duration {
    read(ClockId::Monotonic)
}

/// Time since 1970-01-01 00:00:00 UTC without leap seconds; zero if the clock is set before that.
#[must_use]
pub fn realtime() -> Duration {
    read(ClockId::Realtime)
}

fn read(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}
