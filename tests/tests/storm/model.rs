//! What is known of what is wanted of a service, when letters may die with the supervise that they were sent to.
//!
//! A letter lies in the FIFO until supervise reads it. If supervise is killed before, the letter is gone, and `svc` couldn't
//! know. So of one that was killed it is only known that it had come as far as one of the letters since its predecessor; how
//! far, its last status tells, and its successor must take up exactly that.

use std::collections::BTreeSet;

/// `u`, `d`, or 0 for once, as in a status.
pub(crate) type Want = u8;

/// What may be wanted of one service.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// What was wanted before the letters below.
    before: BTreeSet<Want>,
    /// What was asked of the present supervise.
    asked: Vec<Want>,
    /// Whether it was told to end with its service.
    leaving: bool,
}

impl Wanted {
    /// A service without a file `down`.
    pub(crate) fn new() -> Wanted {
        Wanted { before: BTreeSet::from(*b"u"), asked: Vec::new(), leaving: false }
    }

    /// Letters were sent, and somebody could hear them.
    pub(crate) fn sent(&mut self, letters: &[u8]) {
        for letter in letters {
            match letter {
                b'u' | b'd' => self.asked.push(*letter),
                b'o' => self.asked.push(0),
                b'x' => self.leaving = true,
                _ => {}
            }
        }
    }

    /// Whether supervise was told to end.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// The supervise that had been asked was killed, and its status says this at its end; without one, the next begins anew.
    /// False if that was never asked.
    pub(crate) fn killed(&mut self, status: Option<Want>) -> bool {
        let known = status.is_none_or(|want| self.any().contains(&want));
        let mut before = BTreeSet::from([status.unwrap_or(b'u')]);
        // It may have ended in order before it was hit.
        before.extend(self.leaving.then_some(b'u'));
        *self = Wanted { before, ..Wanted::new() };
        known
    }

    /// Another supervise is there, and none was killed. False if the old one had no reason to end.
    pub(crate) fn replaced(&mut self) -> bool {
        let known = self.leaving;
        *self = Wanted::new();
        known
    }

    /// It isn't certain which supervise was asked.
    pub(crate) fn blur(&mut self) {
        self.before = self.any();
        self.asked.clear();
    }

    /// This was seen in the status. Where only one letter was sent, it is known to be obeyed.
    pub(crate) fn seen(&mut self, want: Want) {
        if self.asked == [want] && !self.before.contains(&want) && !self.leaving {
            *self = Wanted { before: BTreeSet::from([want]), ..Wanted::new() };
        }
    }

    /// What may be wanted once all letters are read.
    pub(crate) fn now(&self) -> BTreeSet<Want> {
        match self.asked.last() {
            Some(last) if !self.leaving => BTreeSet::from([*last]),
            _ => self.any(),
        }
    }

    /// What may be wanted while not all letters are read.
    fn any(&self) -> BTreeSet<Want> {
        let anew = self.leaving.then_some(b'u');
        self.before.iter().copied().chain(self.asked.iter().copied()).chain(anew).collect()
    }
}

#[test]
fn what_is_asked_of_one_that_lives_is_certain() {
    let mut wanted = Wanted::new();
    assert_eq!(wanted.now(), (*b"u").into());
    wanted.sent(b"tdku");
    wanted.sent(b"o");
    assert_eq!(wanted.now(), [0].into());
    assert!(!wanted.replaced(), "it had no reason to end");
}

#[test]
fn what_a_killed_one_came_to_is_in_its_status() {
    let mut wanted = Wanted::new();
    wanted.sent(b"do");
    assert!(wanted.clone().killed(Some(b'u')) && wanted.clone().killed(Some(0)));
    assert!(wanted.killed(Some(b'd')));
    assert_eq!(wanted.now(), (*b"d").into());
    assert!(!wanted.killed(Some(0)), "that was never asked of this one");
    assert!(wanted.killed(None));
    assert_eq!(wanted.now(), (*b"u").into());
}

#[test]
fn one_that_is_leaving_may_begin_anew() {
    let mut wanted = Wanted::new();
    wanted.sent(b"dx");
    assert_eq!(wanted.now(), (*b"ud").into());
    assert!(wanted.replaced());
    wanted.sent(b"d");
    assert_eq!(wanted.now(), (*b"d").into());
}
