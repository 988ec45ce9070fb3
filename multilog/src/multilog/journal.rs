//! The journal: what was taken from standard input is in a file before it is anywhere else, and stays there until it is in
//! the logs. So kill -9 loses nothing, and nothing is logged twice.
//!
//! splice(2) moves bytes from the pipe into the file within one system call, which no signal tears: what isn't in the file is
//! still in the pipe. Before a batch is logged, a [`Record`] says where it begins, in which state and at which moment; so the
//! same lines and stamps come out of it again. How much of them is in the logs already, the logs' files tell
//! ([`place`]).

mod file;
mod identity;
mod keeping;
pub(crate) mod place;
pub(crate) mod record;
pub(crate) mod replay;

use super::NAME;
use super::notice::Notice;
use super::patience::Patience;
use crate::input::Input;
use alloc::{rc::Rc, vec::Vec};
use common::{Exit, Failure};
use core::cell::RefCell;
use core::ffi::CStr;
use core::time::Duration;
use file::Files;
use place::{File, Place};
use record::{Hand, Record};
use replay::Replay;
use sys::fs::FileType;
use sys::{Errno, OwnedFd};

pub(super) use identity::identities;
pub(super) use keeping::Keeping;

/// A journal that has become so long is emptied.
const LONG: u64 = 1024 * 1024;

/// What has been taken from standard input, and how much of it is in the logs.
pub(super) struct Journal {
    files: Files,
    /// How long `journal` is.
    end: u64,
    /// That of the batch in hand, as it was written last.
    record: Record,
    /// In the order of the record's places.
    logs: Vec<Kept>,
    /// Standard input is no pipe: bytes are read, and then written.
    copies: bool,
    patience: Patience,
}

/// A log, as it is now.
struct Kept {
    current: Option<File>,
    /// So much of what comes for it is there already.
    already: u64,
}

/// A log, as it is found.
pub(super) struct Found {
    /// See [`identities`].
    pub(super) log: u64,
    pub(super) current: Option<File>,
    /// Whether `current` is gone on with.
    pub(super) is_complete: bool,
}

impl Journal {
    /// Opens the journal in `directory` (with this name), if there is one; makes one if one is wanted. Gives what it leaves to be
    /// done, too. From here on the logs may be opened: what is in them by now is accounted for.
    ///
    /// # Errors
    /// What can't be opened or read: 111. More logs than a record has room for: 100.
    pub(super) fn open(
        directory: &OwnedFd,
        path: &'static CStr,
        is_wanted: bool,
        logs: &[Found],
        notice: Notice,
    ) -> Result<Option<(Self, Replay)>, Failure> {
        if !record::has_room(logs.len()) && (is_wanted || Files::are_there(directory)) {
            return Err(NAME.fatal(Exit::USAGE.0, &[b"too many logs for a journal"]));
        }
        let Some(files) = Files::open(directory, path, is_wanted)? else { return Ok(None) };
        let (records, end) = files.read()?;
        let mut replay = replay::plan(records, end);
        if replay.is_doubtful {
            let consequence = b"/journal.at: some lines may be logged twice";
            NAME.warn(&[b"unable to rely on ", path.to_bytes(), consequence]);
        }
        let mut kept = Vec::new();
        let mut places = Vec::new();
        for found in logs {
            let known = replay.record.places.iter().find(|place| place.log == found.log);
            // A log that is new takes the line in hand: nobody can tell where its beginning is.
            let mut place =
                known.copied().unwrap_or_else(|| Place::new(found.log, found.current, true));
            kept.push(Kept { current: found.current, already: place.there(found.current) });
            match found.current {
                Some(current) if found.is_complete => place.stay(current),
                current => place.leave(current),
            }
            places.push(place);
        }
        replay.record.places = places;
        let (record, patience) = (replay.record.clone(), Patience::new(notice));
        let mut journal = Self { files, end, record, logs: kept, copies: false, patience };
        journal.write_record();
        Ok(Some((journal, replay)))
    }

    /// Whether there is one in this directory.
    pub(super) fn is_there(directory: &OwnedFd) -> bool {
        Files::are_there(directory)
    }

    /// Takes what there is to be read: moves it into the journal, and gives it (in `buffer`, as far as there is room). Nothing
    /// at the end of the input.
    ///
    /// # Errors
    /// As read(2). `EAGAIN` also after a pause, when the journal can't be written to: nothing was taken.
    pub(super) fn take<'a>(
        &mut self,
        input: &Input,
        buffer: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Errno> {
        buffer.clear();
        let most = input.most(buffer.capacity());
        if self.copies {
            let read = input.read(buffer.spare_capacity_mut())?.to_vec();
            self.append(&read);
            buffer.extend_from_slice(&read);
            return Ok(buffer);
        }
        match self.files.splice(input.fd(), self.end, most) {
            Ok(0) => Ok(buffer),
            Ok(count) => {
                self.patience.over();
                let begin = self.end;
                self.end += count as u64;
                self.read(begin, self.end, buffer);
                // Nothing would be the end.
                if buffer.is_empty() { Err(Errno::AGAIN) } else { Ok(buffer) }
            }
            Err(Errno::INVAL) => {
                self.copy_from_now_on(input);
                self.take(input, buffer)
            }
            Err(errno @ (Errno::AGAIN | Errno::INTR | Errno::BADF)) => Err(errno),
            Err(errno) => {
                // Where a file system writes to disk at once, and that fails, bytes may be in both places.
                let _ = self.files.cut(self.end);
                self.pause("unable to write to ", b"journal", errno);
                Err(Errno::AGAIN)
            }
        }
    }

    /// What is no pipe can't be moved, and onto some networks' file systems nothing can.
    fn copy_from_now_on(&mut self, input: &Input) {
        self.copies = true;
        let is_pipe = sys::fs::fstat(input.fd())
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
        if is_pipe {
            let parts: [&[u8]; 3] = [
                b"unable to move standard input into ",
                self.files.path.to_bytes(),
                b"/journal, copying: kill -9 may lose what one read takes",
            ];
            NAME.warn(&parts);
        }
    }

    /// Appends what was got otherwise.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = self.end;
            let count =
                self.insist("unable to write to ", b"journal", |files| files.write(rest, end));
            self.end += count as u64;
            rest = &rest[count..];
        }
    }

    /// Fills `buffer` with what is there from `begin` up to `end`; with less, if there isn't as much room.
    pub(super) fn read(&mut self, begin: u64, end: u64, buffer: &mut Vec<u8>) {
        let wanted = usize::try_from(end - begin).unwrap_or(usize::MAX).min(buffer.capacity());
        buffer.clear();
        while buffer.len() < wanted {
            let at = begin + buffer.len() as u64;
            if self.insist("unable to read ", b"journal", |files| files.read_on(at, buffer)) == 0 {
                // Somebody has made it shorter.
                return;
            }
        }
        buffer.truncate(wanted);
    }

    /// How long the journal is.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// A batch begins, where the last one ended, and ends at `end`: it is logged as of `moment`.
    pub(super) fn begin(&mut self, end: u64, moment: Duration, hand: Hand, takes_line: &[bool]) {
        self.record.begin = self.record.end;
        (self.record.end, self.record.moment, self.record.hand) = (end, moment, hand);
        for ((place, log), takes_line) in
            self.record.places.iter_mut().zip(&mut self.logs).zip(takes_line)
        {
            log.already = 0;
            if let Some(current) = log.current {
                place.begin(current, *takes_line);
            }
        }
        self.write_record();
    }

    pub(super) fn is_long(&self) -> bool {
        self.end >= LONG
    }

    /// All that is in the journal is in the logs, except the line in hand: empties it.
    pub(super) fn empty(&mut self, hand: Hand, takes_line: &[bool]) {
        self.begin(self.end, Duration::ZERO, hand, takes_line);
        self.insist("unable to empty ", b"journal", |files| files.cut(0));
        (self.end, self.record.begin, self.record.end) = (0, 0, 0);
        self.write_record();
    }

    /// All is in the logs, and there is no line in hand: nobody needs the journal.
    pub(super) fn remove(&mut self) {
        let nowhere: Vec<bool> = self.record.places.iter().map(|_| false).collect();
        self.begin(self.end, Duration::ZERO, Hand::default(), &nowhere);
        self.files.remove();
    }

    fn write_record(&mut self) {
        self.record.number += 1;
        let (number, bytes) = (self.record.number, self.record.encode());
        self.insist("unable to write to ", b"journal.at", |files| {
            files.write_record(number, &bytes)
        });
    }

    /// Tries until it succeeds.
    fn insist<T>(
        &mut self,
        what: &'static str,
        file: &[u8],
        mut attempt: impl FnMut(&Files) -> Result<T, Errno>,
    ) -> T {
        loop {
            match attempt(&self.files) {
                Ok(result) => {
                    self.patience.over();
                    return result;
                }
                Err(errno) => self.pause(what, file, errno),
            }
        }
    }

    fn pause(&mut self, what: &'static str, file: &[u8], errno: Errno) {
        let object = [self.files.path.to_bytes(), b"/", file].concat();
        self.patience.pause(what, &object, Some(errno));
    }
}

/// The journal, of which the logs know.
pub(super) type Shared = Rc<RefCell<Journal>>;
