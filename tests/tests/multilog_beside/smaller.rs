//! A case that fails, made as small as it can be.

use crate::case::{Case, Event, Feeding};

/// So many cases are tried.
const TRIALS: usize = 600;

/// The smallest case that was found for which `fails` still holds.
pub(crate) fn smallest(case: &Case, mut fails: impl FnMut(&Case) -> bool) -> Case {
    let mut best = case.clone();
    let mut trials = 0;
    'again: loop {
        for candidate in smaller(&best) {
            trials += 1;
            if trials > TRIALS {
                return best;
            }
            if fails(&candidate) {
                best = candidate;
                continue 'again;
            }
        }
        return best;
    }
}

/// Cases that are a little smaller, the much smaller ones first.
fn smaller(case: &Case) -> Vec<Case> {
    let mut all = Vec::new();
    for part in [2, 4, 8] {
        let length = case.events.len() / part;
        for begin in (0..part).map(|at| at * length).filter(|_| length > 1) {
            let mut less = case.clone();
            less.events.drain(begin..begin + length);
            all.push(less);
        }
    }
    for at in 0..case.found.len() {
        let mut less = case.clone();
        less.found.remove(at);
        all.push(less);
    }
    for at in 0..case.script.len() {
        let mut less = case.clone();
        less.script.remove(at);
        all.push(less);
    }
    for (at, event) in case.events.iter().enumerate() {
        let mut less = case.clone();
        less.events.remove(at);
        all.push(less);
        let Event::Comes(bytes) = event else { continue };
        if case.feeding == Feeding::Flood {
            for (begin, end) in [(0, bytes.len() / 2), (bytes.len() / 2, bytes.len())] {
                let mut less = case.clone();
                less.events[at] = Event::Comes(bytes[begin..end].to_vec());
                all.push(less);
            }
        }
        // Its end is what makes it a line.
        let (text, end) = bytes.split_at(bytes.len() - usize::from(bytes.ends_with(b"\n")));
        for length in [0, text.len() / 2, text.len().saturating_sub(1)] {
            if length < text.len() && !(length == 0 && end.is_empty()) {
                let mut less = case.clone();
                less.events[at] = Event::Comes([&text[..length], end].concat());
                all.push(less);
            }
        }
    }
    for (at, found) in case.found.iter().enumerate() {
        for length in [0, found.content.len() / 2, found.content.len().saturating_sub(1)] {
            if length < found.content.len() {
                let mut less = case.clone();
                less.found[at].content.truncate(length);
                all.push(less);
            }
        }
    }
    all
}
