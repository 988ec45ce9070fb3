//! How fast a logger was, and what it cost.

use super::Column;
use crate::measure::Goal;

/// What a run gave.
pub(super) struct Speed {
    /// Megabytes or lines a second, until the logger has ended.
    pub(super) rate: f64,
    /// Its processor time for each, microseconds.
    pub(super) processor: f64,
}

/// Both, with a goal for the former.
pub(super) fn columns(units: [&'static str; 2], goal: Goal) -> [Column<Speed>; 2] {
    [
        Column { unit: units[0], goal, pick: |speed| speed.rate },
        Column { unit: units[1], goal: Goal::None, pick: |speed| speed.processor },
    ]
}
