//! The upgrade in place (USR2): svscan hands over to the svscan that is installed now, which then tells every supervise to
//! do the same.

use super::{Daemon, NAME, asked};
use crate::chosen::Chosen;
use crate::directory::ScanDirectory;
use crate::logpipe::LogPipe;
use crate::options::Options;
use crate::own_log::OwnLog;
use crate::plan::{Identity, Plan};
use alloc::collections::BTreeMap;
use common::tai64n::Label;
use common::takeover::state::{Malformed, Reader, Tag, Writer};
use common::takeover::{Origin, Received};
use core::time::Duration;
use supervise::detail::{Death, How};
use sys::{AsFd, OwnedFd};

/// The version of what is handed over: see [`common::takeover::state`].
pub(super) const VERSION: u32 = 1;

/// So many supervises are told at once, and the next ones after so long: each is two processes for a moment.
const AT_ONCE: usize = 8;
/// See [`AT_ONCE`].
pub(super) const PAUSE: Duration = Duration::from_millis(20);

/// The letter that tells them.
const LETTER: &[u8] = b"E";

// Of the state. Tags are never used again: the next one is 6.
const DIRECTORY: Tag = 1;
const SERVICE: Tag = 2;
const LIMIT: Tag = 3;
const OWN_LOG: Tag = 4;
const BEFORE: Tag = 5;

// In a service's record, beside the plan's.
const READER: Tag = 64;
const WRITER: Tag = 65;

// In the record of svscan's own log.
const INSIDE: Tag = 1;
const STDOUT: Tag = 2;
const STDERR: Tag = 3;
const DEVICE: Tag = 4;
const INODE: Tag = 5;

// In the record of how the chosen service had ended before.
const AT: Tag = 1;
const PID: Tag = 2;
const EXIT: Tag = 3;
const SIGNAL: Tag = 4;

/// What an earlier svscan has handed over.
pub(super) struct Inherited {
    directory: OwnedFd,
    plan: Plan,
    pipes: BTreeMap<Identity, LogPipe>,
    limit: Option<u64>,
    own_log: Option<OwnLog>,
    before: Option<Death>,
}

impl Inherited {
    /// Reads it, and takes possession of all descriptors.
    pub(super) fn new(received: &Received) -> Result<Self, Malformed> {
        let state = received.state()?;
        let directory = state.descriptor(DIRECTORY)?.ok_or(Malformed)?;
        let (mut plan, mut pipes) = (Plan::default(), BTreeMap::new());
        for record in state.records(SERVICE) {
            let record = record?;
            let id = plan.restore(record)?;
            if let (Some(reader), Some(writer)) =
                (record.descriptor(READER)?, record.descriptor(WRITER)?)
            {
                pipes.insert(id, LogPipe::inherited(reader, writer));
            }
        }
        let limit = state.number(LIMIT)?;
        let own_log = state.records(OWN_LOG).next().map(|record| own_log(record?)).transpose()?;
        let before = state.records(BEFORE).next().map(|record| death(record?)).transpose()?;
        Ok(Self { directory, plan, pipes, limit, own_log, before })
    }
}

impl Daemon {
    /// Hands over to the svscan that is installed now. Comes back only if that didn't work.
    pub(super) fn upgrade(&mut self) {
        let refused = self.origin.hand_over(&self.state());
        refused.warn(NAME);
    }

    fn state(&self) -> Writer<'_> {
        let mut state = Writer::default();
        state.descriptor(DIRECTORY, self.directory.as_fd());
        self.plan.save(&mut state, SERVICE, |id, record| {
            let Some(pipe) = self.pipes.get(&id) else { return };
            let Some(writer) = pipe.writer() else { return };
            record.descriptor(READER, pipe.reader());
            record.descriptor(WRITER, writer);
        });
        if let Some(limit) = self.launcher.limit() {
            state.number(LIMIT, limit);
        }
        if let Some(own) = &self.own_log {
            state.record(OWN_LOG, |record| save_own_log(own, record));
        }
        if let Some(before) = self.chosen.as_ref().and_then(Chosen::before) {
            state.record(BEFORE, |record| save_death(before, record));
        }
        state
    }

    /// An svscan that goes on where another one was.
    pub(super) fn resume(origin: Origin, options: Options, inherited: Inherited) -> Self {
        let waiting = asked::prepare(&options, origin.mask());
        let directory = ScanDirectory::inherited(inherited.directory);
        let mut daemon = Self::new(origin, waiting, directory, Some(inherited.limit));
        daemon.plan = inherited.plan;
        daemon.pipes = inherited.pipes;
        daemon.own_log = inherited.own_log;
        daemon.upgrades.0 = daemon.plan.posts().collect();
        daemon.chosen = options.chosen.map(|name| Chosen::new(name.into(), inherited.before));
        if let Some(post) = daemon.chosen_post()
            && let (Some(site), Some(path)) = (daemon.site(post, true), daemon.path(post))
        {
            daemon.watch_chosen(&site, &path);
        }
        daemon.look_at_chosen(None);
        daemon
    }

    /// Tells the next supervises to upgrade, too. One that can't be told goes on as it is.
    pub(super) fn tell_upgrades(&mut self, now: Duration) {
        let (posts, at) = &mut self.upgrades;
        if posts.is_empty() || now < *at {
            return;
        }
        *at = now + PAUSE;
        let next = posts.split_off(posts.len().saturating_sub(AT_ONCE));
        for post in next {
            let sent = self.site(post, true).map(|site| site.send(LETTER));
            if let (Some(Err(errno)), Some(path)) = (sent, self.path(post)) {
                let parts: [&[u8]; 2] = [b"unable to upgrade supervise ", path.to_bytes()];
                self.complaints.warn_errno(&parts, errno, now);
            }
        }
    }
}

fn save_own_log<'fd>(own: &'fd OwnLog, record: &mut Writer<'fd>) {
    let [stdout, stderr] = own.streams();
    record.number(DEVICE, own.id.device);
    record.number(INODE, own.id.inode);
    record.number(INSIDE, own.is_inside.into());
    record.descriptor(STDOUT, stdout);
    record.descriptor(STDERR, stderr);
}

fn own_log(record: Reader<'_>) -> Result<OwnLog, Malformed> {
    let device = record.number(DEVICE)?.ok_or(Malformed)?;
    let inode = record.number(INODE)?.ok_or(Malformed)?;
    let stdout = record.descriptor(STDOUT)?.ok_or(Malformed)?;
    let stderr = record.descriptor(STDERR)?.ok_or(Malformed)?;
    let is_inside = record.number(INSIDE)? == Some(1);
    Ok(OwnLog::inherited(Identity { device, inode }, is_inside, stdout, stderr))
}

fn save_death(death: Death, record: &mut Writer<'_>) {
    record.bytes(AT, &death.at.to_bytes());
    record.number(PID, u64::from(death.pid));
    match death.how {
        How::Exit(code) => record.number(EXIT, u64::from(code)),
        How::Signal(signal) => record.number(SIGNAL, u64::from(signal)),
        How::Unknown => {}
    }
}

fn death(record: Reader<'_>) -> Result<Death, Malformed> {
    let at = record.bytes(AT).and_then(|at| at.try_into().ok()).ok_or(Malformed)?;
    let pid = record.number(PID)?.and_then(|pid| u32::try_from(pid).ok()).ok_or(Malformed)?;
    let byte = |tag| Ok(record.number(tag)?.and_then(|number| u8::try_from(number).ok()));
    let how = match (byte(EXIT)?, byte(SIGNAL)?) {
        (Some(code), _) => How::Exit(code),
        (None, Some(signal)) => How::Signal(signal),
        (None, None) => How::Unknown,
    };
    Ok(Death { at: Label::from_bytes(at), pid, how })
}
