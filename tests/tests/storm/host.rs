//! A host with a tree of services on a small disk of their own, and an svscan that is started again as init would.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::storm::processes::{self, Process};
use tests::storm::{journal, judge, own_program};
use tests::{Scratch, command_dir, debian, path, program, wait_until};

use crate::SOON;

/// The place, and all that runs in it.
pub(crate) struct Host {
    scratch: Scratch,
    /// The names of the services, in order.
    pub(crate) names: Vec<String>,
    svscan: Option<Child>,
}

/// One of a service's two directories: whoever is supervised there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Target {
    /// The directory, without links in its path.
    pub(crate) directory: PathBuf,
    /// Whether it is the logger's.
    pub(crate) logger: bool,
}

/// What a status file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    /// The process, 0 if there is none.
    pub(crate) pid: i32,
    /// `u`, `d` or 0.
    pub(crate) want: u8,
}

impl Host {
    /// An empty tree on a disk of `size` (as mount(8) has it), with a scan directory.
    pub(crate) fn new(name: &str, size: &str) -> Host {
        let scratch = scratch(name);
        let (tree, options) = (scratch.dir("tree"), format!("size={size},mode=755"));
        mount(Some("none"), &tree, Some("tmpfs"), MsFlags::empty(), Some(options.as_str()))
            .expect("mount a disk");
        for made in ["tree/all", "tree/scan", "journal"] {
            scratch.dir(made);
        }
        // QUIT would leave a file behind.
        setrlimit(Resource::RLIMIT_CORE, 0, 0).expect("no core files");
        Host { scratch, names: Vec::new(), svscan: None }
    }

    /// Adds the service directory `name`, with or without a logger, and returns its path. It is not in the scan directory.
    pub(crate) fn add(&mut self, name: &str, logged: bool) -> PathBuf {
        let service = self.scratch.dir(&format!("tree/all/{name}"));
        symlink(own_program("storm-service"), service.join("run")).expect("a link");
        if logged {
            fs::create_dir(service.join("log")).expect("make a directory");
            symlink(own_program("storm-logger"), service.join("log/run")).expect("a link");
            File::create(service.join("log/main")).expect("make a log");
        }
        self.names.push(name.to_owned());
        service
    }

    /// Gives a service multilog for a logger, in place of the storm's own: it reads and then writes, so that KILL would lose
    /// what it has read. TERM must not.
    pub(crate) fn use_multilog(&self, name: &str) {
        let ours = command_dir().join("multilog");
        let multilog = if ours.exists() { Some(ours) } else { debian("multilog") };
        let Some(multilog) = multilog else { return };
        let log = self.service(name).directory.join("log");
        // Run under this name, it is found as the others are.
        fs::create_dir(log.join("bin")).expect("make a directory");
        symlink(multilog, log.join("bin/run")).expect("a link");
        fs::remove_file(log.join("main")).expect("remove a log");
        fs::remove_file(log.join("run")).expect("remove a link");
        fs::write(log.join("run"), "#!/bin/sh\nexec bin/run s16777215 n9999 ./main\n")
            .expect("a script");
        fs::set_permissions(log.join("run"), fs::Permissions::from_mode(0o755)).expect("chmod");
    }

    /// All that the loggers of a service have written.
    fn log(&self, name: &str) -> Vec<u8> {
        let main = self.service(name).directory.join("log/main");
        if main.is_file() {
            return fs::read(main).expect("a log");
        }
        let entries = fs::read_dir(&main).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        // multilog's names sort by time, but for that of the last.
        files.retain(|file| file.file_name().is_some_and(|name| name.as_bytes().starts_with(b"@")));
        files.sort();
        files.push(main.join("current"));
        files.iter().flat_map(|file| fs::read(file).unwrap_or_default()).collect()
    }

    /// The directory that the tree is on.
    pub(crate) fn tree(&self) -> PathBuf {
        self.scratch.join("tree")
    }

    /// A service's entry in the scan directory.
    pub(crate) fn entry(&self, name: &str) -> PathBuf {
        self.scratch.join("tree/scan").join(name)
    }

    /// Puts a service into the scan directory.
    pub(crate) fn link(&self, name: &str) {
        symlink(self.service(name).directory, self.entry(name)).expect("a link");
    }

    /// A service.
    pub(crate) fn service(&self, name: &str) -> Target {
        Target { directory: self.scratch.join("tree/all").join(name), logger: false }
    }

    /// A service's logger, if it has one.
    pub(crate) fn logger(&self, name: &str) -> Option<Target> {
        let directory = self.service(name).directory.join("log");
        directory.is_dir().then_some(Target { directory, logger: true })
    }

    /// All services and all loggers.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let each = self.names.iter();
        each.flat_map(|name| [Some(self.service(name)), self.logger(name)]).flatten().collect()
    }

    /// Starts svscan, in a session of its own; what it and all below it say goes to a file.
    pub(crate) fn start_svscan(&mut self) {
        let said = OpenOptions::new().create(true).append(true).open(self.said()).expect("a file");
        let child = Command::new(program("svscan"))
            .arg(self.scratch.join("tree/scan"))
            .env("PATH", path())
            .env(journal::VARIABLE, self.journal())
            .stdin(Stdio::null())
            .stdout(said.try_clone().expect("a descriptor"))
            .stderr(said)
            .process_group(0)
            .spawn();
        self.svscan = Some(child.expect("start svscan"));
    }

    /// svscan's id, if it was started and not killed since.
    pub(crate) fn svscan(&self) -> Option<i32> {
        self.svscan.as_ref().map(|svscan| svscan.id().cast_signed())
    }

    /// Whether svscan ended by itself.
    pub(crate) fn svscan_has_ended(&mut self) -> Option<String> {
        let status = self.svscan.as_mut()?.try_wait().ok().flatten()?;
        Some(status.to_string())
    }

    /// Kills svscan. What it has started runs on.
    pub(crate) fn kill_svscan(&mut self) {
        if let Some(mut svscan) = self.svscan.take() {
            svscan.kill().expect("kill svscan");
            svscan.wait().expect("reap svscan");
        }
    }

    /// Tells svscan to end, and waits until it has; its exit status.
    pub(crate) fn end_svscan(&mut self) -> String {
        let mut svscan = self.svscan.take().expect("an svscan");
        kill(Pid::from_raw(svscan.id().cast_signed()), Signal::SIGTERM).expect("TERM to svscan");
        let mut status = None;
        wait_until("svscan to end", SOON, || {
            status = svscan.try_wait().expect("wait for svscan");
            status.is_some()
        });
        status.map_or_else(String::new, |status| status.to_string())
    }

    /// Where svscan's messages, and those of all below it, are.
    fn said(&self) -> PathBuf {
        self.scratch.join("said")
    }

    /// What was said.
    pub(crate) fn messages(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.said()).unwrap_or_default()).into_owned()
    }

    /// Where the services keep their journals.
    pub(crate) fn journal(&self) -> PathBuf {
        self.scratch.join("journal")
    }

    /// What must not have happened, and did.
    pub(crate) fn violations(&self) -> String {
        fs::read_to_string(journal::violations(&self.journal())).unwrap_or_default()
    }

    /// What is wrong with the log of a service.
    pub(crate) fn judge(&self, name: &str) -> Vec<String> {
        judge::faults(&self.log(name), &journal::entries(&self.journal(), name))
    }

    /// How many lines a service has written, in all its starts.
    pub(crate) fn written(&self, name: &str) -> u64 {
        journal::entries(&self.journal(), name).iter().map(|entry| entry.written).sum()
    }

    /// Tells all supervise processes to end with what they supervise.
    pub(crate) fn end_supervises(&self) {
        for target in self.targets() {
            target.send(b"dx");
        }
    }

    /// Waits until nothing runs that was not there before the first svscan.
    pub(crate) fn wait_for_nobody(&self) {
        let mut left = Vec::new();
        let deadline = std::time::Instant::now() + SOON;
        while std::time::Instant::now() < deadline {
            left = processes::all();
            // PID 1 of these namespaces, and the test itself.
            left.retain(|p| p.pid != 1 && p.pid != std::process::id().cast_signed());
            if left.is_empty() {
                return;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
        panic!("these processes are left over: {left:#?}");
    }
}

impl Target {
    /// Its name, as in "s07" or "s07/log".
    pub(crate) fn name(&self) -> String {
        let mut parts = self.directory.iter().rev().map(|part| part.display().to_string());
        let (last, before) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if self.logger { format!("{before}/{last}") } else { last }
    }

    /// Whether it is a logger that KILL would make lose lines.
    pub(crate) fn is_multilog(&self) -> bool {
        self.directory.join("bin").exists()
    }

    /// A path below its `supervise/`.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.join("supervise").join(name)
    }

    /// Opens its control FIFO as svc does; `None` if nobody hears.
    pub(crate) fn control(&self) -> Option<File> {
        OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(self.file("control"))
            .ok()
    }

    /// Sends letters. Whether there was somebody who could hear them.
    pub(crate) fn send(&self, letters: &[u8]) -> bool {
        self.control().is_some_and(|mut control| control.write_all(letters).is_ok())
    }

    /// Its status.
    pub(crate) fn status(&self) -> Option<Status> {
        let bytes = fs::read(self.file("status")).ok()?;
        let pid = i32::from_le_bytes(bytes.get(12..16)?.try_into().ok()?);
        Some(Status { pid, want: *bytes.get(17)? })
    }

    /// Who supervises it. More than one only in the moment in which a second one finds the lock taken.
    ///
    /// Others look like it for a moment: the logger's supervise, before it has gone to its own directory; a child of supervise's
    /// that isn't its program yet.
    pub(crate) fn supervises(&self, all: &[Process]) -> Vec<i32> {
        let is_it = |process: &&Process| {
            process.name == "supervise"
                && process.cwd == self.directory
                && processes::argument(process.pid)
                    .is_some_and(|name| self.directory.ends_with(name))
                && processes::find(process.parent).is_none_or(|parent| parent.name != "supervise")
        };
        all.iter().filter(is_it).map(|process| process.pid).collect()
    }

    /// The processes that are supervised there.
    pub(crate) fn services(&self, all: &[Process]) -> Vec<i32> {
        if self.is_multilog() {
            // It works in its own directory.
            let main = self.directory.join("main");
            let mut pids = processes::pids_of(all, "run", &main);
            pids.extend(processes::pids_of(all, "run", &self.directory));
            return pids;
        }
        processes::pids_of(all, "run", &self.directory)
    }

    /// The device and inode of the log pipe of the service that this is, or logs.
    pub(crate) fn pipe(&self) -> Option<(u64, u64)> {
        let service = if self.logger { self.directory.parent()? } else { &self.directory };
        identity(&service.join("supervise/logpipe"))
    }

    /// Whether the process that runs, if one does, is noted in `supervise/process`: 28 bytes and more.
    pub(crate) fn is_recorded(&self) -> bool {
        let length = fs::metadata(self.file("process")).map_or(0, |metadata| metadata.len());
        length >= 28 || self.services(&processes::all()).is_empty()
    }

    /// Whether it is supervised, as svok has it.
    pub(crate) fn is_supervised(&self) -> bool {
        OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(self.file("ok")).is_ok()
    }
}

/// A scratch directory that no other run of the same test uses: in namespaces, they all have the same process id.
pub(crate) fn scratch(name: &str) -> Scratch {
    let now = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_nanos());
    Scratch::new(&format!("{name}-{now}"))
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}
