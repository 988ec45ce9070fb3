//! The spool's directory: its lock, and its segments as files.

use super::segment::{self, HEAD};
use alloc::vec::Vec;
use core::ffi::CStr;
use sys::fs::{AtFlags, Mode, OFlags, RawDir, mkdir, open, openat, unlinkat};
use sys::{Errno, OwnedFd, read_whole_at, write_all_at};

/// 0600.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// A directory that is ours for as long as this lives.
pub(super) struct Directory {
    directory: OwnedFd,
    _lock: OwnedFd,
}

/// A segment, as far as its file shows it.
pub(super) struct Segment {
    pub(super) number: u64,
    /// Up to here it is written.
    pub(super) size: u64,
}

impl Directory {
    /// Opens the directory, which is made (0700) if it isn't there, and locks it.
    pub(super) fn open(path: &CStr) -> Result<Self, Errno> {
        // Whether that failed shows in what follows.
        let _ = mkdir(path, Mode::RWXU);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = open(path, flags, Mode::empty())?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
        let lock = openat(&directory, c"lock", flags, PRIVATE)?;
        sys::lock(&lock, sys::LEFT_OVER)?;
        Ok(Self { directory, _lock: lock })
    }

    /// The segments that a predecessor has left, in order.
    pub(super) fn segments(&self) -> Result<Vec<Segment>, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let listed = openat(&self.directory, c".", flags, Mode::empty())?;
        let mut buffer = Vec::with_capacity(4096);
        let mut entries = RawDir::new(listed, buffer.spare_capacity_mut());
        let mut segments = Vec::new();
        while let Some(entry) = entries.next() {
            let Some(number) = segment::number(entry?.file_name().to_bytes()) else { continue };
            let status = sys::fs::fstat(self.read(number)?)?;
            segments.push(Segment { number, size: u64::try_from(status.st_size).unwrap_or(0) });
        }
        segments.sort_unstable_by_key(|segment| segment.number);
        Ok(segments)
    }

    /// Opens a segment to read it.
    pub(super) fn read(&self, number: u64) -> Result<OwnedFd, Errno> {
        self.open_segment(number, OFlags::RDONLY)
    }

    /// Makes a new segment, and gives it its head; what comes after that is written to what this returns.
    pub(super) fn create(&self, number: u64) -> Result<OwnedFd, Errno> {
        let file = self.open_segment(number, OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL)?;
        write_all_at(&file, &segment::head(), 0).inspect_err(|_| self.remove(number))?;
        Ok(file)
    }

    /// Up to where all of a segment has arrived. `None`: it has no head that can be read.
    pub(super) fn arrived(&self, number: u64) -> Option<u64> {
        let mut head = [0; HEAD as usize];
        let count = read_whole_at(self.read(number).ok()?, &mut head, 0).ok()?;
        if count < head.len() { None } else { segment::arrived(&head) }
    }

    /// Writes down up to where all of a segment has arrived. What can't be written is sent again by a successor.
    pub(super) fn note_arrived(&self, number: u64, offset: u64) {
        if let Ok(file) = self.open_segment(number, OFlags::WRONLY) {
            let _ = sys::io::pwrite(&file, &offset.to_le_bytes(), segment::ARRIVED);
        }
    }

    /// Removes a segment. One that stays will be found to have arrived, and goes then.
    pub(super) fn remove(&self, number: u64) {
        let _ = unlinkat(&self.directory, segment::name(number).as_c_str(), AtFlags::empty());
    }

    fn open_segment(&self, number: u64, flags: OFlags) -> Result<OwnedFd, Errno> {
        let name = segment::name(number);
        openat(&self.directory, name.as_c_str(), flags | OFlags::CLOEXEC, PRIVATE)
    }
}
