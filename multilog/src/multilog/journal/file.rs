//! The two files of a journal.

use super::super::NAME;
use super::record::{BEGINNING, MOST, Record, length};
use alloc::{vec, vec::Vec};
use common::{Exit, Failure};
use core::ffi::CStr;
use sys::buffer::spare_capacity;
use sys::fs::{AtFlags, Mode, OFlags};
use sys::io::retry_on_intr;
use sys::pipe::SpliceFlags;
use sys::{BorrowedFd, Errno, OwnedFd};

/// What was taken from standard input.
const JOURNAL: &CStr = c"journal";
/// What is known of it: two records, of which the newer one counts. It is made first, and removed last.
const RECORDS: &CStr = c"journal.at";

pub(super) struct Files {
    /// The directory, by the name that it was given.
    pub(super) path: &'static CStr,
    directory: OwnedFd,
    journal: OwnedFd,
    records: OwnedFd,
}

impl Files {
    /// Opens them if they are there, or if they are wanted: then they are made (0600).
    ///
    /// # Errors
    /// What can't be opened or made: 111.
    pub(super) fn open(
        directory: &OwnedFd,
        path: &'static CStr,
        is_wanted: bool,
    ) -> Result<Option<Self>, Failure> {
        let records = match open(directory, RECORDS, is_wanted) {
            Err(Errno::NOENT) if !is_wanted => return Ok(None),
            other => other.map_err(fatal(b"unable to open ", path, RECORDS))?,
        };
        let journal =
            open(directory, JOURNAL, true).map_err(fatal(b"unable to open ", path, JOURNAL))?;
        let directory = duplicate(directory).map_err(fatal(b"unable to open ", path, JOURNAL))?;
        Ok(Some(Self { path, directory, journal, records }))
    }

    /// Whether they are there. What can't be told is no.
    pub(super) fn are_there(directory: &OwnedFd) -> bool {
        sys::fs::statat(directory, RECORDS, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// The records that are there, whole, and how long the journal is.
    ///
    /// # Errors
    /// What can't be read: 111.
    pub(super) fn read(&self) -> Result<([Option<Record>; 2], u64), Failure> {
        let record =
            |number| self.record(number).map_err(fatal(b"unable to read ", self.path, RECORDS));
        let stat =
            sys::fs::fstat(&self.journal).map_err(fatal(b"unable to stat ", self.path, JOURNAL))?;
        Ok(([record(0)?, record(1)?], u64::try_from(stat.st_size).unwrap_or(0)))
    }

    fn record(&self, number: u64) -> Result<Option<Record>, Errno> {
        let mut beginning = [0; BEGINNING];
        let count =
            retry_on_intr(|| sys::io::pread(&self.records, &mut beginning, offset(number)))?;
        let Some(length) = length(&beginning[..count]) else { return Ok(None) };
        let mut bytes = vec![0; length];
        let count =
            retry_on_intr(|| sys::io::pread(&self.records, &mut bytes[..], offset(number)))?;
        Ok(Record::decode(&bytes[..count]))
    }

    /// Writes the record with this number, in the place of the one before the last.
    pub(super) fn write_record(&self, number: u64, bytes: &[u8]) -> Result<(), Errno> {
        let count = retry_on_intr(|| sys::io::pwrite(&self.records, bytes, offset(number)))?;
        if count == bytes.len() { Ok(()) } else { Err(Errno::NOSPC) }
    }

    /// Moves what there is in a pipe to `end` of the journal, `most` bytes at most. How much that was.
    ///
    /// The kernel takes out of the pipe what it has written, before anybody can be killed.
    pub(super) fn splice(
        &self,
        pipe: BorrowedFd<'_>,
        end: u64,
        most: usize,
    ) -> Result<usize, Errno> {
        let mut to = end;
        sys::pipe::splice(pipe, None, &self.journal, Some(&mut to), most, SpliceFlags::empty())
    }

    /// Writes some of these bytes. How many that were.
    pub(super) fn write(&self, bytes: &[u8], end: u64) -> Result<usize, Errno> {
        match retry_on_intr(|| sys::io::pwrite(&self.journal, bytes, end))? {
            0 => Err(Errno::NOSPC),
            count => Ok(count),
        }
    }

    /// Appends to `buffer` what is there from `begin` on, as far as there is room. How much that was.
    pub(super) fn read_on(&self, begin: u64, buffer: &mut Vec<u8>) -> Result<usize, Errno> {
        retry_on_intr(|| sys::io::pread(&self.journal, spare_capacity(&mut *buffer), begin))
    }

    /// Makes the journal end here.
    pub(super) fn cut(&self, end: u64) -> Result<(), Errno> {
        retry_on_intr(|| sys::fs::ftruncate(&self.journal, end))
    }

    /// Makes both in another directory, empty.
    pub(super) fn make_anew(&mut self, directory: &OwnedFd) -> Result<(), Errno> {
        let records = open(directory, RECORDS, true)?;
        let journal = open(directory, JOURNAL, true)?;
        retry_on_intr(|| sys::fs::ftruncate(&journal, 0))?;
        self.directory = duplicate(directory)?;
        (self.records, self.journal) = (records, journal);
        Ok(())
    }

    /// Nothing is lost if they can't be removed: the record says that nothing is left to be done.
    pub(super) fn remove(&self) {
        for name in [JOURNAL, RECORDS] {
            let _ = sys::fs::unlinkat(&self.directory, name, AtFlags::empty());
        }
    }
}

fn offset(number: u64) -> u64 {
    number % 2 * MOST as u64
}

fn open(directory: &OwnedFd, name: &CStr, make: bool) -> Result<OwnedFd, Errno> {
    let make = if make { OFlags::CREATE } else { OFlags::empty() };
    // Not for appending: splice(2) doesn't, there.
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | make;
    retry_on_intr(|| sys::fs::openat(directory, name, flags, Mode::RUSR | Mode::WUSR))
}

fn duplicate(directory: &OwnedFd) -> Result<OwnedFd, Errno> {
    sys::io::fcntl_dupfd_cloexec(directory, 3)
}

fn fatal(
    what: &'static [u8],
    path: &'static CStr,
    file: &'static CStr,
) -> impl Fn(Errno) -> Failure {
    move |errno| {
        let parts: [&[u8]; 4] = [what, path.to_bytes(), b"/", file.to_bytes()];
        NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
    }
}
