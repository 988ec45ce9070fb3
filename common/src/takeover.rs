//! Upgrade in place: a resident program is replaced by a newer one that goes on where it was, in the
//! same process. Its children stay its children, and the descriptors that it hands over (locks, FIFOs,
//! pipes) are never closed.
//!
//! The old program writes its state ([`state`]) to a memfd, whose descriptor both programs inherit.
//! It starts the new one as a child, with `--take-over=check:FD` before the usual arguments, and waits
//! at most [`PATIENCE`]: that reads the state, looks whether it could go on from there, and exits 0 if
//! so. Only then the old program gives way to the new one, with `--take-over=FD`. If anything goes
//! wrong before that, the old one has its descriptors as they were, and is told why.
//!
//! # The old program
//! ```text
//! let (origin, received) = takeover::begin(NAME, VERSION, args, env)?;   // first of all
//! ...
//! let refused = origin.hand_over(&state);   // comes back only if it didn't work
//! refused.warn(NAME);
//! ```
//!
//! # The new program
//! It finds the state in `received`, takes possession of its descriptors, and says `Exit::OK` if it
//! was only asked whether it could ([`Kind::Check`]); nothing must be changed until then, the files
//! of the old program least of all. The working directory is the one that the old program had, so
//! arguments that were relative to the first one mean nothing any more.
//!
//! Signals that are blocked stay blocked through all of this, and those that arrive meanwhile are
//! pending when the new program begins; [`Origin::mask`] is the mask of the time before.

pub mod state;

use crate::diagnostic::{Exit, Failure, Name};
use crate::number::decimal;
use crate::reason::reason;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use core::time::Duration;
use state::{Reader, Tag, Writer};
use sys::exec::Program;
use sys::fd::AsRawFd;
use sys::fs::MemfdFlags;
use sys::io::FdFlags;
use sys::poll::{PollFd, PollFlags, poll};
use sys::process::{Pid, PidfdFlags, Signal, WaitOptions, WaitStatus};
use sys::signal::SignalSet;
use sys::spawn::{Spawn, SpawnError};
use sys::{Args, AsFd, BorrowedFd, Env, Errno, OwnedFd, Vector};

/// How long the new program may take to say whether it can take over.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How long a program that was killed may take to be gone; its reaping is left to others then.
const DYING: Duration = Duration::from_secs(1);

/// How often to look where the system has no process descriptors.
const STEP: Duration = Duration::from_millis(20);

const OPTION: &[u8] = b"--take-over=";
const CHECK: &[u8] = b"check:";

/// What a state begins with.
const MAGIC: &[u8; 8] = b"TAKEOVER";

/// No state is longer: a thousand services take less than 100 kB.
const LONGEST: u64 = 64 << 20;

const PROGRAM: Tag = 1;
const VERSION: Tag = 2;
const PLACE: Tag = 3;
const MASK: Tag = 4;
const STATE: Tag = 5;

/// How this program was started, at first: what its successor is started with.
pub struct Origin {
    name: Name,
    version: u32,
    args: Args,
    env: Env,
    mask: SignalSet,
    /// `argv[0]`; made absolute if it is a path, since programs change their directory.
    place: CString,
}

/// What a predecessor has handed over.
pub struct Received {
    /// What is to be done with it.
    pub kind: Kind,
    /// The version of the program that wrote it, as it gave it to [`begin`]; at most our own.
    pub version: u32,
    state: Vec<u8>,
}

/// What is asked of the new program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Whether it could take over: exit 0 if so.
    Check,
    /// To take over.
    Take,
}

/// Why the successor didn't take over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    place: Vec<u8>,
    /// The reason.
    pub why: Why,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The state couldn't be put down, or a descriptor not be handed over.
    State(Errno),
    /// The program couldn't be run.
    Run(Errno),
    /// Asked whether it could take over, it exited with this code.
    Exited(i32),
    /// Asked whether it could take over, it was ended by this signal.
    Killed(i32),
    /// It didn't answer within [`PATIENCE`].
    Slow,
}

/// Looks whether the program is asked to take over from a predecessor. `version` is that of the
/// states that it writes. To be called first of all, before the mask or the directory are changed.
///
/// # Errors
/// Exit code 111: what was handed over can't be read, or is another program's or a later version's.
pub fn begin(
    name: Name,
    version: u32,
    args: Args,
    env: Env,
) -> Result<(Origin, Option<Received>), Failure> {
    let Some((kind, number)) = args.get(1).and_then(asked) else {
        let place = place(args.get(0).unwrap_or_default());
        let mask = sys::signal::mask();
        return Ok((Origin { name, version, args, env, mask, place }, None));
    };
    let unable = |why: &[u8]| name.fatal(Exit::TEMPORARY.0, &[b"unable to take over: ", why]);
    let fd = sys::adopt(number).ok_or_else(|| unable(b"no state was handed over"))?;
    let bytes = read_whole(&fd).map_err(|errno| unable(reason(errno).as_bytes()))?;
    let malformed = || unable(b"malformed state");
    let header = bytes.strip_prefix(MAGIC).and_then(|bytes| Reader::new(bytes).ok());
    let header = header.ok_or_else(malformed)?;
    if header.bytes(PROGRAM) != Some(name.0.as_bytes()) {
        return Err(unable(b"another program's state"));
    }
    let theirs = header.number(VERSION).ok().flatten().ok_or_else(malformed)?;
    let theirs = u32::try_from(theirs).ok().filter(|theirs| *theirs <= version);
    let Some(theirs) = theirs else { return Err(unable(b"a later version's state")) };
    let place = header.bytes(PLACE).and_then(|place| CString::new(place).ok());
    let mask = header.number(MASK).ok().flatten().ok_or_else(malformed)?;
    let state = header.bytes(STATE).ok_or_else(malformed)?.to_vec();
    let others = args.iter().take(1).chain(args.tail(2).iter()).map(CString::from);
    let origin = Origin {
        name,
        version,
        args: Args::new(others.collect()),
        env,
        mask: SignalSet::from_bits(mask),
        place: place.ok_or_else(malformed)?,
    };
    Ok((origin, Some(Received { kind, version: theirs, state })))
}

impl Received {
    /// The predecessor's state.
    ///
    /// # Errors
    /// It is malformed: not even its outermost record is whole.
    pub fn state(&self) -> Result<Reader<'_>, state::Malformed> {
        Reader::new(&self.state)
    }
}

impl Origin {
    /// The arguments as they were at first.
    #[must_use]
    pub fn args(&self) -> Args {
        self.args
    }

    /// The environment.
    #[must_use]
    pub fn env(&self) -> Env {
        self.env
    }

    /// The mask of blocked signals that the first one of us was started with.
    #[must_use]
    pub fn mask(&self) -> SignalSet {
        self.mask
    }

    /// Has the program that is installed now take over in this process, with this state. Children
    /// that end meanwhile are left to be reaped.
    ///
    /// Comes back only if that didn't work; then everything is as it was.
    pub fn hand_over(&self, state: &Writer<'_>) -> Refused {
        let Err(why) = self.attempt(state);
        Refused { place: self.place.to_bytes().to_vec(), why }
    }

    fn attempt(&self, state: &Writer<'_>) -> Result<core::convert::Infallible, Why> {
        let memory = self.put_down(state).map_err(Why::State)?;
        let handed: Vec<BorrowedFd<'_>> =
            state.descriptors().iter().copied().chain([memory.as_fd()]).collect();
        let lent = Lent::new(&handed).map_err(Why::State)?;
        let program = Program::find(&self.place, self.env.get(b"PATH"));
        let number = memory.as_raw_fd().unsigned_abs();
        self.check(&program, number)?;
        let option = option(b"", number);
        let errno = program.exec(&self.vector(&option), &self.env.vector());
        drop(lent);
        Err(Why::Run(errno))
    }

    fn put_down(&self, state: &Writer<'_>) -> Result<OwnedFd, Errno> {
        let memory = sys::fs::memfd_create(c"state", MemfdFlags::CLOEXEC)?;
        // Started without standard streams, we mustn't hand it over as one.
        let memory = sys::io::fcntl_dupfd_cloexec(memory, 3)?;
        let mut header = Writer::default();
        header.bytes(PROGRAM, self.name.0.as_bytes());
        header.number(VERSION, u64::from(self.version));
        header.bytes(PLACE, self.place.to_bytes());
        header.number(MASK, self.mask.bits());
        header.bytes(STATE, state.as_bytes());
        sys::write_all(&memory, MAGIC)?;
        sys::write_all(&memory, header.as_bytes())?;
        Ok(memory)
    }

    /// Asks the new program whether it could take over.
    fn check(&self, program: &Program, number: u32) -> Result<(), Why> {
        let option = option(CHECK, number);
        let (args, env) = (self.vector(&option), self.env.vector());
        let mask = sys::signal::mask();
        let spawn = Spawn { mask, ..Spawn::new(program, &args, &env) };
        let pid = spawn.start().map_err(|error| Why::Run(SpawnError::errno(error)))?;
        let Some(status) = end_of(pid, PATIENCE) else {
            let _ = sys::process::kill_process(pid, Signal::KILL);
            let _ = end_of(pid, DYING);
            return Err(Why::Slow);
        };
        match (status.exit_status(), status.terminating_signal()) {
            (Some(0), _) => Ok(()),
            (Some(code), _) => Err(Why::Exited(code)),
            (None, signal) => Err(Why::Killed(signal.unwrap_or(0))),
        }
    }

    fn vector<'a>(&self, option: &'a CStr) -> Vector<'a> {
        let mut all: Vec<&'a CStr> = self.args.iter().collect();
        all.insert(all.len().min(1), option);
        all.into_iter().collect()
    }
}

impl Refused {
    /// Warns that `program` goes on as it is, and why.
    pub fn warn(&self, program: Name) {
        let (text, errno): (&[u8], _) = match self.why {
            Why::State(errno) => (b"unable to hand over to ", Some(errno)),
            Why::Run(errno) => (b"unable to run ", Some(errno)),
            Why::Exited(_) | Why::Killed(_) | Why::Slow => (b"unable to hand over to ", None),
        };
        let code = |code: i32| decimal(u64::from(code.unsigned_abs()));
        let why = match (errno, self.why) {
            (Some(errno), _) => reason(errno).as_bytes().to_vec(),
            (None, Why::Exited(number)) => {
                [b"it can't take over: exit code ", code(number).as_bytes()].concat()
            }
            (None, Why::Killed(number)) => {
                [b"it can't take over: ended by signal ", code(number).as_bytes()].concat()
            }
            (None, Why::Slow | Why::State(_) | Why::Run(_)) => b"it doesn't answer".to_vec(),
        };
        program.warn(&[text, &self.place, b": ", &why, b", going on as before"]);
    }
}

/// Descriptors that are handed over, until this is dropped.
struct Lent<'a>(&'a [BorrowedFd<'a>]);

impl<'a> Lent<'a> {
    fn new(descriptors: &'a [BorrowedFd<'a>]) -> Result<Self, Errno> {
        let lent = Self(descriptors);
        lent.set(FdFlags::empty())?;
        Ok(lent)
    }

    fn set(&self, flags: FdFlags) -> Result<(), Errno> {
        self.0.iter().try_for_each(|fd| sys::io::fcntl_setfd(fd, flags))
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        // What could be changed once can be changed back.
        let _ = self.set(FdFlags::CLOEXEC);
    }
}

/// Waits for the end of this child, and of no other; `None` if it doesn't end in time.
fn end_of(pid: Pid, patience: Duration) -> Option<WaitStatus> {
    let deadline = sys::clock::monotonic() + patience;
    let descriptor = sys::process::pidfd_open(pid, PidfdFlags::empty()).ok();
    loop {
        match sys::process::waitpid(Some(pid), WaitOptions::NOHANG) {
            Ok(Some((_, status))) => return Some(status),
            Ok(None) | Err(Errno::INTR) => {}
            Err(_) => return None,
        }
        let left = deadline.saturating_sub(sys::clock::monotonic());
        if left.is_zero() {
            return None;
        }
        // A failure to wait only means to look sooner.
        let _ = match &descriptor {
            Some(fd) => poll(&mut [PollFd::new(fd, PollFlags::IN)], Some(left), None),
            None => poll(&mut [], Some(left.min(STEP)), None),
        };
    }
}

/// What an argument asks, and the number of the state's descriptor.
fn asked(argument: &CStr) -> Option<(Kind, i32)> {
    let rest = argument.to_bytes().strip_prefix(OPTION)?;
    let (kind, number) = match rest.strip_prefix(CHECK) {
        Some(number) => (Kind::Check, number),
        None => (Kind::Take, rest),
    };
    // What is no number is no descriptor that could have been handed over.
    let number = core::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
    Some((kind, number.unwrap_or(-1)))
}

fn option(kind: &[u8], number: u32) -> CString {
    let number = decimal(u64::from(number));
    CString::new([OPTION, kind, number.as_bytes()].concat()).unwrap_or_default()
}

/// Where the program is, also when the working directory is another one. What is found in PATH is
/// looked for there again.
fn place(name: &CStr) -> CString {
    let bytes = name.to_bytes();
    if bytes.starts_with(b"/") || !bytes.contains(&b'/') {
        return name.into();
    }
    let Ok(directory) = sys::process::getcwd(Vec::new()) else { return name.into() };
    CString::new([directory.to_bytes(), b"/", bytes].concat()).unwrap_or_else(|_| name.into())
}

/// All that the memory holds. Both programs have the same descriptor, so its position isn't moved.
fn read_whole(memory: &OwnedFd) -> Result<Vec<u8>, Errno> {
    let size = u64::try_from(sys::fs::fstat(memory)?.st_size).unwrap_or(0);
    if size > LONGEST {
        return Err(Errno::FBIG);
    }
    let mut bytes = alloc::vec![0; usize::try_from(size).unwrap_or(0)];
    let length = sys::read_whole_at(memory, &mut bytes, 0)?;
    bytes.truncate(length);
    Ok(bytes)
}

#[cfg(test)]
mod tests;
