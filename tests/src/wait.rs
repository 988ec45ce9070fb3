//! Waiting for conditions, never for a fixed time.

use nix::libc;
use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

/// A deadline is what a host needs that does nothing else: a loaded one gets so many times as long.
pub(crate) const PATIENCE: u32 = 3;

/// Waits until `condition` holds.
///
/// # Panics
/// With `what`, if it doesn't hold by [`PATIENCE`] times the deadline.
pub fn wait_until(what: &str, deadline: Duration, mut condition: impl FnMut() -> bool) {
    let deadline = deadline * PATIENCE;
    let held = wait_for(deadline, || condition().then_some(()));
    assert!(held.is_some(), "waited {deadline:?} in vain for {what}");
}

/// Waits until `attempt` gives something, and returns it; `None` at the deadline.
pub fn wait_for<T>(deadline: Duration, mut attempt: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = attempt() {
            return Some(value);
        }
        if start.elapsed() >= deadline {
            return None;
        }
        // The step of a poll, not a guess at how long something takes.
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Whether a process waits for something to read, and not for a child or a disk.
pub fn waits_for_input(pid: u32) -> bool {
    let call = fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let number = call.split(' ').next().and_then(|number| number.parse::<i64>().ok());
    number.is_some_and(|number| {
        [libc::SYS_read, libc::SYS_readv, libc::SYS_ppoll, libc::SYS_pselect6].contains(&number)
    })
}

/// Tells that something happens within `limit`, as each trial measures it: on a loaded host any single one may be late, so
/// the best of five counts.
///
/// # Panics
/// With `what`, if each took longer.
pub fn happens_within(limit: Duration, what: &str, mut trial: impl FnMut() -> Duration) {
    let mut taken = Vec::new();
    while taken.len() < 5 {
        let elapsed = trial();
        if elapsed < limit {
            return;
        }
        taken.push(elapsed);
    }
    panic!("{what}: never within {limit:?}, but {taken:?}");
}

/// A TCP port of 127.0.0.1 that was free a moment ago. (`tcpserver -1` with port 0 is free of the race that is left.)
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
