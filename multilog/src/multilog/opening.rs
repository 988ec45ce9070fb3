//! Opening a log: going on with what is there, after an end in good order or after a crash.

use super::NAME;
use super::directory::{Directory, NotOpened};
use super::disk::{CURRENT, Disk, PROCESSED, STATE};
use super::keeper::carry_out;
use super::log::Log;
use super::processor::Surroundings;
use super::script::Settings;
use super::steps;
use common::{Exit, Failure};
use core::ffi::CStr;
use sys::Errno;
use sys::clock::realtime;

/// Opens the log, made first if it isn't there.
///
/// # Errors
/// What can't be opened or made, a log that another process keeps: 111.
pub(super) fn open(
    settings: Settings,
    surroundings: Surroundings,
) -> Result<Log<Directory>, Failure> {
    let mut log = open_current(settings, surroundings)?;
    log.expire(realtime());
    log.compress();
    Ok(log)
}

fn open_current(settings: Settings, surroundings: Surroundings) -> Result<Log<Directory>, Failure> {
    let path = settings.directory.to_bytes();
    let fatal = |what: &[u8], file: &CStr, errno: Errno| {
        let separator: &[u8] = if file.is_empty() { b"" } else { b"/" };
        let parts: [&[u8]; 4] = [what, path, separator, file.to_bytes()];
        NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
    };
    let mut disk = Directory::open(settings.directory, surroundings).map_err(|why| match why {
        NotOpened::Directory(errno) => fatal(b"unable to open directory ", c"", errno),
        NotOpened::Lock(errno) => fatal(b"unable to lock directory ", c"", errno),
    })?;
    let found = disk.look(CURRENT).map_err(|errno| fatal(b"unable to stat ", CURRENT, errno))?;
    if let Some(complete) = found.filter(|entry| entry.is_complete) {
        let opened = disk.open_current();
        opened.map_err(|errno| fatal(b"unable to append to ", CURRENT, errno))?;
        return Ok(Log::new(settings, disk, complete.size));
    }
    let processed = disk.look(PROCESSED);
    let processed = processed.map_err(|errno| fatal(b"unable to stat ", PROCESSED, errno))?;
    carry_out(steps::recovery(processed), &settings, &mut disk);
    disk.empty(STATE).map_err(|errno| fatal(b"unable to write to ", STATE, errno))?;
    disk.open_current().map_err(|errno| fatal(b"unable to write to ", CURRENT, errno))?;
    Ok(Log::new(settings, disk, 0))
}
