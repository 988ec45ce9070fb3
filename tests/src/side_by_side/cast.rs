//! Whose programs a case runs.

use std::fmt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::place::{debian, program};

/// The programs that cases run.
const PROGRAMS: [&str; 17] = [
    "svscanboot",
    "svscan",
    "supervise",
    "svc",
    "svok",
    "svstat",
    "fghack",
    "pgrphack",
    "readproctitle",
    "multilog",
    "tai64n",
    "tai64nlocal",
    "setuidgid",
    "envuidgid",
    "envdir",
    "softlimit",
    "setlock",
];

/// Who wrote a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// We did.
    Ours,
    /// Debian's package daemontools has it.
    Debians,
}

/// Whose supervise it is, and whose all the other programs are: the two ends of the service directory protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cast {
    /// Whose supervise.
    pub supervise: Whose,
    /// Whose svc, svstat, svok, svscan, setlock and so on.
    pub others: Whose,
}

impl Cast {
    /// All programs are Debian's: what every other cast is compared with.
    pub const DEBIAN: Cast = Cast { supervise: Whose::Debians, others: Whose::Debians };
    /// All programs are ours.
    pub const OURS: Cast = Cast { supervise: Whose::Ours, others: Whose::Ours };
    /// The three pairings in which one of ours takes part.
    pub const PAIRINGS: [Cast; 3] = [
        Cast::OURS,
        Cast { supervise: Whose::Ours, others: Whose::Debians },
        Cast { supervise: Whose::Debians, others: Whose::Ours },
    ];

    /// Links all programs into a directory: one path for ours and for Debian's, so that nothing else differs.
    pub(super) fn link(self, bin: &Path) {
        for name in PROGRAMS {
            let whose = if name == "supervise" { self.supervise } else { self.others };
            if let Some(path) = find(whose, name) {
                symlink(path, bin.join(name)).expect("link a program");
            }
        }
        for name in ["inherits", "exactly", "wait-for"] {
            symlink(beside(name), bin.join(name)).expect("link a program");
        }
    }

    /// Whether its programs are installed; a skip is recorded if they aren't.
    pub(super) fn is_there(self) -> bool {
        PROGRAMS.iter().all(|name| find(self.others, name).is_some())
    }
}

fn find(whose: Whose, name: &str) -> Option<PathBuf> {
    match whose {
        Whose::Ours => Some(program(name)),
        Whose::Debians => debian(name),
    }
}

/// Cargo leaves the package's programs one directory above the test programs.
fn beside(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("the test program's path");
    let found = exe.ancestors().skip(1).map(|dir| dir.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("cargo builds `{name}` with the tests"))
}

impl fmt::Display for Cast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.supervise, self.others) {
            (Whose::Ours, Whose::Ours) => "ours",
            (Whose::Ours, Whose::Debians) => "our supervise alone",
            (Whose::Debians, Whose::Ours) => "all of ours but supervise",
            (Whose::Debians, Whose::Debians) => "Debian's",
        })
    }
}
