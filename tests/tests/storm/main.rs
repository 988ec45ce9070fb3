//! Under attack: a storm of random events over a tree of services; each system call of supervise and svscan failing once; a
//! thousand services, a hundred thousand lines a second, a logger that stands still.
//!
//! Everything runs as root in namespaces of its own (pids, mounts), so that nothing that was started can be overlooked.
//!
//! | variable | what |
//! | --- | --- |
//! | `STORM` | how many events; given at all, the other tests take their long form, too (`make storm`: 10000) |
//! | `STORM_SEED` | which sequence of events |

mod calm;
mod events;
mod faults;
mod host;
mod load;
mod model;
mod weather;

use std::time::Duration;

/// For what happens within moments on an idle machine.
const SOON: Duration = Duration::from_secs(60);

/// How many events were asked for; `None` in the short form.
fn asked() -> Option<usize> {
    std::env::var("STORM").ok()?.parse().ok()
}
