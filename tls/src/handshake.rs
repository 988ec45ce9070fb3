//! The handshake, to its end or to the end of its time.

use super::opening::Dialect;
use super::wire::{Received, Wire, WireError};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::time::{Duration, Instant};

/// Completes the handshake within `limit`, all of it together: a peer that sends one byte now and
/// then gets no longer. Records may be left to send.
///
/// # Errors
/// Why there is no handshake, in words for the log. The peer has been told by an alert, if it
/// would listen.
pub(super) fn complete(wire: &mut Wire, limit: Duration) -> Result<(), String> {
    let deadline = Instant::now() + limit;
    let system = |error: Errno| super::reason::system(error).to_string();
    loop {
        if !wire.is_handshaking() {
            wire.hold_ticket();
        }
        wire.send().map_err(system)?;
        if !wire.is_handshaking() {
            return Ok(());
        }
        let ready = if wire.has_records() { PollFlags::POLLOUT } else { PollFlags::POLLIN };
        if !wait(wire, ready, deadline).map_err(system)? {
            return Err(timed_out(wire));
        }
        if wire.has_records() {
            continue;
        }
        match wire.receive() {
            Ok(Received::Some | Received::Nothing) => {}
            Ok(Received::Goodbye | Received::End) => {
                return Err(match wire.opening().dialect() {
                    Dialect::Silence => "peer closed the connection without a word".into(),
                    Dialect::Tls
                    | Dialect::Ssl2
                    | Dialect::Http
                    | Dialect::Text
                    | Dialect::Unknown => "peer closed the connection".into(),
                });
            }
            Err(error) => {
                if let WireError::Protocol(_) = error {
                    // The alert. Whoever can't take it now won't miss it.
                    let _ = wire.send();
                    wire.shut_down();
                }
                return Err(wire.explain(&error));
            }
        }
    }
}

/// Waits until the socket is ready. `false`: time is over.
fn wait(wire: &Wire, ready: PollFlags, deadline: Instant) -> Result<bool, Errno> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up, or the last millisecond would be spent asking again and again.
        let left = left + Duration::from_micros(999);
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut waited = [PollFd::new(wire.socket(), ready)];
        match poll(&mut waited, timeout) {
            Ok(0) if Instant::now() >= deadline => return Ok(false),
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error),
        }
        if Instant::now() >= deadline {
            return Ok(false);
        }
    }
}

fn timed_out(wire: &Wire) -> String {
    match wire.opening().dialect() {
        Dialect::Silence => "timed out (peer sent nothing)".into(),
        Dialect::Tls | Dialect::Ssl2 | Dialect::Http | Dialect::Text | Dialect::Unknown => {
            "timed out".into()
        }
    }
}
