//! Opening a log: going on with what is there, after an end in good order or after a crash.

use super::NAME;
use super::directory::{Directory, NotOpened};
use super::disk::{CURRENT, Disk, Entry, PROCESSED, STATE, Trouble};
use super::journal::place::File;
use super::journal::{Found, Journal, Keeping, Shared, replay::Replay};
use super::keeper::{carry_out, insist};
use super::log::{Log, sync_names};
use super::processor::Surroundings;
use super::script::{Durable, Settings};
use super::steps;
use alloc::{rc::Rc, vec::Vec};
use common::{Exit, Failure};
use core::cell::RefCell;
use core::ffi::CStr;
use sys::Errno;
use sys::clock::realtime;

/// Logs, ready to be written to, and the journal that covers them, with what it leaves to be done.
pub(super) struct Opened {
    pub(super) logs: Vec<Log<Directory>>,
    pub(super) journal: Option<(Shared, Replay)>,
}

/// Opens the logs, each made first if it isn't there. The journal is the first one's: a new one if that is wanted, and
/// otherwise what a predecessor that was killed has left. `identities` are the logs' for the journal.
///
/// # Errors
/// What can't be opened or made, a log that another process keeps: 111.
pub(super) fn open(
    settings: &[Settings],
    surroundings: Surroundings,
    has_journal: bool,
    identities: &[u64],
) -> Result<Opened, Failure> {
    let mut all: Vec<Unopened> = Vec::new();
    for settings in settings {
        match Unopened::look(*settings, surroundings) {
            Ok(log) => all.push(log),
            Err(failure) => {
                // Nobody but a successor knows what to make of a journal and the logs beside it, and that only as they are.
                let is_journalled =
                    |log: &Unopened| !log.is_complete() && Journal::is_there(log.disk.fd());
                if !all.first().is_some_and(is_journalled) {
                    all.into_iter().try_for_each(|log| log.open().map(drop))?;
                }
                return Err(failure);
            }
        }
    }
    // How much of the journal is in the logs can be told as long as these are as they were left.
    let journal = match all.first() {
        Some(first) if has_journal || !first.is_complete() => {
            let found = all.iter().zip(identities).map(|(log, identity)| log.found(*identity));
            let found: Vec<Found> = found.collect();
            Journal::open(
                first.disk.fd(),
                first.disk.path(),
                has_journal,
                &found,
                surroundings.notice,
            )?
        }
        _ => None,
    };
    let journal = journal.map(|(journal, replay)| (Rc::new(RefCell::new(journal)), replay));
    let mut logs = Vec::new();
    for (number, mut log) in all.into_iter().enumerate() {
        log.disk.keep(journal.as_ref().map(|(journal, _)| Keeping::new(journal, number)));
        logs.push(log.open()?);
    }
    for log in &mut logs {
        log.expire(realtime());
        log.compress();
    }
    Ok(Opened { logs, journal })
}

/// A log that is locked, and as it was left.
struct Unopened {
    settings: Settings,
    disk: Directory,
    current: Option<Entry>,
}

impl Unopened {
    fn look(settings: Settings, surroundings: Surroundings) -> Result<Self, Failure> {
        let path = settings.directory;
        let disk = Directory::open(path, surroundings).map_err(|why| match why {
            NotOpened::Directory(errno) => fatal(b"unable to open directory ", path, c"", errno),
            NotOpened::Lock(errno) => fatal(b"unable to lock directory ", path, c"", errno),
        })?;
        let current = disk.look(CURRENT);
        let current = current.map_err(|errno| fatal(b"unable to stat ", path, CURRENT, errno))?;
        Ok(Self { settings, disk, current })
    }

    fn is_complete(&self) -> bool {
        self.current.is_some_and(|current| current.is_complete)
    }

    fn found(&self, log: u64) -> Found {
        let file = |entry: Entry| File { number: entry.number, size: entry.size };
        Found { log, current: self.current.map(file), is_complete: self.is_complete() }
    }

    fn open(self) -> Result<Log<Directory>, Failure> {
        let Self { settings, mut disk, current } = self;
        let fatal = |what, file, errno| fatal(what, settings.directory, file, errno);
        if let Some(complete) = current.filter(|current| current.is_complete) {
            let opened = disk.open_current();
            opened.map_err(|errno| fatal(b"unable to append to ", CURRENT, errno))?;
            return Ok(Log::new(settings, disk, complete.size));
        }
        let processed = disk.look(PROCESSED);
        let processed = processed.map_err(|errno| fatal(b"unable to stat ", PROCESSED, errno))?;
        if current.is_some() && settings.durable >= Durable::Batches {
            // What was read before this is on disk before more is read.
            insist(&mut disk, |disk| {
                disk.sync_file(CURRENT).map_err(|errno| Trouble::to_disk(CURRENT, errno))
            });
        }
        carry_out(steps::recovery(processed), &settings, &mut disk);
        disk.empty(STATE).map_err(|errno| fatal(b"unable to write to ", STATE, errno))?;
        disk.open_current().map_err(|errno| fatal(b"unable to write to ", CURRENT, errno))?;
        sync_names(settings.durable, &mut disk);
        Ok(Log::new(settings, disk, 0))
    }
}

fn fatal(what: &[u8], path: &CStr, file: &CStr, errno: Errno) -> Failure {
    let separator: &[u8] = if file.is_empty() { b"" } else { b"/" };
    let parts: [&[u8]; 4] = [what, path.to_bytes(), separator, file.to_bytes()];
    NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
}
