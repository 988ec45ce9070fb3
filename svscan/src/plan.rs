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
//!
//! How many are started at once is the matter of [`crate::batch`], how they are ended that of [`crate::stop`].

pub mod saved;
mod service;

use alloc::collections::BTreeMap;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::time::Duration;
use service::{Service, State};

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
    /// Entries that are ignored, each with the one that leads to the same directory and counts.
    pub doubles: Vec<(CString, CString)>,
}

/// All that svscan knows.
#[derive(Debug, Default)]
pub struct Plan {
    services: BTreeMap<Identity, Service>,
    running: BTreeMap<i32, Post>,
    unfinished: BTreeMap<CString, Duration>,
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

    /// There is a service that is nothing but the logger of svscan's own messages. No scan finds it or forgets it.
    pub fn add_own(&mut self, name: CString, id: Identity, now: Duration) {
        let due = Some(State::Due { at: now });
        let service = Service { name, listed: true, own: true, service: None, logger: due };
        self.services.insert(id, service);
    }

    /// Takes in what a scan found. Of two entries for one directory, the one that counted before counts, or the first.
    pub fn take_in(&mut self, scan: Scan, found: Vec<Listed>, now: Duration) -> Changes {
        let mut changes = Changes::default();
        self.unfinished.retain(|_, until| *until > now);
        for service in self.services.values_mut() {
            service.listed = service.own;
        }
        for entry in &found {
            if let Some(service) = self.services.get_mut(&entry.id) {
                service.listed |= service.name == entry.name;
            }
        }
        for entry in found {
            if let Some(service) = self.services.get_mut(&entry.id) {
                if service.listed && service.name != entry.name {
                    changes.doubles.push((entry.name, service.name.clone()));
                } else {
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

    /// What is to be started now, at most so many. Each is to be answered with [`Self::started`], [`Self::failed`],
    /// [`Self::busy`] or [`Self::vanished`].
    #[must_use]
    pub fn due(&self, now: Duration, room: usize) -> Vec<Post> {
        self.waiting().filter(|(_, at)| *at <= now).map(|(post, _)| post).take(room).collect()
    }

    /// When something will next be to be started.
    #[must_use]
    pub fn next_start(&self) -> Option<Duration> {
        self.waiting().map(|(_, at)| at).min()
    }

    /// When a directory that is being made will next be complete: a scan finds it then.
    #[must_use]
    pub fn next_finished(&self) -> Option<Duration> {
        self.unfinished.values().copied().min()
    }

    /// Whether something will be looked at again only because a regular scan is made.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        let listed = self.services.values().filter(|service| service.listed);
        listed.flat_map(Service::states).any(|state| match state {
            State::Resting | State::Busy => true,
            State::Due { .. } | State::Running { .. } => false,
        })
    }

    /// It runs.
    pub fn started(&mut self, post: Post, pid: i32, now: Duration) {
        self.set(post, State::Running { since: now, pid });
        self.running.insert(pid, post);
    }

    /// When it was to be started, its entry wasn't there any more: it isn't listed until a scan finds it again.
    pub fn vanished(&mut self, post: Post) {
        if let Some(service) = self.services.get_mut(&post.id) {
            service.listed = service.own;
        }
    }

    /// It couldn't be started: the next regular scan tries again.
    pub fn failed(&mut self, post: Post) {
        self.set(post, State::Resting);
    }

    /// Somebody else's supervise runs there: each scan looks again.
    pub fn busy(&mut self, post: Post) {
        self.set(post, State::Busy);
    }

    /// A child of ours ended; `asked` if it exited 0. Gives what it was; `None` if it was a stranger, which svscan reaps
    /// as the parent of what others leave behind.
    pub fn ended(&mut self, pid: i32, asked: bool, now: Duration) -> Option<Post> {
        let post = self.running.remove(&pid)?;
        let since = match self.state(post) {
            Some(State::Running { since, .. }) => since,
            Some(State::Due { .. } | State::Resting | State::Busy) | None => now,
        };
        let next = if asked { State::Resting } else { State::Due { at: now.max(since + PACE) } };
        self.set(post, next);
        Some(post)
    }

    /// The process that runs at a post, if it is our child.
    #[must_use]
    pub fn pid(&self, post: Post) -> Option<i32> {
        match self.state(post)? {
            State::Running { pid, .. } => Some(pid),
            State::Due { .. } | State::Resting | State::Busy => None,
        }
    }

    /// Every post of every known service, its own one before its logger's.
    pub fn posts(&self) -> impl Iterator<Item = Post> {
        self.services.iter().flat_map(|(id, service)| {
            let roles =
                [service.service.map(|_| Role::Service), service.logger.map(|_| Role::Logger)];
            roles.into_iter().flatten().map(|role| Post { id: *id, role })
        })
    }

    /// The known service that was last listed under this name.
    #[must_use]
    pub fn find(&self, name: &CStr) -> Option<Identity> {
        let mut services = self.services.iter();
        services.find(|(_, service)| service.name.as_c_str() == name).map(|(id, _)| *id)
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
            service.service = service.service.map(|state| state.postponed(until));
            service.logger = service.logger.map(|state| state.postponed(until));
        }
        self.unfinished.clear();
    }

    fn waiting(&self) -> impl Iterator<Item = (Post, Duration)> {
        self.services.iter().filter(|(_, service)| service.listed).flat_map(|(id, service)| {
            // The logger first: a service's first line then finds its reader.
            let logger = service.logger.map(|state| (Role::Logger, state));
            let posts =
                logger.into_iter().chain(service.service.map(|state| (Role::Service, state)));
            posts.filter_map(|(role, state)| match state {
                State::Due { at } => Some((Post { id: *id, role }, at)),
                State::Running { .. } | State::Resting | State::Busy => None,
            })
        })
    }

    fn state(&self, post: Post) -> Option<State> {
        let service = self.services.get(&post.id)?;
        match post.role {
            Role::Service => service.service,
            Role::Logger => service.logger,
        }
    }

    fn set(&mut self, post: Post, state: State) {
        let Some(service) = self.services.get_mut(&post.id) else { return };
        match post.role {
            Role::Service => service.service = Some(state),
            Role::Logger => service.logger = Some(state),
        }
    }
}

#[cfg(test)]
mod tests;
