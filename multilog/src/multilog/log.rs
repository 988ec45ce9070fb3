//! One log: what is to be appended to it, and the file that it is appended to.

use super::disk::{CURRENT, Disk, Trouble};
use super::keeper::{carry_out, insist, prune};
use super::script::{Durable, Settings};
use super::steps;
use alloc::vec::Vec;
use core::time::Duration;
use memchr::memchr;
use sys::Errno;

/// So much is collected before it is written, unless there is nothing more to read.
const ENOUGH: usize = 64 * 1024;

/// So much at once is written without being collected: a copy would cost more than a write.
const LARGE: usize = 8 * 1024;

/// A newline so close to the largest size ends a file: lines are not torn without need.
const SLACK: u64 = 2000;

pub(super) struct Log<D> {
    settings: Settings,
    disk: D,
    /// How long `current` is.
    written: u64,
    pending: Vec<u8>,
    /// When a finished file will be too old, since 1970, or when that is to be found out.
    expiry: Option<Duration>,
    /// Whether the line in hand goes here.
    pub(super) takes_line: bool,
    /// Whether anything was written that may not be on disk.
    is_new: bool,
}

impl<D: Disk> Log<D> {
    /// A log whose `current` is open, and has `written` bytes.
    pub(super) fn new(settings: Settings, disk: D, written: u64) -> Self {
        let has_limits = settings.age.is_some() || settings.total.is_some();
        Self {
            settings,
            disk,
            written,
            pending: Vec::with_capacity(ENOUGH),
            expiry: has_limits.then_some(Duration::ZERO),
            takes_line: false,
            is_new: false,
        }
    }

    /// Appends lines, or part of one. It may not be written yet.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        if self.pending.len() + bytes.len() > ENOUGH {
            self.flush();
        }
        if self.pending.is_empty() && bytes.len() >= LARGE {
            return self.write(bytes);
        }
        self.pending.extend_from_slice(bytes);
    }

    /// Writes all that was appended, and rotates on the way. Comes back when it is done.
    pub(super) fn flush(&mut self) {
        let mut pending = core::mem::take(&mut self.pending);
        self.write(&pending);
        pending.clear();
        self.pending = pending;
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut rest = self.disk.unwritten(bytes);
        self.is_new |= !rest.is_empty();
        while !rest.is_empty() {
            if self.written >= self.settings.size {
                self.rotate();
            }
            let part = &rest[..portion(rest, self.written, self.settings.size)];
            let count = insist(&mut self.disk, |disk| write(part, disk));
            self.written += count as u64;
            let ends_line = rest[count - 1] == b'\n';
            rest = &rest[count..];
            if ends_line && self.written + SLACK >= self.settings.size {
                self.rotate();
            }
        }
    }

    /// Writes all that was appended, and to disk, if that is wanted. Comes back when it is done.
    pub(super) fn commit(&mut self) {
        self.flush();
        if core::mem::take(&mut self.is_new) && self.settings.durable >= Durable::Batches {
            insist(&mut self.disk, |disk| {
                disk.sync_content().map_err(|errno| Trouble::to_disk(CURRENT, errno))
            });
        }
    }

    /// From now on a journal is told what becomes of the log, or none.
    pub(super) fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    /// What is written so far becomes a finished file, if it is anything.
    pub(super) fn rotate_now(&mut self) {
        self.flush();
        if self.written > 0 {
            self.rotate();
        }
    }

    /// Has the finished files compressed that aren't yet, if that is wanted. Doesn't wait.
    pub(super) fn compress(&mut self) {
        if let Some(format) = self.settings.compression {
            self.disk.compress(format, self.settings.code);
        }
    }

    /// A child process has ended: it may be the one that compresses.
    pub(super) fn look_after_compressor(&mut self) {
        if let Some(format) = self.settings.compression {
            self.disk.look_after_compressor(format, self.settings.code);
        }
    }

    /// Writes the rest, to disk.
    pub(super) fn close(&mut self) {
        self.flush();
        self.disk.stop_compressor();
        carry_out(steps::CLOSING, &self.settings, &mut self.disk);
    }

    /// When [`Self::expire`] is to be called, at the latest: since 1970.
    pub(super) fn next_expiry(&self) -> Option<Duration> {
        self.expiry
    }

    /// It is `now`: removes what is too old, or too much. Comes back when it is done.
    pub(super) fn expire(&mut self, now: Duration) {
        if self.expiry.is_some_and(|expiry| expiry <= now) {
            let settings = &self.settings;
            self.expiry = insist(&mut self.disk, |disk| prune(usize::MAX, settings, disk));
        }
    }

    fn rotate(&mut self) {
        let steps = steps::rotation(self.settings.processor.is_some());
        carry_out(steps, &self.settings, &mut self.disk);
        sync_names(self.settings.durable, &mut self.disk);
        self.written = 0;
        // A file that was there before comes first.
        let of_this_one = self.settings.age.map(|age| self.disk.now().saturating_add(age));
        self.expiry = self.expiry.or(of_this_one);
        self.compress();
    }
}

/// Writes to disk which names the files have, if that is wanted.
pub(super) fn sync_names(durable: Durable, disk: &mut impl Disk) {
    if durable >= Durable::Rotations {
        insist(disk, |disk| {
            let what = "unable to write directory ";
            let trouble =
                |errno| Trouble { how: " to disk", ..Trouble::of_directory(what, Some(errno)) };
            disk.sync_directory().map_err(trouble)
        });
    }
}

fn write(bytes: &[u8], disk: &mut impl Disk) -> Result<usize, Trouble> {
    let trouble = |errno| Trouble::with("unable to write to ", CURRENT, errno);
    match disk.write(bytes) {
        Ok(0) => Err(trouble(Errno::NOSPC)),
        Ok(count) => Ok(count.min(bytes.len())),
        Err(errno) => Err(trouble(errno)),
    }
}

/// How much of `bytes` the file takes that has `written` of its `size` bytes: up to the first
/// newline that may end it, or up to the size. At least one byte, if `written` is less than `size`.
fn portion(bytes: &[u8], written: u64, size: u64) -> usize {
    let room = usize::try_from(size.saturating_sub(written)).unwrap_or(usize::MAX);
    let bytes = &bytes[..bytes.len().min(room)];
    // The first byte that may be a file's last.
    let first = size.saturating_sub(SLACK).saturating_sub(written).saturating_sub(1);
    let first = usize::try_from(first).unwrap_or(usize::MAX).min(bytes.len());
    memchr(b'\n', &bytes[first..]).map_or(bytes.len(), |at| first + at + 1)
}

#[cfg(test)]
mod tests;
