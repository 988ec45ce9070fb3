//! What a program makes of a case.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Read;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, pipe2};
use sys::poll::{PollFd, PollFlags, poll};
use tests::waits_for_input;

use crate::case::{Case, Event, Feeding, Found};
use crate::seen::{Seen, entries};

/// How a program ends that doesn't.
pub(crate) const HANGS: &str = "it hangs";

/// Has `program` carry out the case in a directory that is made for it. If that takes longer than `patience`, it hangs.
pub(crate) fn play(program: &Path, case: &Case, directory: &Path, patience: Duration) -> Seen {
    let _ = fs::remove_dir_all(directory);
    fs::create_dir_all(directory).expect("a directory");
    fs::set_permissions(directory, Permissions::from_mode(0o755)).expect("chmod");
    case.found.iter().for_each(|found| prepare(found, directory));
    let beside = |ending: &str| directory.with_extension(ending);
    let errors = File::create(beside("stderr")).expect("a file for what is said");
    let script = case.script.iter().map(|word| std::ffi::OsString::from_vec(word.clone()));
    let mut command = Command::new(program);
    command.args(script).current_dir(directory).stdout(Stdio::null()).stderr(errors);
    let (end, rest) = match case.feeding {
        Feeding::Lines | Feeding::Pieces => Fed::start(&mut command, patience).see(&case.events),
        Feeding::Flood => {
            fs::write(beside("stdin"), case.input()).expect("a file of input");
            let input = OpenOptions::new().read(true).open(beside("stdin"));
            let child = command.stdin(input.expect("its input")).spawn().expect("started");
            (Watched::over(child, patience).end(), Vec::new())
        }
    };
    Seen {
        end,
        said: fs::read(beside("stderr")).expect("what was said"),
        // What a program leaves that has failed depends on when it did.
        rest: if case.is_terminated() { rest } else { Vec::new() },
        entries: entries(directory),
    }
}

fn prepare(found: &Found, directory: &Path) {
    let directory = directory.join(found.directory);
    fs::create_dir_all(&directory).expect("a log's directory");
    let path = directory.join(&found.name);
    fs::write(&path, &found.content).expect("a file to be found");
    fs::set_permissions(&path, Permissions::from_mode(found.mode)).expect("its mode");
    if let Some(also) = &found.also {
        fs::hard_link(&path, directory.join(also)).expect("its other name");
    }
}

/// A process that is waited for.
struct Watched {
    child: Child,
    pidfd: sys::OwnedFd,
    deadline: Instant,
}

impl Watched {
    fn over(child: Child, patience: Duration) -> Watched {
        let pid = sys::process::Pid::from_raw(child.id().cast_signed()).expect("a process id");
        let flags = sys::process::PidfdFlags::empty();
        let pidfd = sys::process::pidfd_open(pid, flags).expect("a pidfd");
        Watched { child, pidfd, deadline: Instant::now() + patience }
    }

    /// Whether it has ended within this time.
    fn has_ended(&self, within: Duration) -> bool {
        let mut fds = [PollFd::new(&self.pidfd, PollFlags::IN)];
        poll(&mut fds, Some(within), None).is_ok_and(|ready| ready > 0)
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Waits for its end.
    fn end(mut self) -> String {
        let hangs = !self.has_ended(self.time_left());
        if hangs {
            let _ = self.child.kill();
        }
        let status = self.child.wait().expect("waited for");
        if hangs { HANGS.to_owned() } else { status.to_string() }
    }
}

/// A program at a pipe of which both ends are ours, too.
struct Fed {
    program: Watched,
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Fed {
    fn start(command: &mut Command, patience: Duration) -> Fed {
        let flags = OFlag::O_DIRECT | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let (reader, writer) = pipe2(flags).expect("a pipe");
        // Reading from it waits.
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::empty())).expect("a pipe to wait at");
        let stdin = reader.try_clone().expect("a copy");
        let child = command.stdin(stdin).spawn().expect("started");
        Fed { program: Watched::over(child, patience), reader, writer }
    }

    /// Lets all of it happen. Gives how the program ended, and what it left in the pipe.
    fn see(self, events: &[Event]) -> (String, Vec<u8>) {
        for event in events {
            let goes_on = match event {
                Event::Comes(bytes) => self.write(bytes),
                Event::Alarm => self.signal(Signal::SIGALRM),
                Event::Term => {
                    // Byte by byte is how the rest of the line is read: of a packet, only the first would come.
                    let is_there = self.signal(Signal::SIGTERM);
                    let stream = FcntlArg::F_SETFL(OFlag::O_NONBLOCK);
                    fcntl(&self.writer, stream).expect("a stream from here on");
                    is_there
                }
            };
            // What comes after the end of a program that was told to end is part of what it leaves.
            if !goes_on && !matches!(event, Event::Comes(_)) && !events.contains(&Event::Term) {
                break;
            }
        }
        let Fed { program, reader, writer } = self;
        drop(writer);
        let end = program.end();
        let mut rest = Vec::new();
        File::from(reader).read_to_end(&mut rest).expect("the rest of a pipe");
        (end, rest)
    }

    /// Writes all of it, unless the program is gone and the pipe full.
    fn write(&self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            match nix::unistd::write(&self.writer, bytes) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::EAGAIN) => {
                    let writer = sys::borrow(self.writer.as_raw_fd()).expect("open");
                    let mut fds = [
                        PollFd::new(&self.program.pidfd, PollFlags::IN),
                        PollFd::new(&writer, PollFlags::OUT),
                    ];
                    let ready =
                        poll(&mut fds, Some(self.program.time_left()), None).expect("waited");
                    if ready == 0 || !fds[0].revents().is_empty() {
                        return false;
                    }
                }
                Err(errno) => panic!("a pipe: {errno}"),
            }
        }
        true
    }

    /// Sends a signal once all is read, and waits until the program has done what it does about it. Whether it is still there.
    fn signal(&self, signal: Signal) -> bool {
        if !self.is_idle() {
            return false;
        }
        let pid = Pid::from_raw(self.program.child.id().cast_signed());
        kill(pid, signal).expect("signalled");
        let bit = 1_u64 << (signal as u32 - 1);
        self.wait(|| {
            let status = self.proc("status");
            let pending = ["ShdPnd:\t", "SigPnd:\t"].iter().any(|field| {
                let mask = status.lines().find_map(|line| line.strip_prefix(field));
                mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).unwrap_or(0) & bit != 0
            });
            !pending
        }) && self.is_idle()
    }

    /// Waits until the program has read everything and waits for more. `false` if it has ended.
    fn is_idle(&self) -> bool {
        let reader = sys::borrow(self.reader.as_raw_fd()).expect("open");
        self.wait(|| {
            sys::io::ioctl_fionread(reader).is_ok_and(|left| left == 0)
                && waits_for_input(self.program.child.id())
        })
    }

    fn proc(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.program.child.id())).unwrap_or_default()
    }

    /// `false` if it ends or hangs before.
    fn wait(&self, condition: impl Fn() -> bool) -> bool {
        loop {
            if condition() {
                return true;
            }
            let step = Duration::from_micros(100);
            if self.program.has_ended(step) || self.program.time_left().is_zero() {
                return false;
            }
        }
    }
}
