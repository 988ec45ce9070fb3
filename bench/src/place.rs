//! Programs, scratch directories, and children that end with us.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::measure::Whose;

/// Where Debian's programs are.
pub(crate) const DEBIAN: &str = "/usr/bin";

/// Our finished programs' directory.
pub(crate) fn command_dir() -> PathBuf {
    std::env::var_os("COMMAND_DIR").map_or_else(|| PathBuf::from("command"), PathBuf::from)
}

/// The directory of one side's programs.
pub(crate) fn programs(whose: Whose) -> PathBuf {
    match whose {
        Whose::Ours => command_dir(),
        Whose::Others => PathBuf::from(DEBIAN),
    }
}

/// Whether Debian has all of these; if not, what to say.
pub(crate) fn debian_has(names: &[&str]) -> Result<(), String> {
    match names.iter().find(|name| !Path::new(DEBIAN).join(name).exists()) {
        None => Ok(()),
        Some(name) => Err(format!("Debian's {name} is not installed: skipped")),
    }
}

/// The path of one of this package's own small programs.
pub(crate) fn own(name: &str) -> Result<PathBuf, String> {
    let exe = std::env::current_exe().map_err(|e| format!("unable to find myself: {e}"))?;
    Ok(exe.with_file_name(name))
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    sys::process::geteuid().is_root()
}

/// Where scratch directories are made: in memory if possible. On a disk, a thousand services' FIFOs and status files take
/// longer than the programs, and not twice the same.
pub(crate) fn base() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// A directory that is removed at the end, with all processes that work in it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes it.
    pub(crate) fn new(name: &str) -> Result<Scratch, String> {
        Self::below(&base(), name)
    }

    /// Makes it where mailboxes are: on a disk, though all that is read should still be in memory.
    pub(crate) fn on_disk(name: &str) -> Result<Scratch, String> {
        Self::below(&std::env::temp_dir(), name)
    }

    fn below(base: &Path, name: &str) -> Result<Scratch, String> {
        let path = base.join(format!("daemontools-bench-{name}.{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).map_err(|e| format!("unable to make {}: {e}", path.display()))?;
        let path = path.canonicalize().map_err(|e| format!("unable to find my scratch: {e}"))?;
        Ok(Scratch(path))
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The processes that work in it, and their names.
    pub(crate) fn inhabitants(&self) -> Vec<(u32, String)> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let pid = entry.file_name().to_str()?.parse().ok()?;
                let there = fs::read_link(entry.path().join("cwd")).ok()?;
                let name = fs::read_to_string(entry.path().join("comm")).ok()?;
                there.starts_with(&self.0).then(|| (pid, name.trim_end().to_owned()))
            })
            .collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for _ in 0..100 {
            let pids = self.inhabitants();
            if pids.is_empty() {
                break;
            }
            let pids = pids.iter().map(|(pid, _)| pid.to_string());
            let _ = Command::new("kill").arg("-9").args(pids).stderr(Stdio::null()).status();
        }
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A child that is killed when this is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Starts it, deaf and mute.
    pub(crate) fn start(command: &mut Command) -> Result<Running, String> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = quiet.spawn();
        child.map(Running).map_err(|e| format!("unable to run {:?}: {e}", command.get_program()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), String> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > Duration::from_secs(60) {
            return Err(format!("waited in vain for {what}"));
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    Ok(())
}
