//! Starting supervises.

use super::{Daemon, GATHER};
use crate::logpipe::LogPipe;
use crate::plan::{Identity, Post, Role};
use crate::site::Site;
use alloc::ffi::CString;
use alloc::vec::Vec;
use common::reason;
use core::time::Duration;
use supervise::place::File;
use sys::process::Pid;
use sys::spawn::SpawnError;
use sys::{BorrowedFd, Errno};

/// There is no supervise to be started: what is true of one service is true of all, and need not be said of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Missing;

impl Daemon {
    /// Starts what is due, as many as there is room for.
    pub(super) fn start_due(&mut self, now: Duration) {
        if self.plan.next_start().is_none_or(|at| at > now) {
            return;
        }
        if self.batch.room() == 0 {
            let is_up = |post: &Post| self.site(*post, false).is_none_or(|site| site.is_up());
            let up: Vec<Post> = self.batch.births().filter(is_up).collect();
            self.batch.look(now, |post| up.contains(&post));
        }
        let mut missing = false;
        for post in self.plan.due(now, self.batch.room()) {
            if missing {
                self.fail(post);
            } else {
                missing = self.start(post, now) == Err(Missing);
            }
        }
        self.settle(now);
    }

    fn start(&mut self, post: Post, now: Duration) -> Result<(), Missing> {
        // An entry that was removed a moment ago is not started.
        let (Some(name), Some(path)) = (self.plan.name(post.id).cloned(), self.path(post)) else {
            return Ok(());
        };
        let is_own = self.own_log.as_ref().is_some_and(|own| own.id == post.id);
        if self.directory.identity(&name) != Ok(Some(post.id)) && !is_own {
            self.plan.vanished(post);
            self.prompt_by(now + GATHER);
            return Ok(());
        }
        let site = Site::open(&path, self.base());
        if let Ok(site) = &site {
            if site.is_busy() {
                self.plan.busy(post);
                if let Some(watch) = &self.watch {
                    watch.lock(&site.path(&path, File::Lock));
                }
                return Ok(());
            }
            if self.chosen_post() == Some(post) {
                self.watch_chosen(site, &path);
            }
        }
        if self.plan.has_logger(post.id) && !self.ensure_pipe(post.id, now) {
            self.fail(post);
            return Ok(());
        }
        let result = self.launch(post, &name);
        self.note(post, &path, result, now)
    }

    /// Starts a supervise for what a killed one has left, whatever the plan says.
    pub(super) fn succeed(&mut self, post: Post, now: Duration) {
        if let (Some(name), Some(path)) = (self.plan.name(post.id).cloned(), self.path(post)) {
            let result = self.launch(post, &name);
            // That there is no supervise is said, too; more can't be done.
            let _ = self.note(post, &path, result, now);
        }
    }

    fn launch(&self, post: Post, name: &CString) -> Result<Pid, SpawnError> {
        let own = self.own_log.as_ref().filter(|own| own.id == post.id);
        let (argument, directory) = match (post.role, own) {
            (_, Some(own)) => own.start(name),
            (Role::Service, None) => (name.as_c_str(), None),
            (Role::Logger, None) => (c"log", Some(name.as_c_str())),
        };
        let mut descriptors: Vec<(BorrowedFd<'_>, i32)> = Vec::new();
        if let Some(pipe) = self.pipes.get(&post.id) {
            match post.role {
                Role::Service => descriptors.extend(pipe.writer().map(|end| (end, 1))),
                Role::Logger => descriptors.push((pipe.reader(), 0)),
            }
        }
        if let Some(own) = own {
            descriptors.extend(own.streams().into_iter().zip([1, 2]));
        }
        self.launcher.start(argument, directory, &descriptors)
    }

    /// It rests until the next regular scan.
    fn fail(&mut self, post: Post) {
        if self.chosen_post() == Some(post) {
            self.chosen.iter_mut().for_each(crate::chosen::Chosen::fail);
        }
        self.plan.failed(post);
    }

    fn note(
        &mut self,
        post: Post,
        directory: &CString,
        result: Result<Pid, SpawnError>,
        now: Duration,
    ) -> Result<(), Missing> {
        let error = match result {
            Ok(pid) => {
                self.plan.started(post, pid.as_raw_nonzero().get(), now);
                self.batch.started(post, now);
                return Ok(());
            }
            Err(error) => error,
        };
        self.fail(post);
        let (what, errno): (&[u8], Errno) = match error {
            SpawnError::Clone(errno) => (b"unable to fork for ", errno),
            SpawnError::Directory(errno) => (b"unable to switch to ", errno),
            SpawnError::Descriptor(errno) => (b"unable to set up descriptors for ", errno),
            SpawnError::Exec(errno) => (b"unable to start supervise ", errno),
        };
        if error != SpawnError::Exec(Errno::NOENT) {
            self.complaints.warn_errno(&[what, directory.to_bytes()], errno, now);
            return Ok(());
        }
        let path = self.launcher.path().unwrap_or(sys::exec::DEFAULT_PATH);
        let parts: [&[u8]; 5] = [
            what,
            directory.to_bytes(),
            b": ",
            reason(errno).as_bytes(),
            b": no program supervise in PATH ",
        ];
        self.complaints.warn(&[&parts.concat(), path], now);
        Err(Missing)
    }

    /// Whether the service's pipe is there now.
    pub(super) fn ensure_pipe(&mut self, id: Identity, now: Duration) -> bool {
        if self.pipes.contains_key(&id) {
            return true;
        }
        let Some(name) = self.plan.name(id).cloned() else { return false };
        let site = Site::open(&name, self.base());
        match site.and_then(|site| LogPipe::open(&site, &name, &mut self.complaints, now)) {
            Ok(pipe) => {
                self.pipes.insert(id, pipe);
                true
            }
            Err(errno) => {
                let parts: [&[u8]; 2] = [b"unable to create pipe for ", name.to_bytes()];
                self.complaints.warn_errno(&parts, errno, now);
                false
            }
        }
    }
}
