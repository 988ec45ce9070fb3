//! Which address is tried when, and for how long, without any input or output.
//!
//! One after the other gets a short time; then those that were silent, a longer one. A single address gets
//! both times at once.

use alloc::vec::Vec;
use core::time::Duration;
use sys::Errno;

/// The time of each address, as `-T` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    pub(super) first: Duration,
    /// Zero: there is no second try.
    pub(super) second: Duration,
}

/// An attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt {
    /// Which of the addresses.
    pub(super) place: usize,
    /// How long to wait.
    pub(super) wait: Duration,
    /// Whether there will be another one, if this one takes too long.
    comes_again: bool,
}

/// All attempts.
#[derive(Debug)]
pub(super) struct Attempts {
    /// Those still to be made, the next one last.
    left: Vec<Attempt>,
    /// Those of the second round, the first one last.
    second: Vec<Attempt>,
    again: Duration,
}

impl Attempts {
    /// For so many addresses.
    pub(super) fn new(addresses: usize, patience: Patience) -> Self {
        let comes_again = addresses > 1 && !patience.second.is_zero();
        let wait = match addresses {
            1 => patience.first + patience.second,
            _ => patience.first,
        };
        let left = (0..addresses).rev().map(|place| Attempt { place, wait, comes_again }).collect();
        Self { left, second: Vec::new(), again: patience.second }
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Option<Attempt> {
        if self.left.is_empty() {
            self.left = core::mem::take(&mut self.second);
        }
        self.left.pop()
    }

    /// Takes note that one failed. Says whether that was the address's last.
    pub(super) fn failed(&mut self, attempt: Attempt, errno: Errno) -> bool {
        let again = attempt.comes_again && errno == Errno::TIMEDOUT;
        if again {
            let next = Attempt { wait: self.again, comes_again: false, ..attempt };
            self.second.insert(0, next);
        }
        !again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The attempts at addresses of which those in `silent` don't answer, the others refuse: place, seconds, and
    /// whether it is told.
    fn attempts(
        addresses: usize,
        (first, second): (u64, u64),
        silent: &[usize],
    ) -> Vec<(usize, u64, bool)> {
        let seconds = Duration::from_secs;
        let patience = Patience { first: seconds(first), second: seconds(second) };
        let mut attempts = Attempts::new(addresses, patience);
        let mut made = Vec::new();
        while let Some(attempt) = attempts.next() {
            let silent = silent.contains(&attempt.place);
            let errno = if silent { Errno::TIMEDOUT } else { Errno::CONNREFUSED };
            let told = attempts.failed(attempt, errno);
            made.push((attempt.place, attempt.wait.as_secs(), told));
        }
        made
    }

    #[test]
    fn a_single_address_gets_all_the_time() {
        assert_eq!(attempts(1, (2, 58), &[0]), [(0, 60, true)]);
        assert_eq!(attempts(1, (5, 0), &[]), [(0, 5, true)]);
    }

    #[test]
    fn silent_addresses_are_tried_again() {
        assert_eq!(
            attempts(3, (2, 58), &[0, 2]),
            [(0, 2, false), (1, 2, true), (2, 2, false), (0, 58, true), (2, 58, true)]
        );
        assert_eq!(attempts(2, (2, 0), &[0, 1]), [(0, 2, true), (1, 2, true)]);
        assert_eq!(attempts(0, (2, 58), &[]), []);
    }
}
