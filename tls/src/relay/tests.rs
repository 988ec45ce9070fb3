//! The relay, event by event.

use super::*;

const EMPTY: Levels = Levels { plain: false, pending: false, wire: false };
const PLAIN: Levels = Levels { plain: true, ..EMPTY };
const PENDING: Levels = Levels { pending: true, ..EMPTY };
const WIRE: Levels = Levels { wire: true, ..EMPTY };
const STATUS: i32 = 256;

/// One step at a time: what happens, and what is done at once.
struct Story(Relay);

impl Story {
    fn begin() -> Self {
        Self(Relay::new())
    }

    fn then(mut self, event: impl FnOnce(&mut Relay), levels: Levels, steps: &[Step]) -> Self {
        event(&mut self.0);
        let mut done = Vec::new();
        while let Some(step) = self.0.next(levels) {
            done.push(step);
            // An executor that performs it drops the level.
            if step == Step::Discard {
                break;
            }
        }
        assert_eq!(done, steps);
        self
    }

    fn over(self, status: Option<i32>) -> Self {
        assert_eq!(self.0.over(), status);
        self
    }

    fn patience(self, levels: Levels, expected: Patience) -> Self {
        assert_eq!(self.0.patience(levels), expected);
        self
    }
}

fn ended(relay: &mut Relay) {
    relay.program_ended(STATUS);
}

#[test]
fn the_client_says_goodbye_first() {
    Story::begin()
        .then(Relay::peer_finished, PLAIN, &[])
        .then(|_| {}, EMPTY, &[Step::CloseInput])
        .then(Relay::output_ended, PENDING, &[])
        .then(|_| {}, EMPTY, &[Step::SayGoodbye, Step::ShutDown])
        .over(None)
        .then(ended, EMPTY, &[])
        .over(Some(STATUS));
}

#[test]
fn the_program_ends_first() {
    Story::begin()
        .then(ended, EMPTY, &[])
        .patience(EMPTY, Patience::Unbounded)
        .patience(WIRE, Patience::Flush)
        .then(Relay::output_ended, WIRE, &[Step::SayGoodbye])
        .patience(WIRE, Patience::Flush)
        .over(None)
        .then(|_| {}, EMPTY, &[Step::ShutDown])
        .patience(EMPTY, Patience::Linger)
        .over(None)
        // What the client still owes us is no matter.
        .then(|relay| assert!(!relay.is_goodbye_due()), EMPTY, &[])
        .then(Relay::peer_finished, EMPTY, &[Step::CloseInput])
        .over(Some(STATUS));
}

#[test]
fn the_program_closes_its_output_and_reads_on() {
    let story = Story::begin()
        .then(Relay::output_ended, EMPTY, &[Step::SayGoodbye, Step::ShutDown])
        .patience(EMPTY, Patience::Unbounded)
        .over(None);
    assert!(story.0.interest(EMPTY).receive);
    assert!(story.0.interest(PLAIN).feed);
}

#[test]
fn the_program_closes_its_input_and_writes_on() {
    let story = Story::begin().then(Relay::input_refused, PLAIN, &[Step::Discard]);
    assert!(story.0.interest(EMPTY).receive);
    assert!(story.0.interest(EMPTY).collect);
    assert!(!story.0.interest(PLAIN).feed);
}

#[test]
fn the_connection_breaks() {
    Story::begin()
        .then(|relay| assert!(relay.is_goodbye_due()), PLAIN, &[])
        .then(Relay::peer_gone, PLAIN, &[Step::CloseOutput])
        .over(None)
        .then(|_| {}, EMPTY, &[Step::CloseInput])
        .over(None)
        .then(ended, EMPTY, &[])
        .over(Some(STATUS));
}

#[test]
fn the_client_neither_reads_nor_closes() {
    Story::begin()
        .then(ended, WIRE, &[])
        .then(Relay::output_ended, WIRE, &[Step::SayGoodbye])
        .patience(WIRE, Patience::Flush)
        .then(Relay::give_up, WIRE, &[Step::CloseInput, Step::CloseOutput])
        .over(Some(STATUS));
}

#[test]
fn whoever_is_too_fast_waits() {
    let relay = Relay::new();
    let interest = |receive, send, feed, collect| Interest { receive, send, feed, collect };
    assert_eq!(relay.interest(EMPTY), interest(true, false, false, true));
    assert_eq!(relay.interest(PLAIN), interest(false, false, true, true));
    assert_eq!(relay.interest(WIRE), interest(true, true, false, false));
    assert_eq!(relay.interest(PENDING), interest(true, false, false, false));
}

/// From every state that can be reached, in every order: the relay waits for something that
/// can happen, or is over; it never waits for a stream that is at its end.
#[test]
fn no_state_is_stuck() {
    type Event = fn(&mut Relay);
    let events: [Event; 6] = [
        Relay::peer_finished,
        Relay::peer_gone,
        Relay::input_refused,
        Relay::output_ended,
        ended,
        Relay::give_up,
    ];
    let mut known = vec![Relay::new()];
    let mut next = 0;
    while next < known.len() {
        let relay = known[next].clone();
        next += 1;
        let interest = relay.interest(EMPTY);
        let waits = interest.receive || interest.collect || relay.status.is_none();
        assert!(relay.over().is_some() || waits, "{relay:?}");
        assert!(!interest.receive || relay.peer == Peer::Sending);
        assert!(!interest.collect || relay.output == Output::Open);
        for event in events {
            let mut after = relay.clone();
            event(&mut after);
            while after.next(EMPTY).is_some() {}
            if !known.contains(&after) {
                known.push(after);
            }
        }
    }
    assert!(known.len() > 10, "{}", known.len());
}
