//! A process that is supervised: our child, or one that an earlier supervise left behind.

use crate::procfs::{leads_group, start_of};
use crate::record::Entry;
use core::time::Duration;
use sys::poll::{PollFd, PollFlags, poll};
use sys::process::{
    Pid, PidfdFlags, kill_process, kill_process_group, pidfd_open, pidfd_send_signal,
};
use sys::signal::Signal;
use sys::{Errno, OwnedFd};

/// A running script.
#[derive(Debug)]
pub struct Process {
    pid: Pid,
    /// Whether it leads a process group of its own.
    leads: bool,
    bond: Bond,
}

/// How we learn of its end, and how signals find it and nobody else.
#[derive(Debug)]
pub enum Bond {
    /// Our child: its id stays its own until we have reaped it.
    Child,
    /// Somebody else's child, through a descriptor that becomes readable when it ends.
    Descriptor(OwnedFd),
    /// The same where the kernel has no such descriptors (before Linux 5.3): its id, and when it
    /// started, to be looked at again and again.
    Start(u64),
}

/// Whom a signal is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Whom {
    /// The process.
    #[default]
    Alone,
    /// Its whole process group, if it leads one; or else the process.
    Group,
}

impl Process {
    /// A process that we have just started, in a session of its own if it `leads` one.
    #[must_use]
    pub fn child(pid: Pid, leads: bool) -> Self {
        Self { pid, leads, bond: Bond::Child }
    }

    /// One that a predecessor in this process knew.
    #[must_use]
    pub fn inherited(pid: Pid, leads: bool, bond: Bond) -> Self {
        Self { pid, leads, bond }
    }

    /// The process that a killed supervise has noted, if it still runs.
    #[must_use]
    pub fn left_behind(entry: &Entry) -> Option<Self> {
        let pid = entry.pid?;
        // The descriptor first: whoever has the id *after* that, and started when ours did, had it
        // all the time.
        let descriptor = pidfd_open(pid, PidfdFlags::empty());
        let start = start_of(pid).filter(|start| entry.is(*start))?;
        let bond = match descriptor {
            Ok(descriptor) => Bond::Descriptor(descriptor),
            Err(Errno::SRCH) => return None,
            Err(_) => Bond::Start(start),
        };
        let leads = leads_group(pid);
        Some(Self { pid, leads, bond }).filter(|process| !process.is_gone())
    }

    /// Its id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Whether it leads a process group of its own.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.leads
    }

    /// How we are to learn of its end.
    #[must_use]
    pub fn bond(&self) -> &Bond {
        &self.bond
    }

    /// A descriptor that becomes readable when it ends; `None` for a child, whose end is signalled,
    /// and where [`Self::must_be_watched`].
    #[must_use]
    pub fn descriptor(&self) -> Option<&OwnedFd> {
        match &self.bond {
            Bond::Descriptor(descriptor) => Some(descriptor),
            Bond::Child | Bond::Start(_) => None,
        }
    }

    /// Whether nothing tells of its end but [`Self::is_gone`], asked now and then.
    #[must_use]
    pub fn must_be_watched(&self) -> bool {
        match self.bond {
            Bond::Start(_) => true,
            Bond::Child | Bond::Descriptor(_) => false,
        }
    }

    /// Whether a process that isn't our child has ended.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match &self.bond {
            Bond::Child => false,
            Bond::Descriptor(descriptor) => {
                let mut fds = [PollFd::new(descriptor, PollFlags::IN)];
                poll(&mut fds, Some(Duration::ZERO), None) == Ok(1)
            }
            Bond::Start(start) => start_of(self.pid) != Some(*start),
        }
    }

    /// Sends it a signal. That it has ended meanwhile is no error: we are about to learn of it.
    pub fn signal(&self, signal: Signal, whom: Whom) {
        if whom == Whom::Group && self.leads {
            // Our child holds its group's number until it is reaped. A stranger has to be there.
            if !self.is_gone() {
                let _ = kill_process_group(self.pid, signal);
            }
            return;
        }
        let _ = match &self.bond {
            Bond::Child => kill_process(self.pid, signal),
            Bond::Descriptor(descriptor) => pidfd_send_signal(descriptor, signal),
            Bond::Start(start) if start_of(self.pid) == Some(*start) => {
                kill_process(self.pid, signal)
            }
            Bond::Start(_) => Ok(()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::Script;
    use std::process::{Child, Command};

    fn sleeper() -> (Child, Pid, u64) {
        let child = Command::new("sleep").arg("1000").spawn().expect("sleep");
        let pid = Pid::from_raw(child.id().cast_signed()).expect("a pid");
        (child, pid, start_of(pid).expect("/proc"))
    }

    fn entry(pid: Pid, start: u64) -> Entry {
        Entry { script: Script::Run, before: start, pid: Some(pid), start: Some(start) }
    }

    /// Both kinds of bond to a process that isn't our child: it is found, signalled, and missed.
    #[test]
    fn a_process_that_was_left_behind() {
        let (mut child, pid, start) = sleeper();
        let by_descriptor = Process::left_behind(&entry(pid, start)).expect("it runs");
        assert!(by_descriptor.descriptor().is_some() && !by_descriptor.must_be_watched());
        let by_start = Process { pid, leads: false, bond: Bond::Start(start) };
        assert!(by_start.descriptor().is_none() && by_start.must_be_watched());
        assert!(!by_descriptor.is_gone() && !by_start.is_gone());
        by_start.signal(Signal::TERM, Whom::Alone);
        child.wait().expect("its end");
        assert!(by_descriptor.is_gone() && by_start.is_gone());
        assert!(Process::left_behind(&entry(pid, start)).is_none());
        // Nobody is hit, and nothing fails.
        by_descriptor.signal(Signal::KILL, Whom::Alone);
        by_start.signal(Signal::KILL, Whom::Alone);
    }

    #[test]
    fn another_process_of_the_same_id_is_left_alone() {
        let (mut child, pid, start) = sleeper();
        assert!(Process::left_behind(&entry(pid, start - 1)).is_none());
        let stale = Process { pid, leads: false, bond: Bond::Start(start - 1) };
        assert!(stale.is_gone());
        stale.signal(Signal::KILL, Whom::Alone);
        assert!(child.try_wait().expect("wait").is_none());
        child.kill().expect("kill");
        child.wait().expect("its end");
    }

    #[test]
    fn a_zombie_runs_no_more() {
        let (mut child, pid, start) = sleeper();
        child.kill().expect("kill");
        let mut stat = String::new();
        for _ in 0..1_000_000 {
            stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("stat");
            if stat.contains(") Z ") {
                break;
            }
            std::thread::yield_now();
        }
        assert!(stat.contains(") Z "));
        assert!(Process::left_behind(&entry(pid, start)).is_none());
        child.wait().expect("its end");
    }
}
