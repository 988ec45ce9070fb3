//! Who runs: every process of this pid namespace, as /proc has it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A process that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its parent's.
    pub parent: i32,
    /// The name of its program, 15 bytes at most.
    pub name: String,
    /// One letter: R, S, D, T, ...
    pub state: char,
    /// Its working directory.
    pub cwd: PathBuf,
}

/// All that run; zombies don't.
pub fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| find(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// The process of this id, if it runs.
pub fn find(pid: i32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
    let mut rest = rest.split(' ');
    let state = rest.next()?.chars().next()?;
    let parent = rest.next()?.parse().ok()?;
    if matches!(state, 'Z' | 'X') {
        return None;
    }
    // A process on its way out has none any more, and doesn't run either.
    let cwd = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    Some(Process { pid, parent, name: name.to_owned(), state, cwd })
}

/// Which of them run this program in this directory.
pub fn pids_of(all: &[Process], name: &str, directory: &Path) -> Vec<i32> {
    let here = |process: &&Process| process.name == name && process.cwd == directory;
    all.iter().filter(here).map(|process| process.pid).collect()
}

/// The first argument of a process, if it has one.
pub fn argument(pid: i32) -> Option<String> {
    let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
    line.split('\0').nth(1).map(str::to_owned)
}

/// Whether a process has a handler for this signal.
pub fn catches(pid: i32, signal: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Whether a process has this file open: device and inode.
pub fn holds(pid: i32, file: (u64, u64)) -> bool {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    let mut open = entries.filter_map(|entry| fs::metadata(entry.path()).ok());
    open.any(|metadata| (metadata.dev(), metadata.ino()) == file)
}
