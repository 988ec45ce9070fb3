//! Medians of alternating runs, and the table that they end in.

/// What a row has to come out at.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// Ours is at most this many times the other's.
    RatioAtMost(f64),
    /// Ours is at least this many times the other's.
    RatioAtLeast(f64),
    /// Ours is at most this, whatever the other's is.
    AtMost(f64),
    /// For comparison only.
    None,
}

/// One line of the table.
pub(crate) struct Row {
    /// What was measured.
    pub(crate) what: String,
    /// In which unit.
    pub(crate) unit: &'static str,
    /// Ours.
    pub(crate) ours: f64,
    /// The other's; or why there is none.
    pub(crate) other: Result<f64, String>,
    /// What it has to come out at.
    pub(crate) goal: Goal,
}

/// The table, printed line by line as it grows.
pub(crate) struct Table {
    missed: Vec<String>,
}

impl Table {
    /// Prints the head.
    pub(crate) fn new() -> Table {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let base = crate::place::base();
        println!(
            "Linux {}, {cpus} processors, files in {}; medians of alternating runs",
            kernel.trim_end(),
            base.display()
        );
        println!("{:<58} {:>12} {:>12} {:>7}  goal", "", "ours", "other's", "ratio");
        Table { missed: Vec::new() }
    }

    /// Prints a row.
    pub(crate) fn add(&mut self, row: &Row) {
        let Row { what, unit, ours, other, goal } = row;
        let ratio = other.as_ref().ok().map(|other| ours / other);
        let holds = match (goal, ratio) {
            (Goal::RatioAtMost(limit), Some(ratio)) => Some(ratio <= *limit),
            (Goal::RatioAtLeast(limit), Some(ratio)) => Some(ratio >= *limit),
            (Goal::AtMost(limit), _) => Some(ours <= limit),
            (Goal::RatioAtMost(_) | Goal::RatioAtLeast(_), None) | (Goal::None, _) => None,
        };
        let goal = match goal {
            Goal::RatioAtMost(limit) => format!("ratio <= {limit}"),
            Goal::RatioAtLeast(limit) => format!("ratio >= {limit}"),
            Goal::AtMost(limit) => format!("<= {limit} {unit}"),
            Goal::None => String::new(),
        };
        let verdict = match holds {
            Some(true) => ": met",
            Some(false) => ": MISSED",
            None => "",
        };
        let other = other.as_ref().map_or_else(|_| "-".to_owned(), |other| format!("{other:.1}"));
        let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let name = format!("{what}, {unit}");
        println!("{name:<58} {ours:>12.1} {other:>12} {ratio:>7}  {goal}{verdict}");
        if let Err(why) = &row.other {
            println!("  {why}");
        }
        if holds == Some(false) {
            self.missed.push(what.clone());
        }
    }

    /// Says what wasn't measured.
    pub(crate) fn skip(&mut self, what: &str, why: &str) {
        println!("{what}: {why}: skipped");
    }

    /// Sums up.
    pub(crate) fn end(self) {
        if self.missed.is_empty() {
            println!("All goals that were measured are met.");
        } else {
            println!("Missed: {}.", self.missed.join("; "));
        }
    }
}

/// Measures ours and the other's in turn, `rounds` times, and gives the medians. The one that goes first changes, so that
/// neither always finds what the other has left behind.
pub(crate) fn alternate(
    rounds: usize,
    mut one: impl FnMut(Whose) -> Result<f64, String>,
    other: bool,
) -> Result<(f64, Option<f64>), String> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        if other && round % 2 == 1 {
            theirs.push(one(Whose::Others)?);
        }
        ours.push(one(Whose::Ours)?);
        if other && round % 2 == 0 {
            theirs.push(one(Whose::Others)?);
        }
    }
    Ok((median(ours), other.then(|| median(theirs))))
}

/// Measures each contender once a round, and gives each one's figures. Who goes first changes from round to round.
pub(crate) fn in_turn<C, T>(
    rounds: usize,
    contenders: &[C],
    mut one: impl FnMut(&C, usize) -> Result<T, String>,
) -> Result<Vec<Vec<T>>, String> {
    let mut figures: Vec<Vec<T>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            figures[at].push(one(&contenders[at], round)?);
        }
    }
    Ok(figures)
}

/// Whose program is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// Ours.
    Ours,
    /// Debian's.
    Others,
}

/// The middle one; of an even number, the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}
