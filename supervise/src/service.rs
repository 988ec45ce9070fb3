//! The process that is supervised: our child, or one that an earlier supervise left behind.

use crate::record::{Entry, start_of};
use core::time::Duration;
use sys::poll::{PollFd, PollFlags, poll};
use sys::process::{Pid, PidfdFlags, kill_process, pidfd_open, pidfd_send_signal};
use sys::signal::Signal;
use sys::{Errno, OwnedFd};

/// A running service.
pub struct Process {
    pid: Pid,
    bond: Bond,
}

/// How we learn of its end, and how signals find it and nobody else.
enum Bond {
    /// Our child: its id stays its own until we have reaped it.
    Child,
    /// Somebody else's child, through a descriptor that becomes readable when it ends.
    Descriptor(OwnedFd),
    /// The same where the kernel has no such descriptors (before Linux 5.3): its id, and when it
    /// started, to be looked at again and again.
    Start(u64),
}

impl Process {
    /// A child that was just started.
    #[must_use]
    pub fn child(pid: Pid) -> Self {
        Self { pid, bond: Bond::Child }
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
        Some(Self { pid, bond }).filter(|process| !process.is_gone())
    }

    /// Its id.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
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
    pub fn signal(&self, signal: Signal) {
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
