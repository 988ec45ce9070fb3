//! One limit: which resource, how much of it, and setting it.

use crate::NAME;
use common::{Exit, Failure};
use sys::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is asked for one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) resource: Resource,
    pub(crate) amount: Amount,
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// This many bytes, files, processes or seconds, but not more than the hard limit.
    AtMost(u64),
    /// As much as the hard limit allows.
    Hard,
}

impl Amount {
    /// `=`, or digits. No digits at all are 0, as with the original. A number beyond 64 bits is as
    /// large as any can be: it is cut to the hard limit. (The original keeps its low 64 bits.)
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        if text == b"=" {
            return Some(Self::Hard);
        }
        if !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = text.iter().fold(0_u64, |number, digit| {
            number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        });
        Some(Self::AtMost(number))
    }

    /// The soft limit under this hard one; `None` is unlimited, as for the kernel.
    fn under(self, hard: Option<u64>) -> Option<u64> {
        match (self, hard) {
            (Self::Hard, hard) => hard,
            (Self::AtMost(number), Some(hard)) => Some(number.min(hard)),
            // The kernel's word for unlimited.
            (Self::AtMost(u64::MAX), None) => None,
            (Self::AtMost(number), None) => Some(number),
        }
    }
}

impl Limit {
    /// Sets the soft limit, and leaves the hard one alone.
    pub(crate) fn apply(&self) -> Result<(), Failure> {
        let now = getrlimit(self.resource);
        let soft = self.amount.under(now.maximum);
        if soft == now.current {
            return Ok(());
        }
        setrlimit(self.resource, Rlimit { current: soft, maximum: now.maximum }).map_err(|errno| {
            NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to set resource limits"], errno)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_what_is_none() {
        for (text, amount) in [
            (&b"="[..], Amount::Hard),
            (b"0", Amount::AtMost(0)),
            (b"007", Amount::AtMost(7)),
            (b"", Amount::AtMost(0)),
            (b"18446744073709551615", Amount::AtMost(u64::MAX)),
            (b"18446744073709551616", Amount::AtMost(u64::MAX)),
            (b"99999999999999999999999", Amount::AtMost(u64::MAX)),
        ] {
            assert_eq!(Amount::parse(text), Some(amount), "{text:?}");
        }
        for text in [
            &b"5x"[..],
            b"x",
            b"-1",
            b"-",
            b"+5",
            b" 5",
            b"5 ",
            b"==",
            b"=5",
            b"5=",
            b"0x10",
            b"5k",
        ] {
            assert_eq!(Amount::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_hard_limit_bounds_everything() {
        assert_eq!(Amount::Hard.under(Some(9)), Some(9));
        assert_eq!(Amount::Hard.under(None), None);
        assert_eq!(Amount::AtMost(10).under(Some(9)), Some(9));
        assert_eq!(Amount::AtMost(8).under(Some(9)), Some(8));
        assert_eq!(Amount::AtMost(u64::MAX).under(None), None);
        assert_eq!(Amount::AtMost(u64::MAX - 1).under(None), Some(u64::MAX - 1));
    }

    proptest! {
        #[test]
        fn a_number_is_read_whole(number: u64) {
            prop_assert_eq!(Amount::parse(number.to_string().as_bytes()), Some(Amount::AtMost(number)));
        }

        #[test]
        fn no_soft_limit_exceeds_the_hard_one(number: u64, hard: u64) {
            prop_assert!(Amount::AtMost(number).under(Some(hard)).is_some_and(|soft| soft <= hard));
        }
    }
}
