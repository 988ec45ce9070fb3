//! `supervise/process` (and `process.log`, for the `log` that it runs): what a supervise that was killed leaves to the next one.
//!
//! The original's service runs on when its supervise is killed, and the next supervise starts a
//! second copy beside it. Ours notes which process it started, and takes it over. The file, 0600,
//! is there while supervise runs, and removed when it ends in order, so that its mere presence says
//! "killed".
//!
//! | bytes | what | written |
//! | --- | --- | --- |
//! | 0–15 | the host's boot id, mixed with the start of process 1 | at once |
//! | 16–22 | clock ticks from boot to a moment just before the start, little-endian | before it |
//! | 23 | which script: 0 `run` or `log`, 1 `start`, 2 `finish`, 3 `stop` | before it |
//! | 24–27 | process id, little-endian | by the new process itself, before it runs `run` |
//! | 28–35 | when exactly it started, in ticks, little-endian | after the start |
//!
//! After a restart of the host, or of a container, another boot id makes all the rest void.
//!
//! A process id alone may by now be another process's. So the next supervise compares its start;
//! when supervise was killed in the instant before it had noted that, the process must have
//! started within [`LATEST`] of the moment noted before. And until the new process
//! runs `run`, it holds the lock of its parent with it: the next supervise can't look too early.

use crate::directory::{OWNER, is_at};
use crate::machine::Script;
use crate::procfs::{BootId, TICKS, boot_id, start_of, ticks};
use alloc::ffi::CString;
use sys::fs::{self, OFlags};
use sys::process::Pid;
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// How many ticks after the moment noted a process may have started and still be ours: 10 s.
pub const LATEST: u64 = 10 * TICKS;

const BOOT: usize = size_of::<BootId>();

/// The open record.
#[derive(Debug)]
pub struct Record {
    path: CString,
    file: OwnedFd,
    boot: Option<BootId>,
    /// Whether the file begins with that.
    headed: bool,
    /// Whether it was opened just now, and must be where it was.
    fresh: bool,
    /// What the file holds after the boot id.
    entry: Option<Entry>,
    /// Whether a start was announced that hasn't been completed.
    announced: bool,
}

/// A start, as noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Which script it was.
    pub script: Script,
    /// Ticks from boot to just before the start.
    pub before: u64,
    /// The process; `None` when there was none yet.
    pub pid: Option<Pid>,
    /// Ticks from boot to its start.
    pub start: Option<u64>,
}

/// What the record says of the time before us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Past {
    /// Nothing: the last supervise ended in order, or the host has restarted since.
    Orderly,
    /// A supervise was killed; this is the last start that it noted.
    Killed(Option<Entry>),
}

impl Record {
    /// Opens the record, or makes it, and tells what it says. It stays as it is until
    /// [`Self::reset`].
    ///
    /// # Errors
    /// Those of open(2).
    pub fn open(path: CString) -> Result<(Self, Past), Errno> {
        let boot = boot_id();
        let file = open(&path)?;
        let (past, length) = read_at(&file, boot);
        let (headed, entry) = match past {
            Past::Orderly => (false, None),
            Past::Killed(entry) => (true, entry),
        };
        let empty = length == 0;
        let record = Self { path, file, boot, headed, entry, fresh: empty, announced: false };
        Ok((record, past))
    }

    /// Goes on with a predecessor's record: it has an entry if there is a process.
    ///
    /// # Errors
    /// Those of open(2).
    pub fn reopen(path: CString, running: bool) -> Result<Self, Errno> {
        let (mut record, past) = Self::open(path)?;
        if past == Past::Orderly || !running {
            record.entry = None;
        }
        Ok(record)
    }

    /// There is no process: none was found, or it has ended.
    ///
    /// # Errors
    /// The file can't be written: the disk is full, say.
    pub fn reset(&mut self) -> Result<(), Errno> {
        self.entry = None;
        if self.headed {
            // What is kept keeps its block: on a full disk, starts are still noted.
            return fs::ftruncate(&self.file, BOOT as u64);
        }
        if !self.fresh {
            fs::ftruncate(&self.file, 0)?;
        }
        sys::write_all(&self.file, &self.boot.unwrap_or_default())?;
        self.headed = true;
        Ok(())
    }

    /// There is no process: as [`Self::reset`], where that isn't so already.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn settle(&mut self) -> Result<(), Errno> {
        if self.headed && self.entry.is_none() { Ok(()) } else { self.reset() }
    }

    /// A process is about to be started, and will leave its id in the descriptor.
    ///
    /// # Errors
    /// The file can't be written. The start may go on: it just isn't recorded.
    pub fn announce(&mut self, script: Script) -> Result<BorrowedFd<'_>, Errno> {
        self.mend()?;
        if !self.headed || self.entry.is_some() {
            self.reset()?;
        }
        let before = ticks();
        sys::write_all(&self.file, &(before | number(script) << 56).to_le_bytes())?;
        self.entry = Some(Entry { script, before, pid: None, start: None });
        self.announced = true;
        Ok(self.file.as_fd())
    }

    /// The process was started, and has left its id.
    ///
    /// # Errors
    /// The file can't be written.
    fn complete(&mut self, pid: Pid) -> Result<(), Errno> {
        let (Some(entry), Some(start)) = (&mut self.entry, start_of(pid)) else { return Ok(()) };
        sys::write_all(&self.file, &start.to_le_bytes())?;
        entry.pid = Some(pid);
        entry.start = Some(start);
        Ok(())
    }

    /// This process runs: what is not yet noted of it is noted now, all of it if its start has met a
    /// full disk. (Without /proc there is nothing to note.)
    ///
    /// # Errors
    /// The file still can't be written.
    pub fn catch_up(&mut self, script: Script, pid: Pid) -> Result<(), Errno> {
        if self.boot.is_none() || self.entry.is_some_and(|entry| entry.start.is_some()) {
            return Ok(());
        }
        if core::mem::take(&mut self.announced) {
            return self.complete(pid);
        }
        let Some(start) = start_of(pid) else { return Ok(()) };
        self.mend()?;
        self.reset()?;
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&(start | number(script) << 56).to_le_bytes());
        bytes[8..12].copy_from_slice(&pid.as_raw_pid().to_le_bytes());
        bytes[12..].copy_from_slice(&start.to_le_bytes());
        sys::write_all(&self.file, &bytes)?;
        self.entry = Some(Entry { script, before: start, pid: Some(pid), start: Some(start) });
        Ok(())
    }

    /// supervise ends in order: no record is left.
    pub fn remove(self) {
        if is_at(&self.file, &self.path) {
            let _ = fs::unlink(self.path.as_c_str());
        }
    }

    /// Makes the file anew if it was removed or replaced.
    fn mend(&mut self) -> Result<(), Errno> {
        if !self.fresh && !is_at(&self.file, &self.path) {
            self.file = open(&self.path)?;
            self.headed = false;
        }
        self.fresh = false;
        Ok(())
    }
}

impl Entry {
    /// Whether a process with this id that started so many ticks after boot is the one noted.
    #[must_use]
    pub fn is(&self, start: u64) -> bool {
        match self.start {
            Some(noted) => start == noted,
            None => (self.before..=self.before.saturating_add(LATEST)).contains(&start),
        }
    }
}

/// Reads a record that isn't ours.
#[must_use]
pub fn read(file: &OwnedFd) -> Past {
    read_at(file, boot_id()).0
}

/// What it says, and how long it is.
fn read_at(file: &OwnedFd, boot: Option<BootId>) -> (Past, usize) {
    let mut bytes = [0; 64];
    let length = sys::io::pread(file, &mut bytes[..], 0).unwrap_or(0);
    (decode(&bytes[..length], boot), length)
}

/// Reads a record's bytes, at a host with this boot id.
#[must_use]
pub fn decode(bytes: &[u8], boot: Option<BootId>) -> Past {
    let Some((noted, rest)) = bytes.split_first_chunk() else { return Past::Orderly };
    if boot != Some(*noted) {
        return Past::Orderly;
    }
    Past::Killed(decode_entry(rest))
}

fn decode_entry(bytes: &[u8]) -> Option<Entry> {
    let (before, rest) = bytes.split_first_chunk()?;
    let before = u64::from_le_bytes(*before);
    let script = SCRIPTS.get(usize::try_from(before >> 56).ok()?).copied()?;
    let mut entry = Entry { script, before: before & MOMENT, pid: None, start: None };
    if let Some((pid, rest)) = rest.split_first_chunk() {
        let pid = Some(i32::from_le_bytes(*pid)).filter(|pid| *pid > 0);
        entry.pid = pid.and_then(Pid::from_raw);
        entry.start = rest.first_chunk().map(|start| u64::from_le_bytes(*start));
    }
    Some(entry)
}

/// The scripts by their numbers.
const SCRIPTS: [Script; 4] = [Script::Run, Script::Start, Script::Finish, Script::Stop];

/// The bits that a moment may have.
const MOMENT: u64 = (1 << 56) - 1;

fn number(script: Script) -> u64 {
    match script {
        Script::Run => 0,
        Script::Start => 1,
        Script::Finish => 2,
        Script::Stop => 3,
    }
}

fn open(path: &CString) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::APPEND | OFlags::CLOEXEC;
    fs::open(path.as_c_str(), flags | OFlags::NONBLOCK, OWNER)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: BootId = *b"0123456789abcdef";

    #[test]
    fn how_far_a_killed_supervise_came() {
        let pid = Pid::from_raw(0x0102);
        let whole = [&ID[..], &[7, 0, 0, 0, 0, 0, 0, 0], &[2, 1, 0, 0], &[9; 8]].concat();
        let entry =
            |pid, start| Past::Killed(Some(Entry { script: Script::Run, before: 7, pid, start }));
        let nines = Some(u64::from_le_bytes([9; 8]));
        for (length, past) in [
            (0, Past::Orderly),
            (15, Past::Orderly),
            (16, Past::Killed(None)),
            (23, Past::Killed(None)),
            (24, entry(None, None)),
            (27, entry(None, None)),
            (28, entry(pid, None)),
            (35, entry(pid, None)),
            (36, entry(pid, nines)),
        ] {
            assert_eq!(decode(&whole[..length], Some(ID)), past, "{length} bytes");
        }
        assert_eq!(decode(&whole, Some([0; 16])), Past::Orderly);
        assert_eq!(decode(&whole, None), Past::Orderly);
    }

    #[test]
    fn which_script_it_was() {
        for (at, script) in SCRIPTS.into_iter().enumerate() {
            assert_eq!(number(script), at as u64);
            let bytes = [&ID[..], &[7, 0, 0, 0, 0, 0, 0, at as u8]].concat();
            let entry = Entry { script, before: 7, pid: None, start: None };
            assert_eq!(decode(&bytes, Some(ID)), Past::Killed(Some(entry)));
        }
        let unknown = [&ID[..], &[7, 0, 0, 0, 0, 0, 0, 4]].concat();
        assert_eq!(decode(&unknown, Some(ID)), Past::Killed(None));
    }

    #[test]
    fn a_process_group_or_nobody_is_no_process() {
        for pid in [0_i32, -1, i32::MIN] {
            let bytes = [&ID[..], &[0; 8], &pid.to_le_bytes(), &[0; 8]].concat();
            let Past::Killed(Some(entry)) = decode(&bytes, Some(ID)) else { panic!("an entry") };
            assert_eq!(entry.pid, None);
        }
    }

    #[test]
    fn whose_process_it_is() {
        let pid = Pid::from_raw(5);
        let script = Script::Run;
        let exact = Entry { script, before: 100, pid, start: Some(101) };
        assert!(exact.is(101) && !exact.is(100) && !exact.is(102));
        let bound = Entry { script, before: 100, pid, start: None };
        assert!(!bound.is(99) && bound.is(100) && bound.is(100 + LATEST));
        assert!(!bound.is(101 + LATEST));
    }

    proptest! {
        #[test]
        fn no_bytes_upset_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = decode(&bytes, Some(ID));
            let _ = decode(&[&ID[..], &bytes].concat(), Some(ID));
        }
    }
}
