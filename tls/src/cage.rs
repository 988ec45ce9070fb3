//! The cage: what the process that talks TLS to a stranger gives up before it reads the first byte.
//!
//! | | as root | as anybody else |
//! | --- | --- | --- |
//! | file system | an empty directory that has no name | |
//! | account | one without rights, no other groups | |
//! | capabilities | none, and none to be had | the same |
//! | descriptors | the connection, the program's pipes, the log | the same |
//! | system calls | [`filter`] | the same |
//! | besides | no core file, no new process, not to be traced | the same |
//!
//! What can't be had here is tried out once, when the listener starts ([`Cage::new`]), so that it is
//! said once and not at each connection.

mod filter;
#[cfg(test)]
mod tests;

use crate::reason;
use nix::fcntl::{OFlag, open};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::Mode;
use nix::unistd::{chroot, fchdir, geteuid, mkdir};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use sys::Errno;
use sys::fork::{Fork, exit, fork};
use sys::process::{DumpableBehavior, WaitOptions, set_dumpable_behavior, waitpid};
use sys::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, set_capabilities, set_no_new_privs, set_thread_groups,
    set_thread_res_gid, set_thread_res_uid,
};

/// An account by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub uid: u32,
    /// The only group.
    pub gid: u32,
}

/// The account of this number owns nothing, wherever it has a name: `nobody`.
pub const NOBODY: Account = Account { uid: 65534, gid: 65534 };

/// What all relays are caged with.
pub struct Cage {
    /// For root: where it is shut in, and as whom.
    root: Option<Root>,
    /// What can't be had here, and has been said.
    known: Vec<String>,
}

struct Root {
    empty: Result<OwnedFd, String>,
    account: Account,
}

impl Cage {
    /// Makes ready what relays need, as the account that will start them; `account` is whom they
    /// become if that is root. Tries it out in a process that ends at once.
    ///
    /// Gives what can't be had here, each with its reason, for the log.
    pub fn new(account: Account) -> (Self, Vec<String>) {
        let mut cage = Self::of_one(account);
        cage.known = cage.tried();
        let missing = cage.known.clone();
        (cage, missing)
    }

    /// The same without trying it out, for a process that makes one connection: what it can't have is
    /// said then.
    #[must_use]
    pub fn of_one(account: Account) -> Self {
        let root = geteuid().is_root().then(|| Root { empty: empty_directory(), account });
        Self { root, known: Vec::new() }
    }

    /// Shuts this process in, for good: it keeps the standard descriptors and `kept`, and ends by
    /// SIGSYS if it makes a system call that no relay makes. Gives what couldn't be had, beyond
    /// what [`Cage::new`] has told.
    ///
    /// Only for a forked process that never drops what it has inherited: all descriptors but those
    /// are closed.
    pub(crate) fn shut(&self, kept: &[BorrowedFd<'_>]) -> Vec<String> {
        let mut missing = self.enter(kept);
        missing.retain(|trouble| !self.known.contains(trouble));
        missing
    }

    fn enter(&self, kept: &[BorrowedFd<'_>]) -> Vec<String> {
        let mut missing = self.give_up(kept);
        missing.extend(filtered().err());
        missing
    }

    /// All but the filter.
    fn give_up(&self, kept: &[BorrowedFd<'_>]) -> Vec<String> {
        let numbers: Vec<i32> = kept.iter().map(AsRawFd::as_raw_fd).collect();
        let mut missing = Vec::new();
        let mut note = |result: Result<(), String>| missing.extend(result.err());
        if let Some(root) = &self.root {
            note(root.shut_in());
            note(root.become_account());
        }
        note(without_capabilities().map_err(|errno| trouble("give up capabilities", errno)));
        note(
            sys::close_all_but(&numbers).map_err(|errno| trouble("close what it inherited", errno)),
        );
        // A process that may make none and leave no core needs no further reason not to.
        for resource in [Resource::RLIMIT_CORE, Resource::RLIMIT_NPROC] {
            note(setrlimit(resource, 0, 0).map_err(|error| text("set its limits", error)));
        }
        note(untraceable().map_err(|errno| trouble("keep from being traced", errno)));
        note(set_no_new_privs(true).map_err(|errno| trouble("give up new privileges", errno)));
        missing
    }

    fn tried(&self) -> Vec<String> {
        let Ok((mut told, mut tell)) = std::io::pipe() else { return Vec::new() };
        match fork() {
            Err(_) => Vec::new(),
            Ok(Fork::Child) => {
                let missing = self.enter(&[tell.as_fd()]);
                let _ = tell.write_all(missing.join("\n").as_bytes());
                exit(0)
            }
            Ok(Fork::Parent(pid)) => {
                drop(tell);
                let mut text = String::new();
                let _ = told.read_to_string(&mut text);
                while let Err(Errno::INTR) = waitpid(Some(pid), WaitOptions::empty()) {}
                text.lines().map(String::from).collect()
            }
        }
    }
}

impl Root {
    fn shut_in(&self) -> Result<(), String> {
        let empty = self.empty.as_ref().map_err(String::clone)?;
        fchdir(empty)
            .and_then(|()| chroot("."))
            .map_err(|error| text("leave the file system", error))
    }

    fn become_account(&self) -> Result<(), String> {
        let (uid, gid) = (Uid::from_raw(self.account.uid), Gid::from_raw(self.account.gid));
        // Not the C library's calls, which ask all threads that it knows of: a forked process has one.
        set_thread_groups(&[])
            .and_then(|()| set_thread_res_gid(gid, gid, gid))
            .and_then(|()| set_thread_res_uid(uid, uid, uid))
            .map_err(|errno| trouble("become another account", errno))
    }
}

/// A directory that is empty for good: it is removed, and nothing can be made in it, but who has it
/// open may still enter it.
fn empty_directory() -> Result<OwnedFd, String> {
    let mut last = nix::Error::ENOENT;
    for parent in ["/run", "/dev/shm", "/tmp", "/var/tmp", "/"] {
        let name = format!("tls-{}.empty", std::process::id());
        let path = PathBuf::from(parent).join(name);
        let flags = OFlag::O_DIRECTORY | OFlag::O_PATH | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        match mkdir(&path, Mode::empty()) {
            Ok(()) => {
                let opened = open(&path, flags, Mode::empty());
                // If it isn't removed, it is at least empty, and nobody's but root's.
                let _ = std::fs::remove_dir(&path);
                return opened.map_err(|error| text("leave the file system", error));
            }
            Err(error) => last = error,
        }
    }
    Err(text("leave the file system", last))
}

/// Those that it was started with, too. The bounding set may stay: without new privileges no program
/// that could be run gets anything from there.
fn without_capabilities() -> Result<(), Errno> {
    let none = CapabilitySet::empty();
    let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
    set_capabilities(None, sets)
}

fn untraceable() -> Result<(), Errno> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

fn filtered() -> Result<(), String> {
    let filter = filter::program()
        .ok_or("unable to filter its system calls: not known for this processor")?;
    sys::seccomp::install(&filter).map_err(|errno| trouble("filter its system calls", errno))
}

fn text(verb: &str, error: nix::Error) -> String {
    format!("unable to {verb}: {}", reason::system(error))
}

fn trouble(verb: &str, errno: Errno) -> String {
    format!("unable to {verb}: {}", common::reason(errno))
}
