//! What svscan knows and what it wants: which supervise is to be started, and when. No system call is made here.
//!
//! | a supervise process is | and becomes | when |
//! | --- | --- | --- |
//! | due at a time | running | it was started |
//! | due at a time | resting | it couldn't be started |
//! | due at a time | busy | another supervise holds the directory's lock |
//! | running | due, not within [`PACE`] of its start | it died |
//! | running | resting | it exited 0: somebody asked it to (`svc -x`) |
//! | resting | due now | a regular scan still lists the entry |
//! | busy | due now | any scan still lists the entry |
//!
//! An entry that is no longer listed starts nothing, stops nothing, and is forgotten once nothing of ours runs for it.

use alloc::collections::BTreeMap;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::time::Duration;

/// A supervise that keeps dying is started once in this time.
pub const PACE: Duration = Duration::from_secs(1);

/// What makes a service the same service under whatever name: the directory's device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
}

/// Which of a service's two supervise processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// `supervise NAME`.
    Service,
    /// `supervise log`, started in the service directory.
    Logger,
}

/// One supervise process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Post {
    /// Of which service.
    pub id: Identity,
    /// Which of its two.
    pub role: Role,
}

/// A directory that a scan found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name in the scan directory.
    pub name: CString,
    /// Which directory that is.
    pub id: Identity,
    /// Whether it holds a directory `log`. Counts only when the service is new.
    pub log: bool,
}

/// Why a scan is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// It was time for the regular one.
    Regular,
    /// Something happened.
    Prompted,
}

/// What a scan changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Services that are new and have a logger.
    pub logged: Vec<Identity>,
    /// Services that are gone, with nothing of ours running for them.
    pub forgotten: Vec<Identity>,
}

/// All that svscan knows.
#[derive(Debug, Default)]
pub struct Plan {
    services: BTreeMap<Identity, Service>,
    running: BTreeMap<i32, Post>,
    unfinished: BTreeMap<CString, Duration>,
}

#[derive(Debug)]
struct Service {
    name: CString,
    listed: bool,
    service: State,
    logger: Option<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Due { at: Duration },
    Running { since: Duration },
    Resting,
    Busy,
}

impl Plan {
    /// A directory is just being made in the scan directory, in place: until `until`, it is too early to look whether it
    /// has a `log`, since that is looked for only once. (A link is complete when it appears; so is what was renamed.)
    pub fn unfinished(&mut self, name: CString, until: Duration) {
        self.unfinished.insert(name, until);
    }

    /// Whether this directory is a known service.
    #[must_use]
    pub fn knows(&self, id: Identity) -> bool {
        self.services.contains_key(&id)
    }

    /// Takes in what a scan found. Of two entries for one directory, the first counts.
    pub fn take_in(&mut self, scan: Scan, found: Vec<Listed>, now: Duration) -> Changes {
        let mut changes = Changes::default();
        self.unfinished.retain(|_, until| *until > now);
        for service in self.services.values_mut() {
            service.listed = false;
        }
        for entry in found {
            if let Some(service) = self.services.get_mut(&entry.id) {
                if !service.listed {
                    service.listed = true;
                    service.name = entry.name;
                }
            } else if !self.unfinished.contains_key(&entry.name) {
                if entry.log {
                    changes.logged.push(entry.id);
                }
                self.services.insert(entry.id, Service::new(entry, now));
            }
        }
        self.services.retain(|id, service| {
            service.settle(scan, now);
            let kept = service.listed || service.states().any(State::is_running);
            if !kept {
                changes.forgotten.push(*id);
            }
            kept
        });
        changes
    }

    /// What is to be started now. Each is to be answered with [`Self::started`], [`Self::failed`] or [`Self::busy`].
    #[must_use]
    pub fn due(&self, now: Duration) -> Vec<Post> {
        self.waiting().filter(|(_, at)| *at <= now).map(|(post, _)| post).collect()
    }

    /// When there will next be something to do, scans on the clock aside.
    #[must_use]
    pub fn wake(&self) -> Option<Duration> {
        let unfinished = self.unfinished.values().copied();
        self.waiting().map(|(_, at)| at).chain(unfinished).min()
    }

    /// It runs.
    pub fn started(&mut self, post: Post, pid: i32, now: Duration) {
        self.set(post, State::Running { since: now });
        self.running.insert(pid, post);
    }

    /// It couldn't be started: the next regular scan tries again.
    pub fn failed(&mut self, post: Post) {
        self.set(post, State::Resting);
    }

    /// Somebody else's supervise runs there: each scan looks again.
    pub fn busy(&mut self, post: Post) {
        self.set(post, State::Busy);
    }

    /// A child of ours ended; `asked` if it exited 0. True if it was a supervise, false if it was a stranger, which
    /// svscan reaps as the parent of what others leave behind.
    pub fn ended(&mut self, pid: i32, asked: bool, now: Duration) -> bool {
        let Some(post) = self.running.remove(&pid) else { return false };
        let since = match self.state(post) {
            Some(State::Running { since }) => since,
            Some(State::Due { .. } | State::Resting | State::Busy) | None => now,
        };
        let next = if asked { State::Resting } else { State::Due { at: now.max(since + PACE) } };
        self.set(post, next);
        true
    }

    /// The name that a known service was last listed under.
    #[must_use]
    pub fn name(&self, id: Identity) -> Option<&CString> {
        self.services.get(&id).map(|service| &service.name)
    }

    /// Whether a known service has a logger.
    #[must_use]
    pub fn has_logger(&self, id: Identity) -> bool {
        self.services.get(&id).is_some_and(|service| service.logger.is_some())
    }

    /// Nothing could be listed: nothing is started before the next regular scan, at `until`.
    pub fn postpone(&mut self, until: Duration) {
        for service in self.services.values_mut() {
            service.service = service.service.postponed(until);
            service.logger = service.logger.map(|state| state.postponed(until));
        }
        self.unfinished.clear();
    }

    fn waiting(&self) -> impl Iterator<Item = (Post, Duration)> {
        self.services.iter().filter(|(_, service)| service.listed).flat_map(|(id, service)| {
            // The logger first: a service's first line then finds its reader.
            let logger = service.logger.map(|state| (Role::Logger, state));
            let posts = logger.into_iter().chain([(Role::Service, service.service)]);
            posts.filter_map(|(role, state)| match state {
                State::Due { at } => Some((Post { id: *id, role }, at)),
                State::Running { .. } | State::Resting | State::Busy => None,
            })
        })
    }

    fn state(&self, post: Post) -> Option<State> {
        let service = self.services.get(&post.id)?;
        match post.role {
            Role::Service => Some(service.service),
            Role::Logger => service.logger,
        }
    }

    fn set(&mut self, post: Post, state: State) {
        let Some(service) = self.services.get_mut(&post.id) else { return };
        match post.role {
            Role::Service => service.service = state,
            Role::Logger => service.logger = Some(state),
        }
    }
}

impl Service {
    fn new(entry: Listed, now: Duration) -> Self {
        let due = State::Due { at: now };
        let logger = entry.log.then_some(due);
        Self { name: entry.name, listed: true, service: due, logger }
    }

    fn states(&self) -> impl Iterator<Item = State> {
        [Some(self.service), self.logger].into_iter().flatten()
    }

    /// What a scan does to a service that it did (or did not) list.
    fn settle(&mut self, scan: Scan, now: Duration) {
        if !self.listed {
            return;
        }
        self.service = self.service.after(scan, now);
        self.logger = self.logger.map(|state| state.after(scan, now));
    }
}

impl State {
    fn after(self, scan: Scan, now: Duration) -> Self {
        match (self, scan) {
            (Self::Busy, _) | (Self::Resting, Scan::Regular) => Self::Due { at: now },
            (Self::Resting, Scan::Prompted) => Self::Resting,
            (Self::Due { .. } | Self::Running { .. }, _) => self,
        }
    }

    fn postponed(self, until: Duration) -> Self {
        match self {
            Self::Due { at } => Self::Due { at: at.max(until) },
            Self::Running { .. } | Self::Resting | Self::Busy => self,
        }
    }

    fn is_running(self) -> bool {
        match self {
            Self::Running { .. } => true,
            Self::Due { .. } | Self::Resting | Self::Busy => false,
        }
    }
}

#[cfg(test)]
mod tests;
