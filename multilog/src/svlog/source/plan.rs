//! Which files of a log are read, and from where on.

use crate::svlog::content::{Content, Trouble, read_at};
use crate::svlog::directory::{CURRENT, Directory, about};
use crate::svlog::names::{self, Finished};
use crate::svlog::stamp;
use alloc::collections::VecDeque;
use alloc::ffi::CString;
use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use common::tai64n::Label;
use core::ffi::CStr;
use sys::{Errno, OwnedFd};

/// Read at once, from a file's end backwards.
const BLOCK: usize = 16 * 1024;

/// As often a log may rotate while its directory is read.
const TRIES: usize = 100;

/// A file that is to be read.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) file: File,
    /// When the file before it was finished: about then it was begun.
    pub(crate) begun: Option<Label>,
    /// What is before this isn't read.
    start: u64,
}

#[derive(Clone)]
pub(crate) enum File {
    Finished(Finished),
    /// Up to this place.
    Current(Rc<OwnedFd>, u64),
}

/// A log at one moment.
pub(super) struct Snapshot {
    /// The finished files, but for those that were finished after `current`.
    pub(super) before: Vec<Finished>,
    /// It may have been renamed since, and finished.
    current: Option<Rc<OwnedFd>>,
}

impl Snapshot {
    /// # Errors
    /// The directory can't be read.
    pub(super) fn take(directory: &Directory) -> Result<Self, Errno> {
        for _ in 0..TRIES {
            let current = match directory.file(CURRENT) {
                Ok(current) => Some(current),
                Err(Errno::NOENT) => None,
                Err(errno) => return Err(errno),
            };
            let mut before = directory.finished()?;
            if let Some(current) = &current {
                // Compressed and finished, or removed, before the names were read.
                let Some(now) = about(current).filter(|now| !now.is_gone) else { continue };
                let own = before
                    .iter()
                    .rposition(|file| directory.look(&file.name) == Some(now.identity));
                before.truncate(own.unwrap_or(before.len()));
            }
            return Ok(Self { before, current });
        }
        Err(Errno::AGAIN)
    }

    /// All of it, without files that were finished before `since`. `known` is when the last file before these was finished.
    pub(super) fn plan(self, known: Option<Label>, since: Option<Label>) -> VecDeque<Part> {
        let skipped = since.map_or(0, |since| names::before(&self.before, since));
        let mut begun = known;
        let mut plan = VecDeque::new();
        for file in self.before {
            let label = file.label;
            plan.push_back(Part { file: File::Finished(file), begun, start: 0 });
            begun = Some(label);
        }
        plan.drain(..skipped);
        let current = self.current.map(|current| File::Current(current, u64::MAX));
        plan.extend(current.map(|file| Part { file, begun, start: 0 }));
        plan
    }
}

impl Part {
    /// The file's name, as it was.
    pub(super) fn name(&self) -> &CStr {
        match &self.file {
            File::Finished(file) => &file.name,
            File::Current(..) => CURRENT,
        }
    }

    /// What of `current` isn't there yet doesn't count.
    pub(super) fn end_here(&mut self) {
        if let File::Current(file, end) = &mut self.file {
            *end = about(file).map_or(0, |about| about.size).min(*end);
        }
    }

    /// Opens the file; gives its name, too, as it is by now. `None` if it was removed.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn open(
        &self,
        directory: &Directory,
    ) -> Result<Option<(Content, CString)>, Trouble> {
        let finished = match &self.file {
            File::Current(file, end) => {
                let content = Content::plain(file.clone(), self.start, *end);
                return Ok(Some((content, CURRENT.into())));
            }
            File::Finished(finished) => finished,
        };
        // It may be compressed, and have another name, at any moment.
        for _ in 0..TRIES {
            match directory.file(&finished.name) {
                Ok(file) => {
                    return Content::of_finished(file, self.start)
                        .map(|content| Some((content, finished.name.clone())));
                }
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno.into()),
            }
            let now = directory.finished()?.into_iter().find(|file| file.label == finished.label);
            let Some(now) = now else { return Ok(None) };
            match directory.file(&now.name) {
                Ok(file) => {
                    return Content::of_finished(file, self.start)
                        .map(|content| Some((content, now.name)));
                }
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(None)
    }
}

/// Leaves out what comes before the last lines: as many newlines are left, and one more line, so that it doesn't
/// matter whether the last one has its newline; more where the first one isn't `good` to begin with. Within plain
/// files, that is found from their ends.
pub(super) fn only_last(
    plan: &mut VecDeque<Part>,
    directory: &Directory,
    lines: u64,
    good: impl Fn(&[u8]) -> bool,
) {
    let mut missing = lines;
    for index in (0..plan.len()).rev() {
        // What can't be read now is left for when it is to be shown.
        let Ok(Some((mut content, _))) = plan[index].open(directory) else { continue };
        let found = match &content {
            Content::Plain(plain) => from_end(plain.file(), plain.size(), missing, &good),
            Content::Gzip(_) | Content::Zstandard(_) => Ok(newlines(&mut content)),
        };
        match found {
            Ok(Found::Place(start)) => {
                plan[index].start = start;
                plan.drain(..index);
                return;
            }
            Ok(Found::Lines(count)) if count > missing => {
                plan.drain(..index);
                return;
            }
            Ok(Found::Lines(count)) => missing -= count,
            Err(_) => {}
        }
    }
}

enum Found {
    /// Where the last lines begin.
    Place(u64),
    /// There are only so many newlines.
    Lines(u64),
}

fn newlines(content: &mut Content) -> Found {
    let mut buffer = vec![0; BLOCK];
    let mut count = 0;
    // Of a damaged file, what comes before the damage.
    while let Ok(length @ 1..) = content.read(&mut buffer) {
        count += memchr::memchr_iter(b'\n', &buffer[..length]).count() as u64;
    }
    Found::Lines(count)
}

/// Where a line begins after which `missing` newlines or more follow.
fn from_end(
    file: &OwnedFd,
    size: u64,
    missing: u64,
    good: impl Fn(&[u8]) -> bool,
) -> Result<Found, Errno> {
    let mut buffer = vec![0; BLOCK];
    let mut end = size;
    let mut found = 0;
    while end > 0 {
        let start = end.saturating_sub(BLOCK as u64);
        let length =
            whole(file, &mut buffer[..usize::try_from(end - start).unwrap_or(BLOCK)], start)?;
        for place in memchr::memrchr_iter(b'\n', &buffer[..length]) {
            let line = start + place as u64 + 1;
            if found >= missing && good(first_bytes(file, &mut [0; stamp::LONGEST], line)?) {
                return Ok(Found::Place(line));
            }
            found += 1;
        }
        end = start;
    }
    Ok(Found::Lines(found))
}

/// What a line begins with.
fn first_bytes<'a>(file: &OwnedFd, buffer: &'a mut [u8], line: u64) -> Result<&'a [u8], Errno> {
    let length = whole(file, buffer, line)?;
    let bytes = &buffer[..length];
    Ok(&bytes[..memchr::memchr(b'\n', bytes).unwrap_or(length)])
}

/// Reads until the buffer is full or the file ends.
fn whole(file: &OwnedFd, buffer: &mut [u8], at: u64) -> Result<usize, Errno> {
    let mut length = 0;
    while length < buffer.len() {
        match read_at(file, &mut buffer[length..], at + length as u64)? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}
