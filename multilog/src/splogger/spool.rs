//! Messages on disk, in bounded room, in order. What is there survives this process.
//!
//! A directory with `lock`, and segments that are named by numbers that grow, 16 hexadecimal digits. A segment has a
//! head (see [`segment`]), which tells how far it was sent, and records. It is removed when all of it has arrived.

pub(crate) mod segment;

use super::request::Spooling;
use alloc::{collections::VecDeque, ffi::CString, vec::Vec};
use common::{Exit, Failure};
use core::time::Duration;
use segment::{Found, HEAD};
use sys::clock::monotonic;
use sys::fs::{
    AtFlags, FlockOperation, Mode, OFlags, RawDir, flock, mkdir, open, openat, unlinkat,
};
use sys::poll::poll;
use sys::{Errno, OwnedFd};

/// A segment ends after so many bytes at the most, or after the eighth part of what the spool may have.
const SEGMENT: u64 = 1 << 20;

/// Read at once, or one record if that is larger.
const READ: usize = 16 * 1024;

/// 0600.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

pub(super) struct Spool {
    directory: OwnedFd,
    _lock: OwnedFd,
    limit: u64,
    drop_oldest: bool,
    /// In order; what is sent comes from the front.
    segments: VecDeque<Segment>,
    /// The one that is written to is the last of them, if there is one.
    writing: Option<OwnedFd>,
    /// That of the segment that is read, and which.
    reading: Option<(u64, OwnedFd)>,
    /// The next number.
    number: u64,
    /// All segments'.
    bytes: u64,
    /// What is sent next.
    next: Place,
    /// What hasn't arrived yet.
    first: u64,
    /// Of the records from there to `next`: the segment that they end in, counted from the front, and where.
    in_flight: VecDeque<Place>,
    /// What was read, from `next` on.
    buffer: Vec<u8>,
    /// How much of the buffer was sent.
    used: usize,
    /// The length of the record that [`Spool::advance`] found.
    record: usize,
    appended: usize,
    dropped: u64,
}

struct Segment {
    number: u64,
    /// Up to here it is written.
    size: u64,
}

/// A segment by its number, and how far in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    number: u64,
    offset: u64,
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
        // Whether that failed shows in what follows.
        let _ = mkdir(wanted.directory, Mode::RWXU);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = open(wanted.directory, flags, Mode::empty())?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let lock = openat(&directory, c"lock", flags, PRIVATE)?;
        keep(&lock)?;
        let mut spool = Self {
            directory,
            _lock: lock,
            limit: wanted.bytes,
            drop_oldest: wanted.drop_oldest,
            segments: VecDeque::new(),
            writing: None,
            reading: None,
            number: 1,
            bytes: 0,
            next: Place { number: 0, offset: HEAD },
            first: HEAD,
            in_flight: VecDeque::new(),
            buffer: Vec::new(),
            used: 0,
            record: 0,
            appended: 0,
            dropped: 0,
        };
        spool.list()?;
        spool.settle();
        spool.rewind();
        Ok(spool)
    }

    /// The segments of a predecessor.
    fn list(&mut self) -> Result<(), Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let listed = openat(&self.directory, c".", flags, Mode::empty())?;
        let mut buffer = Vec::with_capacity(4096);
        let mut numbers = Vec::new();
        let mut entries = RawDir::new(listed, buffer.spare_capacity_mut());
        while let Some(entry) = entries.next() {
            numbers.extend(segment::number(entry?.file_name().to_bytes()));
        }
        numbers.sort_unstable();
        for number in numbers {
            let file = self.open_segment(number, OFlags::RDONLY)?;
            let size = u64::try_from(sys::fs::fstat(&file)?.st_size).unwrap_or(0);
            self.segments.push_back(Segment { number, size });
            self.bytes += size;
            self.number = number + 1;
        }
        Ok(())
    }

    fn open_segment(&self, number: u64, flags: OFlags) -> Result<OwnedFd, Errno> {
        openat(&self.directory, name(number).as_c_str(), flags | OFlags::CLOEXEC, PRIVATE)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Reads how much of the front segment has arrived; removes those of which all has, or nothing can be read.
    fn settle(&mut self) {
        while let Some(front) = self.segments.front() {
            let (number, size) = (front.number, front.size);
            let found = self.open_segment(number, OFlags::RDONLY).ok().and_then(|file| {
                let mut head = [0; HEAD as usize];
                let whole = read_at(&file, &mut head, 0) == Ok(head.len());
                whole.then(|| segment::arrived(&head)).flatten()
            });
            match found {
                Some(first) if first < size => {
                    self.first = first;
                    return;
                }
                Some(_) => {}
                // Its first record was never finished.
                None if size <= HEAD => {}
                None => self.damaged(number, size),
            }
            self.remove_front();
        }
    }

    fn damaged(&self, number: u64, bytes: u64) {
        let (file, bytes) = (name(number), common::decimal(bytes));
        let parts: [&[u8]; 5] = [
            b"unable to read ",
            bytes.as_bytes(),
            b" bytes of ",
            file.to_bytes(),
            b" in the spool: damaged",
        ];
        super::NAME.warn(&parts);
    }

    fn remove_front(&mut self) {
        let Some(front) = self.segments.pop_front() else { return };
        // One that stays will be found to have arrived, and goes then.
        let _ = unlinkat(&self.directory, name(front.number).as_c_str(), AtFlags::empty());
        self.bytes -= front.size;
        if self.reading.as_ref().is_some_and(|(number, _)| *number == front.number) {
            self.reading = None;
        }
        if self.segments.is_empty() {
            self.writing = None;
            self.reading = None;
        }
        self.first = HEAD;
        if self.next.number <= front.number {
            let number = self.segments.front().map_or(0, |segment| segment.number);
            self.move_to(Place { number, offset: HEAD });
        }
    }

    fn move_to(&mut self, place: Place) {
        self.next = place;
        self.buffer.clear();
        self.used = 0;
        self.record = 0;
    }

    /// Looks for the first record that isn't sent. `false`: there is none.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn advance(&mut self) -> Result<bool, Errno> {
        loop {
            let Some(at) = self.segments.iter().position(|one| one.number == self.next.number)
            else {
                return Ok(false);
            };
            let (size, is_last) = (self.segments[at].size, at + 1 == self.segments.len());
            match segment::record(&self.buffer[self.used..]) {
                Found::Record(length) => {
                    self.record = length;
                    return Ok(true);
                }
                Found::More(needed) if self.next.offset + needed as u64 <= size => {
                    self.fill(needed, size)?;
                }
                found @ (Found::More(_) | Found::Damaged) => {
                    let left = size - self.next.offset.min(size);
                    // The last record of a process that was killed has no end.
                    if matches!(found, Found::Damaged) {
                        self.damaged(self.next.number, left);
                    }
                    if is_last {
                        // Should it be written to, that goes elsewhere.
                        if matches!(found, Found::Damaged) || left > 0 {
                            self.next.offset = size;
                            self.writing = None;
                        }
                        self.drop_what_arrived();
                        return Ok(false);
                    }
                    let number = self.segments[at + 1].number;
                    self.move_to(Place { number, offset: HEAD });
                    self.drop_what_arrived();
                }
            }
        }
    }

    /// Reads on, so that at least `needed` bytes from `next` on are there.
    fn fill(&mut self, needed: usize, size: u64) -> Result<(), Errno> {
        let number = self.next.number;
        if self.reading.as_ref().is_none_or(|(open, _)| *open != number) {
            self.reading = Some((number, self.open_segment(number, OFlags::RDONLY)?));
        }
        let Some((_, file)) = &self.reading else { return Err(Errno::BADF) };
        let left = usize::try_from(size - self.next.offset).unwrap_or(usize::MAX);
        self.buffer.clear();
        self.used = 0;
        self.buffer.resize(needed.max(READ).min(left), 0);
        let count = read_at(file, &mut self.buffer, self.next.offset)?;
        self.buffer.truncate(count);
        // Somebody has cut it.
        if count < needed { Err(Errno::IO) } else { Ok(()) }
    }

    /// The message that [`Self::advance`] found.
    pub(super) fn message(&self) -> &[u8] {
        let end = self.used + self.record;
        self.buffer.get(self.used + segment::RECORD..end).unwrap_or_default()
    }

    /// Whether something was sent that may not have arrived.
    pub(super) fn is_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// The record that [`Self::advance`] found was sent.
    pub(super) fn sent(&mut self) {
        self.used += self.record;
        self.next.offset += self.record as u64;
        self.record = 0;
        self.in_flight.push_back(self.next);
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
            self.note(last);
        }
    }

    /// Removes segments of which nothing is left; gives whether there are none now.
    fn drop_what_arrived(&mut self) -> bool {
        while let Some(front) = self.segments.front() {
            let done = match self.in_flight.front() {
                Some(place) => place.number > front.number,
                None => {
                    self.next.number > front.number
                        || self.next.number == front.number && self.next.offset >= front.size
                }
            };
            if !done {
                return false;
            }
            self.remove_front();
        }
        true
    }

    /// Writes down how far a segment has arrived. What can't be written is sent again by a successor.
    fn note(&self, place: Place) {
        if let Ok(file) = self.open_segment(place.number, OFlags::WRONLY) {
            let _ = sys::io::pwrite(&file, &place.offset.to_le_bytes(), segment::ARRIVED);
        }
    }

    /// What was sent and hasn't arrived comes again.
    pub(super) fn rewind(&mut self) {
        self.in_flight.clear();
        let number = self.segments.front().map_or(0, |front| front.number);
        self.move_to(Place { number, offset: self.first });
    }

    /// Writes as many messages as there is room for; the first `sent` of them were sent, and may not have arrived
    /// (there is nothing before them then). See [`Self::appended`].
    pub(super) fn append(
        &mut self,
        messages: &VecDeque<Vec<u8>>,
        sent: usize,
    ) -> Result<(), Errno> {
        self.appended = 0;
        let mut messages = messages.iter().peekable();
        let mut batch = Vec::new();
        let mut ends = Vec::new();
        while messages.peek().is_some() {
            self.begin_segment()?;
            let (Some(file), Some(last)) = (&self.writing, self.segments.back()) else {
                return Err(Errno::BADF);
            };
            let (number, size, most) = (last.number, last.size, self.most());
            batch.clear();
            ends.clear();
            while let Some(message) = messages.peek() {
                let end = size + (batch.len() + segment::RECORD + message.len()) as u64;
                let total = self.bytes + (end - size);
                if end > most && !(batch.is_empty() && size == HEAD) || total > self.limit {
                    break;
                }
                segment::put(message, &mut batch);
                ends.push(Place { number, offset: end });
                messages.next();
            }
            if ends.is_empty() {
                let needed = messages.peek().map_or(0, |message| segment::RECORD + message.len());
                if self.bytes + needed as u64 <= self.limit {
                    // Only this segment is full.
                    self.writing = None;
                } else if self.drop_oldest && self.segments.len() > 1 {
                    self.drop_front();
                } else {
                    return Ok(());
                }
                continue;
            }
            write_at(file, &batch, size)?;
            for end in &ends {
                if self.appended < sent {
                    self.in_flight.push_back(*end);
                    self.move_to(*end);
                }
                self.appended += 1;
            }
            if let Some(last) = self.segments.back_mut() {
                last.size += batch.len() as u64;
            }
            self.bytes += batch.len() as u64;
        }
        Ok(())
    }

    /// How many messages the last [`Self::append`] has written.
    pub(super) fn appended(&self) -> usize {
        self.appended
    }

    pub(super) fn dropped(&mut self) -> u64 {
        core::mem::take(&mut self.dropped)
    }

    fn most(&self) -> u64 {
        (self.limit / 8).min(SEGMENT)
    }

    fn begin_segment(&mut self) -> Result<(), Errno> {
        if self.writing.is_some() {
            return Ok(());
        }
        let number = self.number;
        let file = self.open_segment(number, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
        self.number += 1;
        if let Err(errno) = write_at(&file, &segment::head(), 0) {
            let _ = unlinkat(&self.directory, name(number).as_c_str(), AtFlags::empty());
            return Err(errno);
        }
        if self.segments.is_empty() {
            self.first = HEAD;
            self.move_to(Place { number, offset: HEAD });
        }
        self.writing = Some(file);
        self.segments.push_back(Segment { number, size: HEAD });
        self.bytes += HEAD;
        Ok(())
    }

    /// Gives up the oldest segment, and counts what of it wasn't sent.
    fn drop_front(&mut self) {
        let Some(front) = self.segments.front() else { return };
        let number = front.number;
        while self.next.number == number && matches!(self.advance(), Ok(true)) {
            if self.next.number == number {
                self.used += self.record;
                self.next.offset += self.record as u64;
                self.dropped += 1;
            }
        }
        self.in_flight.retain(|place| place.number != number);
        if self.segments.front().is_some_and(|front| front.number == number) {
            self.remove_front();
        }
    }
}

/// Locks it. A predecessor that was killed may have been starting tcpclient, and that child has a copy of the lock up to
/// its exec: so there is a second for it.
fn keep(lock: &OwnedFd) -> Result<(), Errno> {
    let deadline = monotonic() + Duration::from_secs(1);
    loop {
        match flock(lock, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) if monotonic() < deadline => {
                let _ = poll(&mut [], Some(Duration::from_millis(20)), None);
            }
            outcome => return outcome,
        }
    }
}

fn name(number: u64) -> CString {
    let digits: Vec<u8> =
        (0..16).rev().map(|at| b"0123456789abcdef"[(number >> (4 * at) & 15) as usize]).collect();
    // Digits have no NUL.
    CString::new(digits).unwrap_or_default()
}

fn read_at(file: &OwnedFd, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    let mut count = 0;
    while count < buffer.len() {
        match sys::io::pread(file, &mut buffer[count..], offset + count as u64) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(count)
}

fn write_at(file: &OwnedFd, bytes: &[u8], offset: u64) -> Result<(), Errno> {
    let mut count = 0;
    while count < bytes.len() {
        match sys::io::pwrite(file, &bytes[count..], offset + count as u64) {
            Ok(0) => return Err(Errno::NOSPC),
            Ok(more) => count += more,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::path::PathBuf;

    struct Place(PathBuf);

    impl Place {
        fn new() -> Self {
            use std::sync::atomic::{AtomicU32, Ordering};
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let name = format!("splogger-spool-{}-{count}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        fn open(&self, drop_oldest: bool) -> Spool {
            let path = CString::new(self.0.to_str().expect("UTF-8")).expect("no NUL");
            // Arguments live as long as the program.
            let directory = Box::leak(path.into_boxed_c_str());
            Spool::find(&Spooling { directory, bytes: 1 << 20, drop_oldest }).expect("opened")
        }

        fn segments(&self) -> usize {
            std::fs::read_dir(&self.0).expect("a directory").count() - 1
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        /// Messages of these lengths come.
        Append(Vec<usize>),
        /// So many are sent, if there are so many.
        Send(usize),
        /// All but the last so many of them have arrived.
        Confirm(usize),
        /// The connection breaks.
        Rewind,
        /// The process is killed, and started again.
        Reopen,
    }

    fn step() -> impl Strategy<Value = Step> {
        let length = prop_oneof![3 => 1_usize..100, 1 => 1_usize..60_000, 1 => Just(300_000)];
        prop_oneof![
            3 => prop::collection::vec(length, 1..8).prop_map(Step::Append),
            3 => (0_usize..12).prop_map(Step::Send),
            2 => (0_usize..6).prop_map(Step::Confirm),
            1 => Just(Step::Rewind),
            1 => Just(Step::Reopen),
        ]
    }

    fn message(number: usize, length: usize) -> Vec<u8> {
        let mut message = vec![b'x'; length];
        let number = number.to_le_bytes();
        let length = length.min(8);
        message[..length].copy_from_slice(&number[..length]);
        message
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        /// The spool is a list with two places in it, whatever becomes of the process.
        #[test]
        fn it_is_a_queue_that_survives(steps in prop::collection::vec(step(), 1..40)) {
            let place = Place::new();
            let mut spool = place.open(false);
            let (mut all, mut arrived, mut sent) = (Vec::<Vec<u8>>::new(), 0, 0);
            for step in steps {
                match step {
                    Step::Append(lengths) => {
                        let next = all.len();
                        let numbered = lengths.iter().enumerate();
                        let new = numbered.map(|(at, length)| message(next + at, *length));
                        let new: VecDeque<Vec<u8>> = new.collect();
                        spool.append(&new, 0).expect("written");
                        let taken = spool.appended();
                        let all_fit = taken == new.len();
                        all.extend(new.into_iter().take(taken));
                        let waiting: usize = all[arrived..].iter().map(Vec::len).sum();
                        // Segments of which all but the end has arrived take room, too.
                        prop_assert!(all_fit || waiting + 750_000 > 1 << 20);
                    }
                    Step::Send(count) => {
                        for _ in 0..count {
                            let there = spool.advance().expect("readable");
                            prop_assert_eq!(there, sent < all.len());
                            if !there {
                                break;
                            }
                            prop_assert!(spool.message() == all[sent], "message {}", sent);
                            spool.sent();
                            sent += 1;
                        }
                    }
                    Step::Confirm(left) => {
                        spool.confirm(left);
                        arrived = arrived.max(sent.saturating_sub(left));
                    }
                    Step::Rewind => {
                        spool.rewind();
                        sent = arrived;
                    }
                    Step::Reopen => {
                        drop(spool);
                        spool = place.open(false);
                        sent = arrived;
                    }
                }
                prop_assert_eq!(spool.is_in_flight(), sent > arrived);
            }
            spool.rewind();
            for expected in &all[arrived..] {
                prop_assert!(spool.advance().expect("readable"));
                prop_assert!(spool.message() == expected.as_slice());
                spool.sent();
            }
            prop_assert!(!spool.advance().expect("readable"));
            spool.confirm(0);
            prop_assert!(spool.is_empty());
            prop_assert_eq!(place.segments(), 0);
        }
    }

    #[test]
    fn what_was_sent_before_it_came_here_is_not_sent_again_unless_it_is_lost() {
        let place = Place::new();
        let mut spool = place.open(false);
        let messages: VecDeque<Vec<u8>> = (0..5).map(|number| message(number, 20)).collect();
        spool.append(&messages, 3).expect("written");
        assert_eq!(spool.advance(), Ok(true));
        assert_eq!(spool.message(), messages[3]);
        spool.confirm(2);
        spool.rewind();
        assert_eq!(spool.advance(), Ok(true));
        assert_eq!(spool.message(), messages[1]);
    }

    #[test]
    fn the_oldest_make_room() {
        let place = Place::new();
        let mut spool = place.open(true);
        let messages: VecDeque<Vec<u8>> = (0..3000).map(|number| message(number, 1000)).collect();
        spool.append(&messages, 0).expect("written");
        assert_eq!(spool.appended(), 3000);
        let dropped = usize::try_from(spool.dropped()).expect("small");
        assert!((1900..2200).contains(&dropped), "{dropped}");
        for expected in messages.iter().skip(dropped) {
            assert_eq!(spool.advance(), Ok(true));
            assert!(spool.message() == expected.as_slice());
            spool.sent();
        }
        assert_eq!(spool.advance(), Ok(false));
    }
}
