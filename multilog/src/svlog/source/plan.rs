//! Which files of a log are read, and from where on.

use crate::svlog::content::{Content, Trouble};
use crate::svlog::directory::{CURRENT, Directory, Identity, PREVIOUS, PROCESSED, about};
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
    Held(Held),
}

/// A file that has no name of its own yet: `current`, or what was that before the last rotation.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) file: Rc<OwnedFd>,
    /// What it was called.
    name: &'static CStr,
    /// What is beyond this isn't read.
    end: u64,
}

impl Held {
    /// # Errors
    /// It can't be read.
    fn open(directory: &Directory, name: &'static CStr) -> Result<Option<Self>, Errno> {
        match directory.file(name) {
            Ok(file) => Ok(Some(Self { file, name, end: u64::MAX })),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(errno),
        }
    }

    pub(super) fn identity(&self) -> Option<Identity> {
        about(&self.file).map(|about| about.identity)
    }

    /// Whether a processor has made it: then what it was made of was another file.
    pub(super) fn was_processed(&self) -> bool {
        self.name == PROCESSED
    }
}

/// A log at one moment.
pub(super) struct Snapshot {
    /// The finished files.
    pub(super) before: Vec<Finished>,
    /// The file that was finished last, if it hasn't its name yet. A crash may have left it so.
    pub(super) on_its_way: Option<Held>,
    /// It may have been renamed since, and finished.
    current: Option<Held>,
}

impl Snapshot {
    /// # Errors
    /// The directory or `current` can't be read.
    pub(super) fn take(directory: &Directory) -> Result<Self, Errno> {
        let mut tries = 0..TRIES;
        loop {
            let current = Held::open(directory, CURRENT)?;
            let previous = Held::open(directory, PREVIOUS).unwrap_or(None);
            let processed = Held::open(directory, PROCESSED).unwrap_or(None);
            let before = directory.finished()?;
            // What gets its name while names are read may be left out or not, whatever the order in which files come;
            // and one that gets another name may be left out as well.
            let again = directory.finished()?;
            let labels =
                |files: &[Finished]| files.iter().map(|file| file.label).collect::<Vec<_>>();
            let is_still = |held: &Option<Held>, name| {
                held.as_ref().and_then(Held::identity) == directory.look(name)
            };
            let all_still = labels(&before) == labels(&again)
                && is_still(&previous, PREVIOUS)
                && is_still(&processed, PROCESSED)
                && is_still(&current, CURRENT);
            // One that rotates all the time is read as well as can be.
            if all_still || tries.next().is_none() {
                // While there is the one, the other isn't ready.
                let on_its_way = previous.or(processed).filter(|held| {
                    let named = again.last().and_then(|last| directory.look(&last.name));
                    held.identity() != named
                });
                return Ok(Self { before: again, on_its_way, current });
            }
        }
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
        let held = self.on_its_way.into_iter().chain(self.current);
        plan.extend(held.map(|held| Part { file: File::Held(held), begun, start: 0 }));
        plan
    }
}

impl Part {
    /// The file's name, as it was.
    pub(super) fn name(&self) -> &CStr {
        match &self.file {
            File::Finished(file) => &file.name,
            File::Held(held) => held.name,
        }
    }

    /// What isn't there yet doesn't count.
    pub(super) fn end_here(&mut self) {
        if let File::Held(held) = &mut self.file {
            held.end = about(&held.file).map_or(0, |about| about.size).min(held.end);
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
            File::Held(held) if held.was_processed() => {
                let content = Content::of_finished(held.file.clone(), self.start)?;
                return Ok(Some((content, held.name.into())));
            }
            File::Held(held) => {
                let content = Content::plain(held.file.clone(), self.start, held.end);
                return Ok(Some((content, held.name.into())));
            }
            File::Finished(finished) => finished,
        };
        // It may be compressed, and have another name, at any moment; and names that come and go while they are read
        // may be left out.
        let mut name = finished.name.clone();
        for _ in 0..TRIES {
            match directory.file(&name) {
                Ok(file) => {
                    let content = Content::of_finished(file, self.start);
                    return content.map(|content| Some((content, name)));
                }
                Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno.into()),
            }
            let mut now = directory.finished()?;
            now.extend(directory.finished()?);
            match now.into_iter().find(|file| file.label == finished.label) {
                Some(file) => name = file.name,
                None => return Ok(None),
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
            Content::Compressed(_) => Ok(newlines(&mut content)),
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
        let length = sys::read_whole_at(
            file,
            &mut buffer[..usize::try_from(end - start).unwrap_or(BLOCK)],
            start,
        )?;
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
    let length = sys::read_whole_at(file, buffer, line)?;
    let bytes = &buffer[..length];
    Ok(&bytes[..memchr::memchr(b'\n', bytes).unwrap_or(length)])
}
