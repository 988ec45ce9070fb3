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
    /// No limit at all: the hard one goes, too, which only root may do if there is one.
    None,
}

impl Amount {
    /// `=`, or digits; and, from daemontools-encore, `hard` for `=`, and `-` or `unlimited`. No digits
    /// at all are 0, as with the original. A number beyond 64 bits is as large as any can be: it is
    /// cut to the hard limit. (The original keeps its low 64 bits.)
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        match text {
            b"=" | b"hard" => return Some(Self::Hard),
            b"-" | b"unlimited" => return Some(Self::None),
            _ => {}
        }
        if !text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let number = text.iter().fold(0_u64, |number, digit| {
            number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        });
        Some(Self::AtMost(number))
    }

    /// The limits in place of these; `None` is unlimited, as for the kernel.
    fn instead_of(self, now: &Rlimit) -> Rlimit {
        let maximum = now.maximum;
        let current = match (self, maximum) {
            (Self::None, _) => return Rlimit { current: None, maximum: None },
            (Self::Hard, hard) => hard,
            (Self::AtMost(number), Some(hard)) => Some(number.min(hard)),
            // The kernel's word for unlimited.
            (Self::AtMost(u64::MAX), None) => None,
            (Self::AtMost(number), None) => Some(number),
        };
        Rlimit { current, maximum }
    }
}

impl Limit {
    /// Sets the soft limit, and leaves the hard one alone unless no limit at all is asked for.
    pub(crate) fn apply(&self) -> Result<(), Failure> {
        let now = getrlimit(self.resource);
        let new = self.amount.instead_of(&now);
        if new == now {
            return Ok(());
        }
        setrlimit(self.resource, new).map_err(|errno| {
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
            (b"hard", Amount::Hard),
            (b"-", Amount::None),
            (b"unlimited", Amount::None),
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
            b"--",
            b"harder",
            b"unlimite",
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
        let new =
            |amount: Amount, maximum| amount.instead_of(&Rlimit { current: Some(1), maximum });
        let soft = |amount, maximum| {
            let new = new(amount, maximum);
            assert_eq!(new.maximum, maximum);
            new.current
        };
        assert_eq!(soft(Amount::Hard, Some(9)), Some(9));
        assert_eq!(soft(Amount::Hard, None), None);
        assert_eq!(soft(Amount::AtMost(10), Some(9)), Some(9));
        assert_eq!(soft(Amount::AtMost(8), Some(9)), Some(8));
        assert_eq!(soft(Amount::AtMost(u64::MAX), None), None);
        assert_eq!(soft(Amount::AtMost(u64::MAX - 1), None), Some(u64::MAX - 1));
        assert_eq!(new(Amount::None, Some(9)), Rlimit { current: None, maximum: None });
    }

    proptest! {
        #[test]
        fn a_number_is_read_whole(number: u64) {
            prop_assert_eq!(Amount::parse(number.to_string().as_bytes()), Some(Amount::AtMost(number)));
        }

        #[test]
        fn no_soft_limit_exceeds_the_hard_one(number: u64, hard: u64) {
            let now = Rlimit { current: None, maximum: Some(hard) };
            let new = Amount::AtMost(number).instead_of(&now);
            prop_assert!(new.current.is_some_and(|soft| soft <= hard) && new.maximum == Some(hard));
        }
    }
}
