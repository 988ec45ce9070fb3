//! How often a client comes.

use crate::network::Network;
use std::collections::BTreeMap;
use std::time::Duration;

/// So many connections in such a time: all at once, or evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// At least one.
    pub count: u32,
    /// At least a second.
    pub period: Duration,
}

/// At most so many clients are remembered.
const MOST: usize = 4096;

/// Who has come lately: for each client the time (on the monotonic clock) when it will have
/// everything to its credit again. (The generic cell rate algorithm.)
#[derive(Debug, Default)]
pub(super) struct Rates(BTreeMap<Network, Duration>);

impl Rates {
    /// Whether a client may come at `now`. If it may, that is taken from its credit.
    pub(super) fn allows(&mut self, client: Network, rate: Rate, now: Duration) -> bool {
        let step = rate.period / rate.count.max(1);
        let even = self.0.get(&client).copied().unwrap_or_default().max(now) + step;
        if even > now + rate.period {
            return false;
        }
        if !self.0.contains_key(&client) && self.0.len() >= MOST {
            self.make_room(now);
        }
        self.0.insert(client, even);
        true
    }

    /// Forgets who has everything to its credit; or else who will be first to have it.
    fn make_room(&mut self, now: Duration) {
        self.0.retain(|_, even| *even > now);
        if self.0.len() >= MOST
            && let Some(first) = self.0.iter().min_by_key(|(_, even)| **even)
        {
            let first = *first.0;
            self.0.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::CLIENT;
    use super::*;
    use proptest::prelude::*;
    use std::net::IpAddr;

    const T0: Duration = Duration::from_secs(1000);

    fn client(number: u32) -> Network {
        Network::around(IpAddr::V4(number.into()), CLIENT)
    }

    fn rate(count: u32, seconds: u64) -> Rate {
        Rate { count, period: Duration::from_secs(seconds) }
    }

    #[test]
    fn all_at_once_and_then_evenly() {
        let mut rates = Rates::default();
        let mut at =
            |seconds| rates.allows(client(1), rate(3, 60), T0 + Duration::from_secs(seconds));
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert_eq!([at(19), at(20), at(20), at(40), at(41)], [false, true, false, true, false]);
        assert_eq!([at(200), at(200), at(200), at(200)], [true, true, true, false]);
    }

    #[test]
    fn the_table_has_an_end_and_who_is_over_the_rate_stays_in_it() {
        let mut rates = Rates::default();
        let rate = rate(2, 60);
        for _ in 0..2 {
            assert!(rates.allows(client(0), rate, T0));
        }
        for number in 1..10_000 {
            assert!(rates.allows(client(number), rate, T0));
            assert!(rates.0.len() <= MOST);
        }
        assert!(!rates.allows(client(0), rate, T0));
    }

    proptest! {
        #[test]
        fn never_more_than_the_rate_and_its_credit(
            count in 1_u32..5, period in 1_u64..5, gaps in proptest::collection::vec(0_u64..3000, 1..60)
        ) {
            let mut rates = Rates::default();
            let (mut now, mut allowed) = (T0, 0_u32);
            for gap in gaps {
                now += Duration::from_millis(gap);
                allowed += u32::from(rates.allows(client(1), rate(count, period), now));
            }
            let passed = (now - T0).as_secs_f64() / period as f64;
            prop_assert!(f64::from(allowed) <= f64::from(count) * (1.0 + passed) + 0.001);
        }
    }
}
