//! What a log's directory tells the journal.

use super::place::{File, Place};
use super::{Kept, Shared};
use alloc::rc::Rc;
use sys::{AsFd, Errno, OwnedFd};

/// The way from a log to the journal.
pub(in super::super) struct Keeping {
    journal: Shared,
    log: usize,
}

impl Keeping {
    /// For the log of this number.
    pub(in super::super) fn new(journal: &Shared, log: usize) -> Self {
        Self { journal: Rc::clone(journal), log }
    }

    /// This is `current` now.
    pub(in super::super) fn opened(&self, current: impl AsFd) -> Result<(), Errno> {
        let stat = sys::fs::fstat(current)?;
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        self.with_log(|log, _| log.current = Some(File { number: stat.st_ino, size }));
        Ok(())
    }

    /// `current` has become longer.
    pub(in super::super) fn written(&self, count: usize) {
        self.with_log(|log, _| {
            if let Some(current) = &mut log.current {
                current.size += count as u64;
            }
        });
    }

    /// There is going to be another `current`.
    pub(in super::super) fn leaves(&self) {
        self.with_log(|log, place| place.leave(log.current));
        self.journal.borrow_mut().write_record();
    }

    /// What of these bytes isn't there already.
    pub(in super::super) fn unwritten<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        let mut rest = bytes;
        self.with_log(|log, _| {
            let there = usize::try_from(log.already).unwrap_or(usize::MAX).min(bytes.len());
            log.already -= there as u64;
            rest = &bytes[there..];
        });
        rest
    }

    /// The log's directory is another one now. Where the journal was in it, it is made anew, too.
    pub(in super::super) fn moved(&self, directory: &OwnedFd) -> Result<(), Errno> {
        // The journal is kept with the first log.
        if self.log > 0 {
            return Ok(());
        }
        let mut journal = self.journal.borrow_mut();
        journal.files.make_anew(directory)?;
        (journal.end, journal.record.begin, journal.record.end) = (0, 0, 0);
        Ok(())
    }

    fn with_log(&self, change: impl FnOnce(&mut Kept, &mut Place)) {
        let journal = &mut *self.journal.borrow_mut();
        if let (Some(log), Some(place)) =
            (journal.logs.get_mut(self.log), journal.record.places.get_mut(self.log))
        {
            change(log, place);
        }
    }
}
