//! A directory of a test's own, removed with all that lives in it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::mount::{MntFlags, umount2};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::run::Run;

/// A new directory below the system's temporary one. When it is dropped, every process whose working directory lies in it is
/// killed (a supervise, its service, their loggers), and the directory is removed.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes the directory; `name` shows in its path.
    ///
    /// # Panics
    /// If the directory can't be made.
    pub fn new(name: &str) -> Scratch {
        Scratch::below(&std::env::temp_dir(), name)
    }

    /// The same in memory, where there is such a place: for many small files, of which none is worth a disk's time.
    ///
    /// # Panics
    /// If the directory can't be made.
    pub fn in_memory(name: &str) -> Scratch {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Scratch::below(memory, name) } else { Scratch::new(name) }
    }

    fn below(base: &Path, name: &str) -> Scratch {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Another process may have our id: one in a namespace of its own, or one that ended without tidying up.
        let path = loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("daemontools-{name}.{}.{number}", std::process::id());
            let path = base.join(name);
            match fs::create_dir(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                made => {
                    made.expect("make a scratch directory");
                    break path;
                }
            }
        };
        // Programs that run under another account pass through it.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod scratch");
        // /tmp may be a link; what /proc/PID/cwd says is the real path.
        Scratch { path: path.canonicalize().expect("real path of a scratch directory") }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of `name` in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file, making the directories that lead to it; returns its path.
    ///
    /// # Panics
    /// If it can't be written.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("make directories");
        fs::write(&path, content).unwrap_or_else(|e| panic!("write {}: {e}", path.display()));
        path
    }

    /// As [`Scratch::file`], and executable: a `run` script, say.
    pub fn script(&self, name: &str, content: &str) -> PathBuf {
        self.program(name, Path::new("/dev/stdin"), content.as_bytes())
    }

    /// As [`Scratch::script`], a copy of `program`.
    pub fn copy(&self, name: &str, program: &Path) -> PathBuf {
        self.program(name, program, b"")
    }

    /// Another process writes it. A process that this one has just made, for another test, would have the open file until it
    /// execs, and a file that is open for writing can't be run: "text busy".
    fn program(&self, name: &str, source: &Path, stdin: &[u8]) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("make directories");
        let copied = Run::new("cp").arg("--").arg(source).arg(&path).stdin(stdin).output();
        assert_eq!(copied.code, 0, "write {}: {}", path.display(), copied.err());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("chmod a program");
        path
    }

    /// Makes a directory and those that lead to it; returns its path.
    ///
    /// # Panics
    /// If it can't be made.
    pub fn dir(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(&path).expect("make a directory");
        path
    }

    /// The pids of all processes whose working directory lies in the scratch directory.
    pub fn inhabitants(&self) -> Vec<i32> {
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .filter(|pid| *pid != std::process::id().cast_signed())
            .filter(|pid| {
                fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|c| c.starts_with(&self.path))
            })
            .collect()
    }

    /// Takes off all that is mounted below the directory; whether nothing is left.
    fn unmounted(&self) -> bool {
        let mounts = || {
            let all = fs::read_to_string("/proc/self/mountinfo").ok()?;
            let points = all.lines().filter_map(|line| line.split(' ').nth(4)).map(PathBuf::from);
            Some(points.filter(|point| point.starts_with(&self.path)).collect::<Vec<_>>())
        };
        for point in mounts().unwrap_or_default().iter().rev() {
            let _ = umount2(point, MntFlags::MNT_DETACH);
        }
        mounts().is_some_and(|left| left.is_empty())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // More than once: a supervise may start its service between the look and the kill.
        for _ in 0..50 {
            let inhabitants = self.inhabitants();
            if inhabitants.is_empty() {
                break;
            }
            for pid in inhabitants {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        // What is mounted here is somebody else's, and must not be removed with the directory.
        if self.unmounted() {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
