//! When a service that has died may be started again, and when it has died too often.

use crate::options::Limit;
use alloc::vec::Vec;
use core::time::Duration;

/// A service is started at most once in this time, but for an explicit `u` or `o`.
pub const PAUSE: Duration = Duration::from_secs(1);

/// Who has lived for so long hasn't died at once.
pub const STEADY: Duration = Duration::from_secs(5);

/// What is remembered of a service's deaths. All moments are on the monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pace {
    /// How often it has died at once since it last stayed up.
    streak: u32,
    /// When it died, as far as a limit is interested in it: no longer than that limit allows.
    deaths: Vec<Duration>,
}

impl Pace {
    /// What another program of ours remembered.
    #[must_use]
    pub fn new(streak: u32, deaths: Vec<Duration>) -> Self {
        Self { streak, deaths }
    }

    /// How often it has died at once since it last stayed up.
    #[must_use]
    pub fn streak(&self) -> u32 {
        self.streak
    }

    /// The deaths that are remembered, the oldest first.
    #[must_use]
    pub fn deaths(&self) -> &[Duration] {
        &self.deaths
    }

    /// It has died, having lived for this time. Whether that was once too often.
    pub fn died(&mut self, now: Duration, lived: Duration, limit: Option<Limit>) -> bool {
        self.streak = if lived < STEADY { self.streak.saturating_add(1) } else { 0 };
        let Some(limit) = limit else {
            self.deaths.clear();
            return false;
        };
        self.deaths.retain(|death| now.saturating_sub(*death) < limit.within);
        let allowed = limit.deaths as usize;
        if self.deaths.len() >= allowed {
            return true;
        }
        if self.deaths.capacity() < allowed {
            self.deaths.reserve_exact(allowed - self.deaths.len());
        }
        self.deaths.push(now);
        false
    }

    /// When it may be started again: it was last started at `started`, and it is `now`.
    #[must_use]
    pub fn due(&self, started: Duration, now: Duration, longest: Option<Duration>) -> Duration {
        let due = started + PAUSE;
        match longest {
            Some(longest) if self.streak > 0 => {
                let doubled = PAUSE.saturating_mul(1 << (self.streak - 1).min(30));
                due.max(now + doubled.min(longest))
            }
            Some(_) | None => due,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn without_back_off_it_is_a_second_from_start_to_start() {
        let mut pace = Pace::default();
        for _ in 0..40 {
            assert!(!pace.died(at(9), at(0), None));
            assert_eq!(pace.due(at(9), at(9), None), at(10));
        }
        assert_eq!(pace.due(at(9), at(99), None), at(10));
    }

    #[test]
    fn who_dies_at_once_comes_back_later_and_later() {
        let mut pace = Pace::default();
        let delays: Vec<u64> = (0..9)
            .map(|_| {
                pace.died(at(100), at(4), None);
                (pace.due(at(96), at(100), Some(MINUTE)) - at(100)).as_secs()
            })
            .collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        for _ in 0..100 {
            pace.died(at(100), at(0), None);
        }
        assert_eq!(pace.due(at(100), at(100), Some(MINUTE)), at(160));
        // Staying up ends it.
        pace.died(at(100), STEADY, None);
        assert_eq!(pace.due(at(95), at(100), Some(MINUTE)), at(96));
        // A longest delay below the pause doesn't shorten that.
        pace.died(at(100), at(0), None);
        let half = Some(Duration::from_millis(500));
        assert_eq!(pace.due(at(100), at(100), half), at(101));
    }

    #[test]
    fn so_many_deaths_within_a_time_and_no_more() {
        let limit = Some(Limit { deaths: 2, within: MINUTE });
        let mut pace = Pace::default();
        assert!(!pace.died(at(0), at(9), limit));
        assert!(!pace.died(at(30), at(9), limit));
        // The first one doesn't count any more.
        assert!(!pace.died(at(60), at(9), limit));
        assert!(pace.died(at(89), at(9), limit));
        let mut strict = Pace::default();
        assert!(strict.died(at(0), at(9), Some(Limit { deaths: 0, within: MINUTE })));
    }

    #[test]
    fn what_no_limit_asks_for_is_forgotten() {
        let limit = Some(Limit { deaths: 1, within: MINUTE });
        let mut pace = Pace::default();
        assert!(!pace.died(at(0), at(9), limit));
        assert!(!pace.died(at(1), at(9), None));
        assert!(!pace.died(at(2), at(9), limit));
    }
}
