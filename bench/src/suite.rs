//! The supervision suites that are measured: ours, and those that Debian ships.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::place::{DEBIAN, command_dir, debian_has};

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Suite {
    /// What `make` has built.
    Ours,
    /// The original.
    Daemontools,
    /// runit: runsvdir, runsv, sv.
    Runit,
    /// s6: s6-svscan, s6-supervise, s6-svc.
    S6,
}

impl Suite {
    /// All others.
    pub(crate) const PEERS: [Suite; 3] = [Suite::Daemontools, Suite::Runit, Suite::S6];

    /// What the table calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Suite::Ours => "ours",
            Suite::Daemontools => "daemontools",
            Suite::Runit => "runit",
            Suite::S6 => "s6",
        }
    }

    /// The program that scans, the one that supervises, and the one that controls.
    pub(crate) fn programs(self) -> [&'static str; 3] {
        match self {
            Suite::Ours | Suite::Daemontools => ["svscan", "supervise", "svc"],
            Suite::Runit => ["runsvdir", "runsv", "sv"],
            Suite::S6 => ["s6-svscan", "s6-supervise", "s6-svc"],
        }
    }

    /// Whether it can be measured here; if not, why.
    pub(crate) fn installed(self) -> Result<(), String> {
        match self {
            Suite::Ours => Ok(()),
            Suite::Daemontools | Suite::Runit | Suite::S6 => debian_has(&self.programs()),
        }
    }

    /// What supervises all services in a directory.
    pub(crate) fn scan(self, directory: &Path) -> Command {
        let mut command = self.command(self.programs()[0]);
        // s6-svscan takes no more than 500 services unless told.
        if self == Suite::S6 {
            command.args(["-c", "2000"]);
        }
        command.arg(directory);
        command
    }

    /// What tells these services to go down: once for all, where the suite's tool takes more than one.
    pub(crate) fn down(self, services: &[PathBuf]) -> Vec<Command> {
        let [_, _, control] = self.programs();
        let tell = |letter: &str, services: &[PathBuf]| {
            let mut command = self.command(control);
            command.arg(letter).args(services);
            command
        };
        match self {
            Suite::Ours | Suite::Daemontools => vec![tell("-d", services)],
            Suite::Runit => vec![tell("down", services)],
            Suite::S6 => services.chunks(1).map(|one| tell("-d", one)).collect(),
        }
    }

    /// The process id in a status of this suite; 0 when the service is down.
    pub(crate) fn pid(self, status: &[u8]) -> Option<u64> {
        match self {
            Suite::Ours | Suite::Daemontools | Suite::Runit => {
                let pid = status.get(12..16)?.try_into().ok()?;
                Some(u32::from_le_bytes(pid).into())
            }
            Suite::S6 => Some(u64::from_be_bytes(status.get(24..32)?.try_into().ok()?)),
        }
    }

    fn command(self, program: &str) -> Command {
        let directory = match self {
            Suite::Ours => command_dir(),
            Suite::Daemontools | Suite::Runit | Suite::S6 => PathBuf::from(DEBIAN),
        };
        let mut command = Command::new(directory.join(program));
        command.env("PATH", directory);
        command
    }
}
