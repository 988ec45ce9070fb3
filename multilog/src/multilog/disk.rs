//! What a log asks of the file system: the seam at which tests let it fail.

use super::compression::Format;
use alloc::{ffi::CString, vec::Vec};
use core::ffi::CStr;
use core::time::Duration;
use sys::Errno;

/// The file that is written to.
pub(super) const CURRENT: &CStr = c"current";
/// The one before, until it has its final name.
pub(super) const PREVIOUS: &CStr = c"previous";
/// What a processor makes of it.
pub(super) const PROCESSED: &CStr = c"processed";
/// What a processor left for the next run.
pub(super) const STATE: &CStr = c"state";
/// What it leaves this time.
pub(super) const NEWSTATE: &CStr = c"newstate";
/// What a finished file becomes, until it is compressed as a whole.
pub(super) const COMPRESSED: &CStr = c"compressed";

/// What is known of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Whether its owner may execute it: it is complete, and was written to disk.
    pub(super) is_complete: bool,
    pub(super) links: u64,
    pub(super) size: u64,
    /// The number of its inode.
    pub(super) number: u64,
}

/// Why something couldn't be done, to be tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// As `unable to write to `; the log's directory follows.
    pub(super) what: &'static str,
    /// A file in the directory; empty for the directory itself.
    pub(super) file: Vec<u8>,
    /// What else there is to say, as ` to disk`.
    pub(super) how: &'static str,
    pub(super) errno: Option<Errno>,
}

impl Trouble {
    pub(super) fn with(what: &'static str, file: &CStr, errno: Errno) -> Self {
        Self { what, file: file.to_bytes().to_vec(), how: "", errno: Some(errno) }
    }

    /// A file can't be written to disk.
    pub(super) fn to_disk(file: &CStr, errno: Errno) -> Self {
        Self { how: " to disk", ..Self::with("unable to write ", file, errno) }
    }

    pub(super) fn of_directory(what: &'static str, errno: Option<Errno>) -> Self {
        Self { what, file: Vec::new(), how: "", errno }
    }
}

/// A log's directory, and the file in it that is written to.
pub(super) trait Disk {
    /// What of these bytes is to be appended to `current`: a log that a journal is replayed to may have the first of them.
    fn unwritten<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8];
    /// Appends to `current` what fits; how much that was.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno>;
    /// fsync(2) of `current`.
    fn sync(&mut self) -> Result<(), Errno>;
    /// fdatasync(2) of `current`.
    fn sync_content(&mut self) -> Result<(), Errno>;
    /// fsync(2) of the directory.
    fn sync_directory(&mut self) -> Result<(), Errno>;
    /// Makes `current` if it isn't there, and opens it in place of the one that was open. Mode 0644.
    fn open_current(&mut self) -> Result<(), Errno>;
    /// Mode 0744 for a file.
    fn mark_complete(&mut self, name: &CStr) -> Result<(), Errno>;
    /// fsync(2) of a file, which is made if it isn't there.
    fn sync_file(&mut self, name: &CStr) -> Result<(), Errno>;
    /// Makes a file empty. Mode 0644.
    fn empty(&mut self, name: &CStr) -> Result<(), Errno>;
    /// What there is of this name.
    fn look(&self, name: &CStr) -> Result<Option<Entry>, Errno>;
    fn rename(&mut self, from: &CStr, to: &CStr) -> Result<(), Errno>;
    fn link(&mut self, from: &CStr, to: &CStr) -> Result<(), Errno>;
    fn remove(&mut self, name: &CStr) -> Result<(), Errno>;
    /// The names of all files that begin with `@`.
    fn finished(&self) -> Result<Vec<CString>, Errno>;
    /// Runs a command on `previous`, to its end.
    fn process(&mut self, command: &CStr) -> Result<(), Trouble>;
    /// Starts what compresses finished files, in the background, if there is anything for it to do.
    fn compress(&mut self, format: Format, code: &'static [u8]);
    /// It may have ended.
    fn look_after_compressor(&mut self, format: Format, code: &'static [u8]);
    /// Ends it.
    fn stop_compressor(&mut self);
    /// The time of day, since 1970.
    fn now(&self) -> Duration;
    /// Says what the trouble is, and waits for it to pass.
    fn pause(&mut self, trouble: &Trouble);
    /// Something was done: if there was trouble, it has passed.
    fn go_on(&mut self) {}
}
