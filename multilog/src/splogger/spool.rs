//! Messages on disk, in bounded room, in order. What is there survives this process.
//!
//! A [`directory`] with `lock`, and segments that are named by numbers that grow, 16 hexadecimal digits. A segment has
//! a head (see [`segment`]), which tells how far it was sent, and records. It is removed when all of it has arrived.
//! Messages come in at the back ([`append`]), and are sent from the front, where the [`cursor`] is.

mod append;
mod cursor;
mod directory;
pub(crate) mod segment;

use super::request::Spooling;
use alloc::collections::VecDeque;
use common::{Exit, Failure, decimal};
use cursor::{Cursor, Place};
use directory::{Directory, Segment};
use segment::{Found, HEAD};
use sys::{Errno, OwnedFd};

pub(super) struct Spool {
    directory: Directory,
    limit: u64,
    drop_oldest: bool,
    /// In order; what is sent comes from the front.
    segments: VecDeque<Segment>,
    /// The one that is written to is the last of them, if there is one.
    writing: Option<OwnedFd>,
    /// The next segment's number.
    number: u64,
    /// All segments'.
    bytes: u64,
    /// What is sent next.
    next: Cursor,
    /// Up to where all of the front segment has arrived.
    first: u64,
    /// Where the records end that were sent and may not have arrived: those from there to `next`.
    in_flight: VecDeque<Place>,
    appended: usize,
    dropped: u64,
}

impl Spool {
    /// Opens the directory, which is made (0700) if it isn't there, and finds what is in it.
    ///
    /// # Errors
    /// It can't be opened, or another process has it: 111.
    pub(super) fn open(wanted: &Spooling) -> Result<Self, Failure> {
        Self::find(wanted).map_err(|errno| {
            let parts = [&b"unable to use spool "[..], wanted.directory.to_bytes()];
            super::NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
        })
    }

    fn find(wanted: &Spooling) -> Result<Self, Errno> {
        let directory = Directory::open(wanted.directory)?;
        let segments = VecDeque::from(directory.segments()?);
        let mut spool = Self {
            directory,
            limit: wanted.bytes,
            drop_oldest: wanted.drop_oldest,
            writing: None,
            number: segments.back().map_or(1, |last| last.number + 1),
            bytes: segments.iter().map(|segment| segment.size).sum(),
            segments,
            next: Cursor::at(Place::first_of(0)),
            first: HEAD,
            in_flight: VecDeque::new(),
            appended: 0,
            dropped: 0,
        };
        spool.settle();
        spool.rewind();
        Ok(spool)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Looks for the first record that isn't sent. `false`: there is none.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn advance(&mut self) -> Result<bool, Errno> {
        loop {
            let Place { number, offset } = self.next.place();
            let Some(at) = self.segments.iter().position(|one| one.number == number) else {
                return Ok(false);
            };
            let size = self.segments[at].size;
            let found = self.next.found();
            match found {
                Found::Record(_) => return Ok(true),
                Found::More(needed) if offset + needed as u64 <= size => {
                    self.next.fill(&self.directory, needed, size)?;
                    continue;
                }
                // The last record of a process that was killed has no end.
                Found::More(_) => {}
                Found::Damaged => damaged(number, size - offset.min(size)),
            }
            let Some(following) = self.segments.get(at + 1) else {
                // Should more be written, that goes elsewhere.
                if found == Found::Damaged || offset < size {
                    self.next.move_to(Place { number, offset: size });
                    self.writing = None;
                }
                self.drop_what_arrived();
                return Ok(false);
            };
            self.next.move_to(Place::first_of(following.number));
            self.drop_what_arrived();
        }
    }

    /// The message that [`Self::advance`] found.
    pub(super) fn message(&self) -> &[u8] {
        self.next.message()
    }

    /// The record that [`Self::advance`] found was sent.
    pub(super) fn sent(&mut self) {
        let end = self.next.pass();
        self.in_flight.push_back(end);
    }

    /// Whether something was sent that may not have arrived.
    pub(super) fn is_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// All but the last `unconfirmed` of those that were sent have arrived.
    pub(super) fn confirm(&mut self, unconfirmed: usize) {
        let arrived = self.in_flight.len().saturating_sub(unconfirmed);
        let Some(last) = self.in_flight.drain(..arrived).next_back() else { return };
        while self.segments.front().is_some_and(|front| front.number < last.number) {
            self.remove_front();
        }
        self.first = last.offset;
        if !self.drop_what_arrived() {
            self.directory.note_arrived(last.number, last.offset);
        }
    }

    /// What was sent and hasn't arrived comes again.
    pub(super) fn rewind(&mut self) {
        self.in_flight.clear();
        let number = self.segments.front().map_or(0, |front| front.number);
        self.next.move_to(Place { number, offset: self.first });
    }

    /// Reads how much of the front segment has arrived; removes those of which all has, or nothing can be read.
    fn settle(&mut self) {
        while let Some(&Segment { number, size }) = self.segments.front() {
            match self.directory.arrived(number) {
                Some(first) if first < size => {
                    self.first = first;
                    return;
                }
                Some(_) => {}
                // Its first record was never finished.
                None if size <= HEAD => {}
                None => damaged(number, size),
            }
            self.remove_front();
        }
    }

    /// Removes segments of which nothing is left; gives whether there are none now.
    fn drop_what_arrived(&mut self) -> bool {
        while let Some(front) = self.segments.front() {
            let next = self.next.place();
            let done = match self.in_flight.front() {
                Some(place) => place.number > front.number,
                None => {
                    next.number > front.number
                        || next.number == front.number && next.offset >= front.size
                }
            };
            if !done {
                return false;
            }
            self.remove_front();
        }
        true
    }

    fn remove_front(&mut self) {
        let Some(front) = self.segments.pop_front() else { return };
        self.directory.remove(front.number);
        self.bytes -= front.size;
        self.next.release(front.number);
        if self.segments.is_empty() {
            self.writing = None;
        }
        self.first = HEAD;
        if self.next.place().number <= front.number {
            let number = self.segments.front().map_or(0, |segment| segment.number);
            self.next.move_to(Place::first_of(number));
        }
    }
}

fn damaged(number: u64, bytes: u64) {
    let (file, bytes) = (segment::name(number), decimal(bytes));
    let parts: [&[u8]; 5] = [
        b"unable to read ",
        bytes.as_bytes(),
        b" bytes of ",
        file.to_bytes(),
        b" in the spool: damaged",
    ];
    super::NAME.warn(&parts);
}

#[cfg(test)]
mod tests;
