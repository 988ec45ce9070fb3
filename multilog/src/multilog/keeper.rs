//! Does the steps, each until it is done.

use super::compression::Format;
use super::disk::{CURRENT, Disk, Entry, NEWSTATE, PREVIOUS, STATE, Trouble};
use super::script::Settings;
use super::steps::{Ending, Step};
use super::{finished, limits};
use alloc::{ffi::CString, vec::Vec};
use core::ffi::CStr;
use core::time::Duration;
use sys::Errno;

/// Does the steps in order. Whatever fails is said, and tried again, for as long as it takes.
pub(super) fn carry_out(steps: &[Step], settings: &Settings, disk: &mut impl Disk) {
    for step in steps {
        match step {
            Step::PutAside => {
                if insist(disk, put_aside) == Found::Nothing {
                    // Somebody removed it, or all of the directory.
                    return insist(disk, open);
                }
            }
            Step::Finish(file, ending) => finish(file, *ending, settings, disk),
            Step::Sync
            | Step::Open
            | Step::Mark(_)
            | Step::Process
            | Step::SyncFile(_)
            | Step::Remove(_)
            | Step::Discard(_)
            | Step::KeepState => insist(disk, |disk| simple(*step, settings, disk)),
        }
    }
}

/// Tries until it succeeds.
pub(super) fn insist<D: Disk, T>(
    disk: &mut D,
    mut attempt: impl FnMut(&mut D) -> Result<T, Trouble>,
) -> T {
    loop {
        match attempt(disk) {
            Ok(result) => {
                disk.go_on();
                return result;
            }
            Err(trouble) => disk.pause(&trouble),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Something,
    Nothing,
}

fn put_aside(disk: &mut impl Disk) -> Result<Found, Trouble> {
    match disk.rename(CURRENT, PREVIOUS) {
        Ok(()) => Ok(Found::Something),
        Err(Errno::NOENT) => Ok(Found::Nothing),
        Err(errno) => {
            let what = "unable to rename current to previous in directory ";
            Err(Trouble::of_directory(what, Some(errno)))
        }
    }
}

fn open(disk: &mut impl Disk) -> Result<(), Trouble> {
    disk.open_current().map_err(|errno| Trouble::with("unable to create ", CURRENT, errno))
}

/// The steps of a single system call, or almost.
fn simple(step: Step, settings: &Settings, disk: &mut impl Disk) -> Result<(), Trouble> {
    match step {
        Step::Sync => disk.sync().map_err(|errno| Trouble::to_disk(CURRENT, errno)),
        Step::SyncFile(file) => disk.sync_file(file).map_err(|errno| Trouble::to_disk(file, errno)),
        Step::Open => open(disk),
        Step::Mark(file) => or_gone(disk.mark_complete(file))
            .map_err(|errno| Trouble::with("unable to set mode of ", file, errno)),
        Step::Process => settings.processor.map_or(Ok(()), |command| disk.process(command)),
        Step::Remove(file) => remove(file, disk),
        Step::Discard(file) => {
            let _ = disk.remove(file);
            Ok(())
        }
        Step::KeepState => or_gone(disk.rename(NEWSTATE, STATE)).map_err(|errno| {
            let what = "unable to rename newstate to state in directory ";
            Trouble::of_directory(what, Some(errno))
        }),
        // Of several parts, and not for here.
        Step::PutAside | Step::Finish(..) => Ok(()),
    }
}

fn remove(file: &CStr, disk: &mut impl Disk) -> Result<(), Trouble> {
    or_gone(disk.remove(file)).map_err(|errno| Trouble::with("unable to remove ", file, errno))
}

/// A file that somebody else removed is no longer our concern.
fn or_gone(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

fn finish(file: &CStr, ending: Ending, settings: &Settings, disk: &mut impl Disk) {
    let code = match ending {
        Ending::Safe => settings.code,
        Ending::Unsafe => b"u",
    };
    if insist(disk, |disk| give_name(file, code, disk)) == Found::Nothing {
        return;
    }
    insist(disk, |disk| remove(file, disk));
    insist(disk, |disk| prune(settings.number, settings, disk));
}

/// Links a file to its final name, if it has only one: two, and we were interrupted right here.
fn give_name(file: &CStr, code: &[u8], disk: &mut impl Disk) -> Result<Found, Trouble> {
    let entry = disk.look(file).map_err(|errno| Trouble::with("unable to stat ", file, errno))?;
    match entry {
        None => return Ok(Found::Nothing),
        Some(Entry { links: 1, .. }) => {}
        Some(_) => return Ok(Found::Something),
    }
    let mut there = finished(disk)?;
    loop {
        let name = finished::name(disk.now(), &there, code);
        match disk.link(file, &name) {
            Ok(()) => return Ok(Found::Something),
            // Somebody made it since; the next one comes after it.
            Err(Errno::EXIST) => there.push(name),
            Err(errno) => return Err(Trouble::with("unable to link to ", &name, errno)),
        }
    }
}

/// Removes the oldest files for as long as there are `number` or more, or they are too old, or too much. Gives the time,
/// since 1970, at which the next one will be too old.
pub(super) fn prune(
    number: usize,
    settings: &Settings,
    disk: &mut impl Disk,
) -> Result<Option<Duration>, Trouble> {
    let there = finished(disk)?;
    let files = finished::in_order(&there);
    let mut goes = limits::too_many(&files, number);
    if let Some(age) = settings.age {
        goes = goes.max(limits::expired(&files, age, disk.now()));
    }
    if let Some(total) = settings.total {
        let sizes = files[goes..].iter().map(|file| size(file, disk));
        let sizes: Vec<u64> = sizes.collect::<Result<_, _>>()?;
        goes += limits::too_large(&sizes, settings.size, total);
    }
    let (gone, left) = files.split_at(goes);
    for file in gone {
        for name in copies(file) {
            match disk.remove(&name) {
                // A directory is none of ours.
                Ok(()) | Err(Errno::NOENT | Errno::ISDIR) => {}
                Err(errno) => return Err(Trouble::with("unable to remove ", &name, errno)),
            }
        }
    }
    Ok(settings.age.and_then(|age| limits::next_expiry(left, age)))
}

/// How large a file is, which may have been compressed since its name was read.
fn size(file: &CStr, disk: &impl Disk) -> Result<u64, Trouble> {
    for name in copies(file) {
        let entry =
            disk.look(&name).map_err(|errno| Trouble::with("unable to stat ", &name, errno))?;
        if let Some(entry) = entry {
            return Ok(entry.size);
        }
    }
    Ok(0)
}

/// The names that a file may have: its own first, then those that it gets by being compressed.
fn copies(file: &CStr) -> impl Iterator<Item = CString> {
    let is_compressed = Format::stripped(file.to_bytes()).is_some();
    let formats = Format::ALL.into_iter().filter(move |_| !is_compressed);
    let endings = core::iter::once(&b""[..]).chain(formats.map(Format::ending));
    endings.map(|ending| CString::new([file.to_bytes(), ending].concat()).unwrap_or_default())
}

fn finished(disk: &impl Disk) -> Result<Vec<CString>, Trouble> {
    disk.finished().map_err(|errno| Trouble::of_directory("unable to read ", Some(errno)))
}
