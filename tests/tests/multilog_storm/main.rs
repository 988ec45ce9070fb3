//! Under attack, multilog: killed with KILL before each of its system calls, and at random moments with a disk that is full,
//! rotations under way, a processor that fails, finished files from the future. What left the pipe is in the logs, in order:
//! with `j` all of it, once; without, all but what one read had taken.
//!
//! | variable | what |
//! | --- | --- |
//! | `STORM` | as of the other storms: here a fiftieth of it is how many rounds there are (`make storm`: 200), and given at all, each call has its turn |
//! | `STORM_SEED` | which sequence of rounds |

mod calls;
#[cfg(target_arch = "x86_64")]
mod durable;
mod logged;
mod rounds;
mod service;
mod traced;

use std::time::Duration;

/// For what happens within moments on an idle machine.
const SOON: Duration = Duration::from_secs(30);
