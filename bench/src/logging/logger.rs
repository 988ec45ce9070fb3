//! The loggers that are measured: ours, and those that Debian ships.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use sys::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::measure::Whose;
use crate::place::{DEBIAN, debian_has, programs, wait_until};

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Logger {
    /// Our multilog.
    Ours,
    /// The original.
    Multilog,
    /// s6's, told to do the same.
    S6,
    /// `cat`, which makes one file of it all, and neither looks at lines nor asks the disk to have them.
    Cat,
}

/// What it does with the lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Script {
    /// Whether each gets a TAI64N label.
    pub(super) stamped: bool,
    /// Whether only errors are logged.
    pub(super) errors: bool,
    /// Whether files are as large, and as few, as `s16777215 n5` has them; else as nobody asked: 99999 bytes, 10 files.
    pub(super) large: bool,
}

/// What lines come by.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pipe {
    Bytes,
    /// Each read gives what one write has written.
    Packets,
}

impl Logger {
    pub(super) const ALL: [Logger; 4] = [Logger::Ours, Logger::Multilog, Logger::S6, Logger::Cat];

    /// What the table calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Logger::Ours => "ours",
            Logger::Multilog => "multilog",
            Logger::S6 => "s6-log",
            Logger::Cat => "cat",
        }
    }

    /// Whether it can be measured here; if not, why.
    pub(super) fn installed(self) -> Result<(), String> {
        match self {
            Logger::Ours => Ok(()),
            Logger::Multilog => debian_has(&["multilog"]),
            Logger::S6 => debian_has(&["s6-log"]),
            Logger::Cat => debian_has(&["cat"]),
        }
    }

    /// Starts it in an empty directory, at the end of a pipe.
    pub(super) fn start(
        self,
        script: Script,
        pipe: Pipe,
        directory: &Path,
    ) -> Result<Started, String> {
        let failed = |e: std::io::Error| format!("unable to start {}: {e}", self.name());
        let _ = fs::remove_dir_all(directory);
        fs::create_dir(directory).map_err(failed)?;
        let mut command = match self {
            Logger::Ours => multilog(Whose::Ours, script),
            Logger::Multilog => multilog(Whose::Others, script),
            Logger::S6 => s6_log(script),
            Logger::Cat => Command::new(Path::new(DEBIAN).join("cat")),
        };
        let file = match self {
            Logger::Ours | Logger::Multilog | Logger::S6 => directory.join("log/current"),
            Logger::Cat => {
                let file = directory.join("cat");
                command.stdout(File::create(&file).map_err(failed)?);
                file
            }
        };
        let child = command.current_dir(directory).stdin(Stdio::piped()).spawn().map_err(failed)?;
        if pipe == Pipe::Packets {
            let input = child.stdin.as_ref().and_then(|input| sys::borrow(input.as_raw_fd()));
            let input = input.ok_or("it has no input")?;
            sys::fs::fcntl_setfl(input, sys::fs::OFlags::DIRECT)
                .map_err(|errno| format!("no pipe that keeps packets: {errno:?}"))?;
        }
        let mut started = Started { child, before: 0, sent: 0, file };
        wait_until(self.name(), || started.file.exists() && started.sleeps())?;
        started.before = started.read_so_far();
        Ok(started)
    }
}

fn multilog(whose: Whose, script: Script) -> Command {
    let mut command = Command::new(programs(whose).join("multilog"));
    if script.stamped {
        command.arg("t");
    }
    if script.errors {
        command.args(["-*", "+*error*"]);
    }
    if script.large {
        command.args(["s16777215", "n5"]);
    }
    command.arg("./log");
    command
}

/// Its patterns are regular expressions, and its settings hold for one log.
fn s6_log(script: Script) -> Command {
    let mut command = Command::new(Path::new(DEBIAN).join("s6-log"));
    if script.errors {
        command.args(["-", "+error"]);
    }
    if script.stamped {
        command.arg("t");
    }
    if script.large {
        command.args(["s16777215", "n5"]);
    } else {
        command.args(["s99999", "n9"]);
    }
    command.arg("./log");
    command
}

/// A logger that waits for lines.
pub(super) struct Started {
    child: Child,
    /// Bytes that it had read before there were any lines.
    before: u64,
    /// Bytes of lines.
    sent: u64,
    /// What it writes to.
    pub(super) file: PathBuf,
}

impl Started {
    /// Writes to it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let input = self.child.stdin.as_mut().ok_or("it has no input any more")?;
        input.write_all(bytes).map_err(|e| format!("unable to write: {e}"))?;
        self.sent += bytes.len() as u64;
        Ok(())
    }

    /// Ends its input, and waits until it has ended. Gives how many seconds it had a processor.
    pub(super) fn end(mut self) -> Result<f64, String> {
        self.child.stdin = None;
        ended(&mut self.child)
    }

    /// Waits until it has read everything, and has nothing to do.
    pub(super) fn settle(&self) -> Result<(), String> {
        wait_until("a logger that has nothing left to do", || {
            self.read_so_far() >= self.before + self.sent && self.sleeps()
        })
    }

    fn read_so_far(&self) -> u64 {
        let io = fs::read_to_string(format!("/proc/{}/io", self.child.id())).unwrap_or_default();
        let field = io.lines().find_map(|line| line.strip_prefix("rchar: "));
        field.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Seconds that it had a processor so far.
    pub(super) fn processor_time(&self) -> f64 {
        processor_time(self.child.id())
    }

    /// KiB: the most that was resident so far.
    pub(super) fn peak(&self) -> Result<f64, String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.map_err(|e| format!("unable to read a status: {e}"))?;
        let field = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = field.and_then(|field| field.trim().strip_suffix(" kB")?.parse().ok());
        kib.ok_or_else(|| "no VmHWM in its status".to_owned())
    }

    fn sleeps(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        stat.unwrap_or_default().rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for the end of a child that is to succeed. Gives how many seconds it had a processor.
pub(super) fn ended(child: &mut Child) -> Result<f64, String> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or("a child without an id")?;
    // It stays until its time is read.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(pid), options), Err(sys::Errno::INTR)) {}
    let time = processor_time(child.id());
    let status = child.wait().map_err(|e| format!("unable to wait: {e}"))?;
    if status.success() { Ok(time) } else { Err(format!("it ended with {status}")) }
}

/// Seconds that a process had a processor, to the nanosecond.
fn processor_time(pid: u32) -> f64 {
    let schedstat = fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    let nanoseconds = schedstat.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.map_or(f64::NAN, |nanoseconds| nanoseconds / 1e9)
}
