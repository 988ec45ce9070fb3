//! Standard descriptors that were closed.

use sys::fs::{Mode, OFlags};

/// Occupies those of the numbers 0, 1 and 2 that are closed, so that no log gets one of them: what
/// is meant for standard error would be written into it. They stay as useless as they were, and a
/// processor finds them closed.
pub(super) fn occupy() {
    for number in 0..=2 {
        if sys::borrow(number).is_none() {
            // The lowest free number is this one. No device is needed: / is always there.
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            if let Ok(place) = sys::fs::open(c"/", flags, Mode::empty()) {
                core::mem::forget(place);
            }
        }
    }
}
