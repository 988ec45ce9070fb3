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
    /// Ours is at least this, whatever the other's is.
    AtLeast(f64),
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
            (Goal::AtLeast(limit), _) => Some(ours >= limit),
            (Goal::RatioAtMost(_) | Goal::RatioAtLeast(_), None) | (Goal::None, _) => None,
        };
        let goal = match goal {
            Goal::RatioAtMost(limit) => format!("ratio <= {limit}"),
            Goal::RatioAtLeast(limit) => format!("ratio >= {limit}"),
            Goal::AtMost(limit) => format!("<= {limit} {unit}"),
            Goal::AtLeast(limit) => format!(">= {limit} {unit}"),
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
/// neither always finds what the other has left behind. The other may be known not to be there, and it may fail: then there
/// is no figure of it, but why.
pub(crate) fn alternate(
    rounds: usize,
    mut one: impl FnMut(Whose) -> Result<f64, String>,
    other: Result<(), String>,
) -> Result<(f64, Result<f64, String>), String> {
    match other {
        Ok(()) => {
            let both = [Whose::Ours, Whose::Others];
            let InTurn { ours, others } = in_turn(rounds, &both, |whose, _| one(*whose))?;
            let theirs = others.into_iter().next().unwrap_or_else(|| Ok(Vec::new()));
            Ok((median(ours), theirs.map(median)))
        }
        Err(why) => {
            let InTurn { ours, .. } = in_turn(rounds, &[Whose::Ours], |whose, _| one(*whose))?;
            Ok((median(ours), Err(why)))
        }
    }
}

/// What some contenders' rounds gave.
pub(crate) struct InTurn<T> {
    /// The first one's: ours.
    pub(crate) ours: Vec<T>,
    /// The others', in their order; or why one of them has none.
    pub(crate) others: Vec<Result<Vec<T>, String>>,
}

/// Measures each contender once a round, ours being the first. Who goes first changes from round to round. One of the others
/// that fails has no further rounds, and no figures.
///
/// # Errors
/// Ours failed.
pub(crate) fn in_turn<C, T>(
    rounds: usize,
    contenders: &[C],
    mut one: impl FnMut(&C, usize) -> Result<T, String>,
) -> Result<InTurn<T>, String> {
    let mut figures: Vec<Result<Vec<T>, String>> =
        contenders.iter().map(|_| Ok(Vec::new())).collect();
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            let Ok(known) = &mut figures[at] else { continue };
            match one(&contenders[at], round) {
                Ok(figure) => known.push(figure),
                Err(why) if at == 0 => return Err(why),
                Err(why) => figures[at] = Err(format!("it failed: {why}")),
            }
        }
    }
    let mut figures = figures.into_iter();
    let ours = figures.next().unwrap_or_else(|| Ok(Vec::new()))?;
    Ok(InTurn { ours, others: figures.collect() })
}

/// The median of one figure of each round.
pub(crate) fn middle<T>(rounds: &[T], pick: impl Fn(&T) -> f64) -> f64 {
    median(rounds.iter().map(pick).filter(|figure| !figure.is_nan()).collect())
}

/// The same of one that may have failed.
pub(crate) fn middle_of<T>(
    rounds: &Result<Vec<T>, String>,
    pick: impl Fn(&T) -> f64,
) -> Result<f64, String> {
    rounds.as_ref().map(|rounds| middle(rounds, pick)).map_err(Clone::clone)
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
