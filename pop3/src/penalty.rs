//! What a refused login costs the client: time.
//!
//! The process that waits is the one that there is anyway, and holds next to nothing; the client
//! holds a connection meanwhile, of which tcpserver grants it a few at a time (`-C`). So it waits in
//! full, also for a client that has hung up to begin anew. The time counts from when the checker was
//! asked, and is a whole number of steps: how long the checker took, which might say whether
//! there is such an account, can't be seen from outside.

use core::time::Duration;
use sys::Errno;
use sys::poll::poll;

/// A refusal is said so long after the checker was asked, or twice so long, and so on.
pub const STEP: Duration = Duration::from_secs(3);

/// Waits until a refusal may be said, where the checker was asked at the moment `asked` on the
/// monotonic clock.
pub fn sit_out(asked: Duration) {
    let end = end(asked, sys::clock::monotonic());
    loop {
        let left = end.saturating_sub(sys::clock::monotonic());
        if left.is_zero() {
            return;
        }
        match poll(&mut [], Some(left), None) {
            Ok(_) | Err(Errno::INTR) => {}
            // Nothing to wait with: better no penalty than no answer.
            Err(_) => return,
        }
    }
}

/// The end of the step that has begun by now.
fn end(asked: Duration, now: Duration) -> Duration {
    let taken = now.saturating_sub(asked).as_millis();
    let steps = u32::try_from(taken / STEP.as_millis()).unwrap_or(u32::MAX);
    asked.saturating_add(STEP.saturating_mul(steps.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_the_checker_took_cannot_be_seen() {
        let asked = Duration::from_secs(1000);
        for (taken, expected) in
            [(0, STEP), (1, STEP), (2999, STEP), (3000, 2 * STEP), (5000, 2 * STEP)]
        {
            let now = asked + Duration::from_millis(taken);
            assert_eq!(end(asked, now), asked + expected, "{taken}");
        }
        // A clock that goes backwards, and one that has gone mad.
        assert_eq!(end(asked, Duration::ZERO), asked + STEP);
        assert!(end(asked, Duration::MAX) > asked);
    }

    #[test]
    fn a_penalty_is_sat_out() {
        let begin = sys::clock::monotonic();
        let asked = begin - (STEP - Duration::from_millis(50));
        sit_out(asked);
        assert!(sys::clock::monotonic() >= asked + STEP);
    }
}
