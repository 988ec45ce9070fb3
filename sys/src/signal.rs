//! Signals: sets, masks, dispositions, and a handler that does nothing but take note.
//!
//! The programs' one shape (design, decision 5): signals are blocked, [`crate::poll::poll`] lets
//! them in, the handler sets a flag, and [`take`] tells what came.

use crate::raw::{self, Action};
use core::sync::atomic::{AtomicU64, Ordering};

pub use rustix::process::Signal;

/// A set of signals, as the kernel keeps it: bit n-1 for signal n.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalSet(u64);

impl SignalSet {
    /// No signal.
    pub const EMPTY: Self = Self(0);
    /// All of them; the kernel leaves out those that can't be blocked.
    pub const ALL: Self = Self(u64::MAX);

    /// These signals.
    #[must_use]
    pub fn of(signals: &[Signal]) -> Self {
        signals.iter().fold(Self::EMPTY, |set, signal| set.with(*signal))
    }

    /// This set and `signal`.
    #[must_use]
    pub fn with(self, signal: Signal) -> Self {
        Self(self.0 | bit(signal.as_raw()))
    }

    /// This set without `signal`.
    #[must_use]
    pub fn without(self, signal: Signal) -> Self {
        Self(self.0 & !bit(signal.as_raw()))
    }

    /// This set and all of `other`.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `signal` is in the set.
    #[must_use]
    pub fn contains(self, signal: Signal) -> bool {
        self.0 & bit(signal.as_raw()) != 0
    }

    /// Whether no signal is in the set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The set as the kernel keeps it: what a program hands to its successor.
    #[must_use]
    pub fn bits(self) -> u64 {
        self.0
    }

    /// The set that [`Self::bits`] gave.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The numbers of the signals in the set.
    pub(crate) fn numbers(self) -> impl Iterator<Item = i32> {
        (1..=64).filter(move |number| self.0 & bit(*number) != 0)
    }
}

fn bit(number: i32) -> u64 {
    1 << (number - 1)
}

/// Blocks these signals too. Gives the mask as it was.
pub fn block(signals: SignalSet) -> SignalSet {
    SignalSet(raw::sigprocmask(raw::How::Block, Some(signals.0)))
}

/// Replaces the mask of blocked signals. Gives the mask as it was.
pub fn set_mask(signals: SignalSet) -> SignalSet {
    SignalSet(raw::sigprocmask(raw::How::Set, Some(signals.0)))
}

/// The mask of blocked signals.
#[must_use]
pub fn mask() -> SignalSet {
    SignalSet(raw::sigprocmask(raw::How::Block, None))
}

/// From now on `signal` is taken note of: [`take`] gives it.
pub fn catch(signal: Signal) {
    WATCHED.fetch_or(bit(signal.as_raw()), Ordering::Relaxed);
    raw::sigaction(signal.as_raw(), Action::Handler(note));
}

/// From now on `signal` is ignored, by this process and by the programs that it starts.
pub fn ignore(signal: Signal) {
    raw::sigaction(signal.as_raw(), Action::Ignore);
}

/// Whether `signal` is ignored now: nohup(1) and shells start programs so.
#[must_use]
pub fn is_ignored(signal: Signal) -> bool {
    raw::is_ignored(signal.as_raw())
}

/// From now on `signal` does what it does by default.
pub fn default(signal: Signal) {
    raw::sigaction(signal.as_raw(), Action::Default);
}

/// The signals that were caught since this was last asked.
pub fn take() -> SignalSet {
    SignalSet(CAUGHT.swap(0, Ordering::Relaxed))
}

/// Those that [`catch`] was called for.
pub(crate) fn watched() -> SignalSet {
    SignalSet(WATCHED.load(Ordering::Relaxed))
}

static WATCHED: AtomicU64 = AtomicU64::new(0);
static CAUGHT: AtomicU64 = AtomicU64::new(0);

extern "C" fn note(number: i32) {
    CAUGHT.fetch_or(bit(number), Ordering::Relaxed);
}
