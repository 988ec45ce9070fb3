//! The connections that there are, as a state machine: what happened goes in, the log's lines come
//! out, and whether another connection may be accepted.

use crate::line;
use std::collections::BTreeSet;
use std::time::Duration;

/// The connections of a server.
#[derive(Debug)]
pub struct Table {
    limit: usize,
    children: BTreeSet<i32>,
    /// One was accepted whose program is not yet started.
    arriving: bool,
    /// Until then (on the monotonic clock) none is accepted.
    paused_until: Option<Duration>,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A connection was accepted.
    Accepted,
    /// Its process runs, under this id.
    Started(i32),
    /// It was dropped before a process served it.
    Dropped,
    /// A child process is gone: its id, and its status as wait(2) has it.
    Ended(i32, i32),
    /// Accepting failed for want of something that only time brings.
    Exhausted {
        /// When that was, on the monotonic clock.
        now: Duration,
    },
}

/// Whether a connection may be accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Now.
    Open,
    /// When a connection has ended.
    Full,
    /// After this time.
    Paused(Duration),
}

/// The log's lines that an event is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    ended: Option<(i32, i32)>,
    status: Option<(usize, usize)>,
}

impl Said {
    /// The lines; empty if there is none.
    #[must_use]
    pub fn text(self) -> Vec<u8> {
        let end = self.ended.map(|(pid, status)| line::end(pid, status));
        let status = self.status.map(|(running, limit)| line::status(running, limit));
        [end, status].into_iter().flatten().flatten().collect()
    }
}

/// So long is waited when the system is out of descriptors or memory: a connection that can't be
/// accepted stays ready, so that asking again at once would spin.
pub const PAUSE: Duration = Duration::from_secs(1);

impl Table {
    /// No connections, and at most `limit` at a time.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, children: BTreeSet::new(), arriving: false, paused_until: None }
    }

    /// How many there are, the one that is arriving included.
    #[must_use]
    pub fn running(&self) -> usize {
        self.children.len() + usize::from(self.arriving)
    }

    /// What is worth a line before the first event: `status: 0/40`.
    #[must_use]
    pub fn status(&self) -> Said {
        Said { ended: None, status: Some((self.running(), self.limit)) }
    }

    /// Takes note of an event, and gives what is worth a line. A child that is none of the table's
    /// changes nothing: this process may have had children before it became tcpserver.
    pub fn handle(&mut self, event: Event) -> Said {
        let before = self.running();
        let mut ended = None;
        match event {
            Event::Accepted => {
                self.paused_until = None;
                self.arriving = true;
            }
            Event::Dropped => self.arriving = false,
            Event::Started(pid) => {
                self.arriving = false;
                self.children.insert(pid);
            }
            Event::Ended(pid, status) => {
                ended = self.children.remove(&pid).then_some((pid, status));
            }
            Event::Exhausted { now } => self.paused_until = Some(now + PAUSE),
        }
        let running = self.running();
        Said { ended, status: (running != before).then_some((running, self.limit)) }
    }

    /// Whether another connection may be accepted at `now`, on the monotonic clock.
    #[must_use]
    pub fn gate(&self, now: impl FnOnce() -> Duration) -> Gate {
        if self.running() >= self.limit {
            return Gate::Full;
        }
        match self.paused_until.map(|until| until.saturating_sub(now())) {
            None | Some(Duration::ZERO) => Gate::Open,
            Some(left) => Gate::Paused(left),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const T0: Duration = Duration::from_secs(1000);

    fn after(table: &mut Table, event: Event) -> String {
        String::from_utf8(table.handle(event).text()).expect("ASCII")
    }

    fn table(limit: usize, children: &[i32]) -> Table {
        let mut table = Table::new(limit);
        for child in children {
            table.handle(Event::Accepted);
            table.handle(Event::Started(*child));
        }
        table
    }

    /// Every event in every kind of state: what is said, how many run, and the gate.
    #[test]
    fn the_whole_table() {
        use Event::{Accepted, Dropped, Ended, Exhausted, Started};
        let exhausted = Exhausted { now: T0 };
        let paused = Gate::Paused(PAUSE);
        // children, arriving first?, event, lines, running, gate; the limit is 2
        type Row<'a> = (&'a [i32], bool, Event, &'a str, usize, Gate);
        let rows: &[Row<'_>] = &[
            (&[], false, Accepted, "status: 1/2", 1, Gate::Open),
            (&[], false, Dropped, "", 0, Gate::Open),
            (&[], false, Started(7), "status: 1/2", 1, Gate::Open),
            (&[], false, Ended(7, 0), "", 0, Gate::Open),
            (&[], false, exhausted, "", 0, paused),
            (&[], true, Accepted, "", 1, Gate::Open),
            (&[], true, Dropped, "status: 0/2", 0, Gate::Open),
            (&[], true, Started(7), "", 1, Gate::Open),
            (&[], true, Ended(7, 0), "", 1, Gate::Open),
            (&[], true, exhausted, "", 1, paused),
            (&[5], false, Accepted, "status: 2/2", 2, Gate::Full),
            (&[5], false, Dropped, "", 1, Gate::Open),
            (&[5], false, Started(7), "status: 2/2", 2, Gate::Full),
            (&[5], false, Ended(5, 256), "end 5 status 256|status: 0/2", 0, Gate::Open),
            (&[5], false, Ended(7, 9), "", 1, Gate::Open),
            (&[5], false, exhausted, "", 1, paused),
            (&[5], true, Accepted, "", 2, Gate::Full),
            (&[5], true, Dropped, "status: 1/2", 1, Gate::Open),
            (&[5], true, Started(7), "", 2, Gate::Full),
            (&[5], true, Ended(5, 15), "end 5 status 15|status: 1/2", 1, Gate::Open),
            (&[5], true, exhausted, "", 2, Gate::Full),
            (&[5, 6], false, Ended(6, 0), "end 6 status 0|status: 1/2", 1, Gate::Open),
            (&[5, 6], false, Ended(7, 0), "", 2, Gate::Full),
            (&[5, 6], false, exhausted, "", 2, Gate::Full),
        ];
        for (children, arriving, event, said, running, gate) in rows {
            let mut table = table(2, children);
            if *arriving {
                table.handle(Accepted);
            }
            let lines = after(&mut table, *event);
            let lines = lines.replace("tcpserver: ", "").trim_end().replace('\n', "|");
            let row = format!("{children:?} {arriving} {event:?}");
            assert_eq!(lines, *said, "{row}");
            assert_eq!(table.running(), *running, "{row}");
            assert_eq!(table.gate(|| T0), *gate, "{row}");
        }
    }

    #[test]
    fn a_pause_ends_by_itself_or_with_the_next_connection() {
        let mut table = table(3, &[]);
        table.handle(Event::Exhausted { now: T0 });
        assert_eq!(table.gate(|| T0 + PAUSE / 4), Gate::Paused(PAUSE * 3 / 4));
        assert_eq!(table.gate(|| T0 + PAUSE), Gate::Open);
        assert_eq!(table.gate(|| T0 + PAUSE * 9), Gate::Open);
        table.handle(Event::Accepted);
        assert_eq!(table.gate(|| T0), Gate::Open);
    }

    proptest! {
        #[test]
        fn the_limit_holds_and_each_line_tells_the_truth(
            limit in 1_usize..4, steps in proptest::collection::vec((0_u8..4, 1_i32..6), 0..60)
        ) {
            let mut table = Table::new(limit);
            for (kind, pid) in steps {
                let event = match kind {
                    // The executor accepts only through the gate, and then starts or drops.
                    0 | 1 if table.gate(|| T0) != Gate::Open || table.children.contains(&pid) => continue,
                    0 | 1 => {
                        let lines = after(&mut table, Event::Accepted);
                        prop_assert_eq!(lines.into_bytes(), table.status().text());
                        if kind == 0 { Event::Started(pid) } else { Event::Dropped }
                    }
                    2 => Event::Ended(pid, 0),
                    _ => Event::Exhausted { now: T0 - PAUSE },
                };
                let before = table.running();
                let lines = after(&mut table, event);
                prop_assert_eq!(lines.is_empty(), before == table.running());
                prop_assert!(table.running() <= limit);
            }
        }
    }
}
