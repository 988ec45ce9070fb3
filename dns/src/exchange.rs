//! Questions asked at the same time: what [`crate::resolve`] says, done.

use crate::channel::{Channel, Progress};
use crate::message::{Answer, Question};
use crate::resolve::{Event, Lookup, Next, Plan};
use alloc::vec::Vec;
use core::time::Duration;
use sys::Errno;
use sys::clock::monotonic;
use sys::poll::{PollFd, PollFlags, poll};
use sys::rand::{GetRandomFlags, getrandom};

/// Once one question has an answer, so long the others may still take: some servers never answer
/// those for IPv6.
const PATIENCE: Duration = Duration::from_secs(2);

/// The answers, or why there is none, in the order of the questions, which must be about the same
/// name. One socket for each question at a time.
pub(crate) fn ask(questions: &[Question], plan: &Plan<'_>) -> Vec<Result<Answer, Errno>> {
    let mut flights: Vec<_> = questions.iter().map(|one| Flight::begin(one, plan)).collect();
    while flights.iter().any(|flight| flight.outcome.is_none()) {
        if let Err(errno) = wait_and_go_on(&mut flights) {
            flights.iter_mut().for_each(|flight| flight.end(Err(errno)));
        }
        settle(&mut flights);
    }
    let outcomes = flights.into_iter().map(|flight| flight.outcome);
    outcomes.map(|outcome| outcome.unwrap_or(Err(Errno::AGAIN))).collect()
}

/// A question under way, or its end.
struct Flight {
    lookup: Lookup,
    channel: Option<Channel>,
    outcome: Option<Result<Answer, Errno>>,
}

impl Flight {
    fn begin(question: &Question, plan: &Plan<'_>) -> Self {
        let (lookup, next) = Lookup::new(question.clone(), plan, monotonic());
        let mut flight = Self { lookup, channel: None, outcome: None };
        flight.perform(next);
        flight
    }

    fn perform(&mut self, mut next: Next) {
        loop {
            let ask = match next {
                Next::Wait => return,
                Next::Done(outcome) => return self.end(outcome),
                Next::Ask(ask) => ask,
            };
            // The old socket is closed before there is a new one.
            self.channel = None;
            let opened = random().and_then(|id| Channel::open(&ask, &self.lookup.query(id)));
            match opened {
                Ok(channel) => {
                    self.channel = Some(channel);
                    return;
                }
                Err(errno) => next = self.lookup.handle(Event::Unreachable(errno), monotonic()),
            }
        }
    }

    /// Looks at what has come, and at the time.
    fn go_on(&mut self, ready: bool) {
        let now = monotonic();
        let event = match &mut self.channel {
            Some(channel) if ready => match channel.progress() {
                Progress::Pending => Event::Time,
                Progress::Message(message) => Event::Message(message),
                Progress::Failed(errno) => Event::Unreachable(errno),
            },
            _ => Event::Time,
        };
        let next = self.lookup.handle(event, now);
        self.perform(next);
    }

    /// The first end counts.
    fn end(&mut self, outcome: Result<Answer, Errno>) {
        self.channel = None;
        self.outcome.get_or_insert(outcome);
    }
}

fn wait_and_go_on(flights: &mut [Flight]) -> Result<(), Errno> {
    let under_way = || flights.iter().filter(|flight| flight.outcome.is_none());
    let until = under_way().map(|flight| flight.lookup.until()).min().unwrap_or_default();
    let channels = || under_way().filter_map(|flight| flight.channel.as_ref());
    let mut fds: Vec<_> = channels()
        .map(|channel| PollFd::from_borrowed_fd(channel.fd(), channel.waits_for()))
        .collect();
    match poll(&mut fds, Some(until.saturating_sub(monotonic())), None) {
        Ok(_) => {}
        Err(Errno::INTR) => return Ok(()),
        Err(errno) => return Err(errno),
    }
    let mut ready: Vec<_> = fds.iter().map(|fd| fd.revents() != PollFlags::empty()).collect();
    drop(fds);
    for flight in flights.iter_mut().filter(|flight| flight.outcome.is_none()) {
        let ready = flight.channel.is_some() && !ready.is_empty() && ready.remove(0);
        flight.go_on(ready);
    }
    Ok(())
}

/// What one answer means for the other questions: a name that doesn't exist has nothing of any
/// kind; and one that has something isn't kept waiting for long.
fn settle(flights: &mut [Flight]) {
    let ends = |flight: &Flight| flight.outcome == Some(Ok(Answer::NoSuchName));
    let has = |flight: &Flight| matches!(&flight.outcome, Some(Ok(Answer::Records(records))) if !records.is_empty());
    if flights.iter().any(ends) {
        flights.iter_mut().for_each(|flight| flight.end(Ok(Answer::NoSuchName)));
    } else if flights.iter().any(has) {
        let deadline = monotonic() + PATIENCE;
        flights.iter_mut().for_each(|flight| flight.lookup.hurry(deadline));
    }
}

/// Two bytes that nobody can guess.
pub(crate) fn random() -> Result<u16, Errno> {
    let mut bytes = [0; 2];
    loop {
        match getrandom(&mut bytes, GetRandomFlags::empty()) {
            Ok(2) => return Ok(u16::from_ne_bytes(bytes)),
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}
