//! A status file: the last line that was selected, for others to read.

use super::notice::Notice;
use super::patience::Patience;
use alloc::{vec, vec::Vec};
use core::ffi::CStr;
use sys::fs::{Mode, OFlags};
use sys::{Errno, OwnedFd};

/// How long the file is, always.
const SIZE: usize = 1001;

pub(super) struct Status {
    path: &'static CStr,
    file: OwnedFd,
    content: Vec<u8>,
    is_new: bool,
    /// Whether another action writes to the same file.
    is_shared: bool,
    patience: Patience,
}

/// Takes note of those that are the same file: there, what was selected last stays, whichever action did it.
pub(super) fn note_shared(statuses: &mut [Status]) {
    for at in 1..statuses.len() {
        let (before, rest) = statuses.split_at_mut(at);
        let this = &mut rest[0];
        for other in before {
            if other.is_same(this) {
                (other.is_shared, this.is_shared) = (true, true);
            }
        }
    }
}

impl Status {
    /// Makes the file (0600) if it isn't there.
    ///
    /// # Errors
    /// As open(2).
    pub(super) fn open(path: &'static CStr, notice: Notice) -> Result<Self, Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = sys::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?;
        let patience = Patience::new(notice);
        Ok(Self {
            path,
            file,
            content: vec![b'\n'; SIZE],
            is_new: false,
            is_shared: false,
            patience,
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        let identity =
            |status: &Self| sys::fs::fstat(&status.file).map(|stat| (stat.st_dev, stat.st_ino));
        identity(self).is_ok_and(|this| identity(other) == Ok(this))
    }

    /// A line was selected: its first 1000 bytes, newlines after them. It is not written yet, unless the file is another
    /// action's, too: of many lines that come at once, nobody would see any but the last.
    pub(super) fn set(&mut self, line: &[u8]) {
        let count = line.len().min(SIZE - 1);
        self.content[..count].copy_from_slice(&line[..count]);
        self.content[count..].fill(b'\n');
        self.is_new = true;
        if self.is_shared {
            self.flush();
        }
    }

    /// Writes it, in place, if there is anything new. Comes back when it is done.
    pub(super) fn flush(&mut self) {
        if !core::mem::take(&mut self.is_new) {
            return;
        }
        let mut done = 0;
        while done < SIZE {
            match sys::io::pwrite(&self.file, &self.content[done..], done as u64) {
                Ok(count @ 1..) => {
                    done += count;
                    self.patience.over();
                }
                Ok(0) => self.pause("unable to write ", Errno::NOSPC),
                Err(Errno::INTR) => {}
                Err(errno @ Errno::SPIPE) => self.pause("unable to move to beginning of ", errno),
                Err(errno) => self.pause("unable to write ", errno),
            }
        }
    }

    fn pause(&mut self, what: &'static str, errno: Errno) {
        self.patience.pause(what, self.path.to_bytes(), Some(errno));
    }
}
