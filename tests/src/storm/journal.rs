//! What a service notes of its own lines, outside of all that the storm can reach: not on its disk, and in a file, so that a
//! killed service's notes are as whole as a living one's.
//!
//! One file a service, one entry of 24 bytes for each start ("incarnation") of it, little-endian:
//!
//! | bytes | what | written |
//! | --- | --- | --- |
//! | 0-7 | how many lines it is about to have written | before each write(2) |
//! | 8-15 | how many lines it has written | after it |
//! | 16-23 | its process id | at the start |
//!
//! A write of at most PIPE_BUF (4096) bytes into a pipe happens whole or not at all. So of a service that was killed between
//! the two notes, the lines of that one write are all in the log or none is; all lines before must be there once, and none
//! after. That, and no more, can be known.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The variable that names the directory of the journals.
pub const VARIABLE: &str = "STORM_JOURNAL";

const SIZE: u64 = 24;

/// One start of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// How many lines it was last about to have written.
    pub tried: u64,
    /// How many lines it has written for certain.
    pub written: u64,
    /// Its process id.
    pub pid: u64,
}

/// A living service's own entry.
pub struct Journal {
    file: File,
    incarnation: u64,
    entry: Entry,
}

impl Journal {
    /// Begins the entry of this process in the journal of `name`.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn begin(directory: &Path, name: &str) -> io::Result<Journal> {
        let path = directory.join(name);
        let entry = Entry { tried: 0, written: 0, pid: u64::from(std::process::id()) };
        // Appended, so that two starts never share an entry.
        let mut end = OpenOptions::new().create(true).append(true).open(&path)?;
        end.write_all(&entry.encode())?;
        let incarnation = end.stream_position()? / SIZE - 1;
        let file = OpenOptions::new().write(true).open(&path)?;
        Ok(Journal { file, incarnation, entry })
    }

    /// The how-manieth start of the service this is, from 0.
    pub fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// How many lines are written so far.
    pub fn written(&self) -> u64 {
        self.entry.written
    }

    /// Lines are about to be written; `tried` is how many there will be in all.
    ///
    /// # Errors
    /// If it can't be noted.
    pub fn trying(&mut self, tried: u64) -> io::Result<()> {
        self.entry.tried = tried;
        self.note()
    }

    /// The lines that were tried are written.
    ///
    /// # Errors
    /// If it can't be noted.
    pub fn done(&mut self) -> io::Result<()> {
        self.entry.written = self.entry.tried;
        self.note()
    }

    fn note(&self) -> io::Result<()> {
        self.file.write_all_at(&self.entry.encode(), self.incarnation * SIZE)
    }
}

impl Entry {
    fn encode(self) -> [u8; SIZE as usize] {
        let mut bytes = [0; SIZE as usize];
        for (place, number) in bytes.chunks_exact_mut(8).zip([self.tried, self.written, self.pid]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Entry> {
        let mut numbers = bytes.chunks_exact(8).map(|part| part.try_into().map(u64::from_le_bytes));
        let mut number = || numbers.next()?.ok();
        Some(Entry { tried: number()?, written: number()?, pid: number()? })
    }
}

/// All entries of a service's journal; none if it never was started.
///
/// # Panics
/// If the file is there and can't be read.
pub fn entries(directory: &Path, name: &str) -> Vec<Entry> {
    let bytes = match fs::read(directory.join(name)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => panic!("read the journal of {name}: {error}"),
    };
    bytes.chunks_exact(SIZE as usize).filter_map(Entry::decode).collect()
}

/// Holds, for as long as the process lives, the one place that there is for a process of this name. If another has it, that
/// is noted as a violation: the kernel gives up a dead process's locks before its parent can learn of the death, so nobody
/// who waits for the end of one before he starts the next ever gets here.
///
/// # Errors
/// If the place is taken, or can't be asked for.
pub fn only_one(directory: &Path, name: &str) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(directory.join(format!("{name}.lock")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(error)) => Err(error),
        Err(TryLockError::WouldBlock) => {
            let line = format!("{name} was started a second time, as {}\n", std::process::id());
            let mut all =
                OpenOptions::new().create(true).append(true).open(violations(directory))?;
            all.write_all(line.as_bytes())?;
            Err(io::Error::other("another one runs"))
        }
    }
}

/// The file that takes what must never happen, a line each.
pub fn violations(directory: &Path) -> PathBuf {
    directory.join("violations")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scratch, wait_until};
    use std::time::Duration;

    #[test]
    fn each_start_has_its_entry() {
        let scratch = Scratch::new("journal");
        let mut first = Journal::begin(scratch.path(), "s").expect("a journal");
        let mut second = Journal::begin(scratch.path(), "s").expect("a journal");
        assert_eq!((first.incarnation(), second.incarnation()), (0, 1));
        first.trying(3).expect("noted");
        second.trying(7).expect("noted");
        second.done().expect("noted");
        let pid = u64::from(std::process::id());
        let expected = [Entry { tried: 3, written: 0, pid }, Entry { tried: 7, written: 7, pid }];
        assert_eq!(entries(scratch.path(), "s"), expected);
        assert_eq!(entries(scratch.path(), "t"), []);
    }

    #[test]
    fn a_second_one_is_noted() {
        let scratch = Scratch::new("only-one");
        let held = only_one(scratch.path(), "s").expect("the place");
        assert!(only_one(scratch.path(), "t").is_ok());
        assert!(!violations(scratch.path()).exists());
        assert!(only_one(scratch.path(), "s").is_err());
        let noted = fs::read_to_string(violations(scratch.path())).expect("a violation");
        assert!(noted.starts_with("s was started a second time"), "{noted}");
        drop(held);
        // A child that another test starts meanwhile has the lock, too, until it becomes its program.
        wait_until("the place", Duration::from_secs(10), || only_one(scratch.path(), "s").is_ok());
    }
}
