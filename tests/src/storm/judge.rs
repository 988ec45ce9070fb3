//! Whether a log holds what its service's journal says, once and in order.

use crate::storm::journal::Entry;

/// A line of a service's: which start of it wrote it, which of its lines it is (from 1), and something to make it longer.
#[must_use]
pub fn line(incarnation: u64, number: u64) -> String {
    format!("{incarnation} {number} the quick brown fox jumps over the lazy dog\n")
}

/// What is wrong with a log, a line for each fault; empty if nothing is. `log` is all that the loggers of the service wrote,
/// in order.
#[must_use]
pub fn faults(log: &[u8], journal: &[Entry]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = vec![0; journal.len()];
    let mut last = 0;
    let mut at = 0;
    for text in log.split_inclusive(|byte| *byte == b'\n') {
        let Some((incarnation, number)) = parse(text) else {
            faults.push(format!("byte {at}: {:?} is no line", String::from_utf8_lossy(text)));
            at += text.len();
            continue;
        };
        at += text.len();
        let Some(seen) = usize::try_from(incarnation).ok().and_then(|at| seen.get_mut(at)) else {
            faults.push(format!("start {incarnation} is not in the journal"));
            continue;
        };
        if incarnation < last {
            faults.push(format!("start {incarnation}, line {number} comes after start {last}"));
        }
        last = last.max(incarnation);
        if number <= *seen {
            faults.push(format!("start {incarnation}, line {number} is doubled"));
        } else if number > *seen + 1 {
            let (from, to) = (*seen + 1, number - 1);
            faults.push(format!("start {incarnation}, lines {from} to {to} are lost in between"));
        }
        *seen = number.max(*seen);
    }
    for (incarnation, (entry, seen)) in journal.iter().zip(seen).enumerate() {
        if seen != entry.written && seen != entry.tried {
            let Entry { tried, written, pid } = entry;
            faults.push(format!(
                "start {incarnation} (pid {pid}): the log ends with line {seen}, {written} were written and {tried} tried"
            ));
        }
    }
    faults
}

fn parse(text: &[u8]) -> Option<(u64, u64)> {
    let words = std::str::from_utf8(text).ok()?;
    let mut words = words.split(' ');
    let numbers = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (line(numbers.0, numbers.1).as_bytes() == text).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(lines: &[(u64, u64)]) -> Vec<u8> {
        lines
            .iter()
            .map(|(incarnation, number)| line(*incarnation, *number))
            .collect::<String>()
            .into()
    }

    fn entry(tried: u64, written: u64) -> Entry {
        Entry { tried, written, pid: 1 }
    }

    #[test]
    fn a_write_that_was_cut_short_may_be_there_or_not() {
        let journal = [entry(3, 1), entry(0, 0), entry(2, 2)];
        for whole in [&[(0, 1), (2, 1), (2, 2)][..], &[(0, 1), (0, 2), (0, 3), (2, 1), (2, 2)]] {
            assert_eq!(faults(&log(whole), &journal), [""; 0], "{whole:?}");
        }
        assert_eq!(faults(b"", &[]), [""; 0]);
    }

    #[test]
    fn every_fault_is_found() {
        let journal = [entry(3, 3), entry(2, 2)];
        for (lines, fault) in [
            (&[(0, 1), (0, 2), (1, 1), (1, 2)][..], "ends with line 2, 3 were written"),
            (&[(0, 1), (0, 2), (0, 3), (1, 1)], "ends with line 1, 2 were written"),
            (&[(0, 1), (0, 3), (1, 1), (1, 2)], "start 0, lines 2 to 2 are lost in between"),
            (&[(0, 1), (0, 2), (0, 2), (0, 3), (1, 1), (1, 2)], "start 0, line 2 is doubled"),
            (&[(1, 1), (0, 1), (0, 2), (0, 3), (1, 2)], "start 0, line 1 comes after start 1"),
            (&[(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)], "ends with line 3"),
            (&[(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (2, 1)], "start 2 is not in the journal"),
        ] {
            let found = faults(&log(lines), &journal);
            assert!(found.iter().any(|found| found.contains(fault)), "{fault}: {found:?}");
        }
        let mut torn = log(&[(0, 1), (0, 2), (0, 3)]);
        torn.truncate(torn.len() - 1);
        assert!(faults(&torn, &journal).iter().any(|fault| fault.contains("is no line")));
    }
}
