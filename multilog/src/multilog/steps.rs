//! What is done, and in which order, when a file is full, when a log is opened, and when it is closed.
//!
//! The tables. Each step can fail and be tried again; after a crash between any two of them, the
//! table of [`recovery`] goes on from the files that are found.

use super::disk::{CURRENT, Entry, NEWSTATE, PREVIOUS, PROCESSED, STATE};
use core::ffi::CStr;

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Write `current` to disk.
    Sync,
    /// Rename `current` to `previous`. If it is gone, only [`Self::Open`] is left to do.
    PutAside,
    /// Open a `current`.
    Open,
    /// Give a file mode 0744: all of it is on disk.
    Mark(&'static CStr),
    /// Run the processor.
    Process,
    /// Write a file to disk.
    SyncFile(&'static CStr),
    /// Remove a file, if it is there.
    Remove(&'static CStr),
    /// The same; that it can't be removed doesn't matter.
    Discard(&'static CStr),
    /// Rename `newstate` to `state`.
    KeepState,
    /// Give a file its final name, and remove what there is too much of.
    Finish(&'static CStr, Ending),
}

/// How the name of a finished file ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// `.s`, or what `w` asked for: it was written to disk, and processed.
    Safe,
    /// `.u`: it was being written when something crashed.
    Unsafe,
}

use Ending::{Safe, Unsafe};
use Step::{
    Discard, Finish, KeepState, Mark, Open, Process, PutAside, Remove, Sync as SyncCurrent,
    SyncFile,
};

/// When `current` is full.
pub(super) fn rotation(has_processor: bool) -> &'static [Step] {
    if has_processor {
        &[
            SyncCurrent,
            PutAside,
            Open,
            Mark(PREVIOUS),
            Process,
            SyncFile(PROCESSED),
            // From here on, `processed` counts, and `previous` is no longer needed.
            Mark(PROCESSED),
            SyncFile(NEWSTATE),
            Remove(PREVIOUS),
            KeepState,
            Finish(PROCESSED, Safe),
        ]
    } else {
        &[SyncCurrent, PutAside, Open, Mark(PREVIOUS), Finish(PREVIOUS, Safe)]
    }
}

/// When a log is opened whose `current` isn't complete, or isn't there. An empty `state` and a
/// `current` are made after that.
///
/// What a processor was doing, it does not do again: what it had before goes out as it is.
pub(super) fn recovery(processed: Option<Entry>) -> &'static [Step] {
    if processed.is_some_and(|entry| entry.is_complete) {
        &[
            Discard(STATE),
            Discard(NEWSTATE),
            Remove(PREVIOUS),
            Finish(PROCESSED, Safe),
            Finish(CURRENT, Unsafe),
        ]
    } else {
        &[
            Discard(STATE),
            Discard(NEWSTATE),
            Remove(PROCESSED),
            Finish(PREVIOUS, Unsafe),
            Finish(CURRENT, Unsafe),
        ]
    }
}

/// When a log is closed in order.
pub(super) const CLOSING: &[Step] = &[SyncCurrent, Mark(CURRENT)];
