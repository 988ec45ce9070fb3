//! The way from standard input to the logs: at once, or by way of the journal.

use super::Works;
use super::journal::replay::Replay;
use super::journal::{Journal, Shared};
use super::line::Lines;
use crate::input::Input;
use alloc::vec::Vec;
use core::cell::RefMut;
use core::time::Duration;
use sys::Errno;
use sys::clock::realtime;

/// Read at once. What was read is written before the next read.
const READ: usize = 64 * 1024;

pub(super) struct Intake {
    lines: Lines,
    journal: Option<Shared>,
    buffer: Vec<u8>,
}

/// What there was to be read.
pub(super) enum Taken {
    Something,
    /// Nothing, and there never will be.
    End,
}

impl Intake {
    /// Does first what a predecessor has left in the journal. That goes on to be kept if it is wanted.
    pub(super) fn new(
        lines: Lines,
        journal: Option<(Shared, Replay)>,
        is_wanted: bool,
        works: &mut Works,
    ) -> Self {
        let mut intake = Self { lines, journal: None, buffer: Vec::with_capacity(READ) };
        if let Some((journal, replay)) = journal {
            intake.journal = Some(journal);
            intake.replay(&replay, works);
            if !is_wanted {
                intake.leave_journal(works);
            }
        }
        intake
    }

    /// Whether part of a line was read, and its end wasn't.
    pub(super) fn is_in_line(&self) -> bool {
        self.lines.is_in_line()
    }

    /// Reads what is there, once, and does with it all that is to be done.
    ///
    /// # Errors
    /// As read(2); `EAGAIN` and `EINTR`: nothing for now.
    pub(super) fn take(&mut self, input: &Input, works: &mut Works) -> Result<Taken, Errno> {
        let taken = match &self.journal {
            None => input.read(self.buffer.spare_capacity_mut())?,
            Some(journal) => journal.borrow_mut().take(input, &mut self.buffer)?,
        };
        if taken.is_empty() {
            return Ok(Taken::End);
        }
        if let Some(journal) = &self.journal {
            let now = realtime();
            begin(journal, now, &self.lines, works);
            self.lines.feed(taken, || now, works);
        } else {
            self.lines.feed(taken, realtime, works);
        }
        works.flush();
        if let Some(journal) = self.journal().filter(|journal| journal.is_long()) {
            empty(journal, &self.lines, works);
        }
        Ok(Taken::Something)
    }

    /// All was read: what line there is ends here, and the journal isn't needed any more.
    pub(super) fn end(&mut self, works: &mut Works) {
        let Self { lines, journal, .. } = self;
        match journal {
            Some(journal) if lines.is_in_line() => {
                // It comes by the way that all come, so that a successor knows as much.
                let now = realtime();
                journal.borrow_mut().append(b"\n");
                begin(journal, now, lines, works);
                lines.feed(b"\n", || now, works);
            }
            _ => lines.finish(works),
        }
        works.flush();
        self.leave_journal(works);
    }

    fn journal(&self) -> Option<RefMut<'_, Journal>> {
        self.journal.as_ref().map(|journal| journal.borrow_mut())
    }

    fn replay(&mut self, replay: &Replay, works: &mut Works) {
        self.lines.resume(replay.record.hand.clone());
        for (log, place) in works.logs().zip(&replay.record.places) {
            log.takes_line = place.takes_line;
        }
        let mut at = replay.record.begin;
        while let Some(count) = self.read(at, replay.record.end) {
            self.lines.feed(&self.buffer, || replay.record.moment, works);
            at += count;
        }
        works.flush();
        at = replay.new.start;
        while let Some(count) = self.read(at, replay.new.end) {
            let now = realtime();
            at += count;
            if let Some(mut journal) = self.journal() {
                journal.begin(at, now, self.lines.hand(), &works.takes_line());
            }
            self.lines.feed(&self.buffer, || now, works);
            works.flush();
        }
        if let Some(journal) = self.journal() {
            empty(journal, &self.lines, works);
        }
    }

    /// Reads a part of the journal. How much that is; nothing at the end.
    fn read(&mut self, begin: u64, end: u64) -> Option<u64> {
        let Self { journal, buffer, .. } = self;
        journal.as_ref()?.borrow_mut().read(begin, end, buffer);
        (!buffer.is_empty()).then_some(buffer.len() as u64)
    }

    fn leave_journal(&mut self, works: &mut Works) {
        if let Some(journal) = self.journal.take() {
            journal.borrow_mut().remove();
            works.logs().for_each(|log| log.disk().keep(None));
        }
    }
}

/// All that was appended to the journal is a batch.
fn begin(journal: &Shared, now: Duration, lines: &Lines, works: &Works) {
    let mut journal = journal.borrow_mut();
    let end = journal.end();
    journal.begin(end, now, lines.hand(), &works.takes_line());
}

fn empty(mut journal: RefMut<'_, Journal>, lines: &Lines, works: &Works) {
    journal.empty(lines.hand(), &works.takes_line());
}
