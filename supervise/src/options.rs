//! What a service directory asks for: the scripts and the little files beside `run`.
//!
//! Read anew at each start, by one look over the directory: a plain one, with nothing but `run`, costs
//! that look and no more. A file that is malformed is warned of, and passed over.
//!
//! | file | content | meaning |
//! | --- | --- | --- |
//! | `start`, `stop`, `notify` | executable | encore's scripts |
//! | `log` | executable regular file | supervise runs it, and `run` writes to it |
//! | `no-setsid` | | encore's rules, but in supervise's own session |
//! | `encore` | | encore's rules without any of the above |
//! | `setsid` | | a session of its own in a plain directory, too |
//! | `notification-fd` | a number, 3 to 65535 | `run` writes a newline there when it is ready |
//! | `timeout-kill` | milliseconds | KILL so long after having been told to end; 0: never |
//! | `down-signal` | name or number | how it is told to end, instead of TERM |
//! | `down-group` | | the whole process group is told; implies `setsid` |
//! | `finish` | executable | run after each end of `run` |
//! | `timeout-finish` | milliseconds, else 5000 | `finish` gets KILL after that; 0: never |
//! | `back-off` | seconds, else 60 | who dies at once is started again later and later, up to that |
//! | `max-restarts` | `N [SECONDS]`, 3600 | more deaths than that within that time are a failure |

mod parse;

use crate::detail::{Failure, How};
use crate::machine::Script;
use crate::status::Want;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use core::time::Duration;
use sys::Errno;
use sys::fs::{self, FileType, Mode, OFlags, RawDir};
use sys::signal::Signal;

/// What a service directory asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The files that there are.
    names: Names,
    /// `notification-fd`.
    pub notification: Option<i32>,
    /// `timeout-kill`.
    pub timeout_kill: Option<Duration>,
    /// `down-signal`.
    pub down_signal: Signal,
    /// `timeout-finish`.
    pub timeout_finish: Option<Duration>,
    /// `back-off`: the longest delay.
    pub back_off: Option<Duration>,
    /// `max-restarts`.
    pub limit: Option<Limit>,
}

/// More deaths than so many within that time are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How many may be: at most [`MOST_DEATHS`].
    pub deaths: u32,
    /// Within which time.
    pub within: Duration,
}

/// No `max-restarts` allows more deaths: each of them is remembered.
pub const MOST_DEATHS: u32 = 1000;

/// A file that says something that it can't mean, or that can't be read.
pub struct Bad {
    /// Its name.
    pub file: &'static CStr,
    /// What it says, as far as it is worth showing; or why it can't be read.
    pub content: Result<Shown, Errno>,
}

/// The beginning of a text, fit for a line of a log.
pub struct Shown {
    line: [u8; 32],
    length: usize,
}

/// A file that means something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum File {
    Start,
    Run,
    Finish,
    Stop,
    Notify,
    Log,
    NoSetsid,
    Encore,
    Setsid,
    NotificationFd,
    TimeoutKill,
    DownSignal,
    DownGroup,
    TimeoutFinish,
    BackOff,
    MaxRestarts,
    Down,
}

/// A set of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Names(u32);

/// No file's content is longer.
const LONGEST: usize = 64;

impl Default for Options {
    fn default() -> Self {
        Self {
            names: Names::default(),
            notification: None,
            timeout_kill: None,
            down_signal: Signal::TERM,
            timeout_finish: Some(Duration::from_secs(5)),
            back_off: None,
            limit: None,
        }
    }
}

impl Options {
    /// Those of the working directory. What is malformed is handed to `bad`, and taken for absent.
    ///
    /// # Errors
    /// The directory can't be read.
    pub fn read(mut bad: impl FnMut(Bad)) -> Result<Self, Errno> {
        let names = survey()?;
        let mut options = Self { names, ..Self::default() };
        let zero_is_never = |time: Duration| Some(time).filter(|time| !time.is_zero());
        if names.has(File::NotificationFd) {
            options.notification = value(File::NotificationFd, parse::descriptor, &mut bad);
        }
        if names.has(File::TimeoutKill) {
            let time = value(File::TimeoutKill, parse::milliseconds, &mut bad);
            options.timeout_kill = time.and_then(zero_is_never);
        }
        if names.has(File::DownSignal) {
            let signal = value(File::DownSignal, parse::signal, &mut bad);
            options.down_signal = signal.unwrap_or(Signal::TERM);
        }
        if names.has(File::TimeoutFinish)
            && let Some(time) = value(File::TimeoutFinish, parse::milliseconds, &mut bad)
        {
            options.timeout_finish = zero_is_never(time);
        }
        if names.has(File::BackOff) {
            options.back_off = value(File::BackOff, parse::back_off, &mut bad);
        }
        if names.has(File::MaxRestarts) {
            options.limit = value(File::MaxRestarts, parse::limit, &mut bad);
        }
        Ok(options)
    }

    /// Whether the directory follows encore's rules.
    #[must_use]
    pub fn is_encore(&self) -> bool {
        [File::Start, File::Stop, File::Notify, File::Log, File::NoSetsid, File::Encore]
            .into_iter()
            .any(|file| self.names.has(file))
    }

    /// Whether what runs gets a session of its own.
    #[must_use]
    pub fn session(&self) -> bool {
        self.names.has(File::Setsid)
            || self.down_group()
            || (self.is_encore() && !self.names.has(File::NoSetsid))
    }

    /// Whether the whole process group is told to end.
    #[must_use]
    pub fn down_group(&self) -> bool {
        self.names.has(File::DownGroup)
    }

    /// Whether there is such a script. A `run` that is missing is an error, which its try will tell;
    /// but not beside a `start`: encore's services may consist of that.
    #[must_use]
    pub fn has(&self, script: Script) -> bool {
        match script {
            Script::Start => self.names.has(File::Start),
            Script::Run => self.names.has(File::Run) || !self.names.has(File::Start),
            Script::Finish => self.names.has(File::Finish),
            Script::Stop => self.names.has(File::Stop),
        }
    }

    /// Whether there is a `notify`.
    #[must_use]
    pub fn notifies(&self) -> bool {
        self.names.has(File::Notify)
    }

    /// Whether there is a `log` for supervise to run.
    #[must_use]
    pub fn has_log(&self) -> bool {
        self.names.has(File::Log)
    }

    /// What the service is to do when its supervise starts: nothing, if there is a file `down`.
    ///
    /// # Errors
    /// Those of stat(2).
    pub fn wanted(&self) -> Result<Want, Errno> {
        if !self.names.has(File::Down) {
            return Ok(Want::Up);
        }
        match fs::stat(File::Down.name()) {
            Ok(_) => Ok(Want::Down),
            // A link that leads nowhere, say.
            Err(Errno::NOENT) => Ok(Want::Up),
            Err(errno) => Err(errno),
        }
    }

    /// Whether the service has failed for good when a script ends like this, and why.
    #[must_use]
    pub fn verdict(&self, script: Script, how: How) -> Option<Failure> {
        match (script, how) {
            (Script::Start, How::Exit(0) | How::Unknown) => None,
            (Script::Start, How::Exit(_) | How::Signal(_)) => Some(Failure::Start),
            (Script::Run, How::Exit(100)) => self.is_encore().then_some(Failure::Exit),
            (Script::Finish, How::Exit(125)) => Some(Failure::Finish),
            (Script::Run | Script::Finish | Script::Stop, _) => None,
        }
    }
}

impl Shown {
    fn new(text: &[u8]) -> Self {
        let mut line = [b'?'; 32];
        for (to, from) in line.iter_mut().zip(text) {
            if (b' '..=b'~').contains(from) {
                *to = *from;
            }
        }
        Self { line, length: text.len().min(32) }
    }

    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.line[..self.length]
    }
}

impl File {
    const ALL: [Self; 17] = [
        Self::Start,
        Self::Run,
        Self::Finish,
        Self::Stop,
        Self::Notify,
        Self::Log,
        Self::NoSetsid,
        Self::Encore,
        Self::Setsid,
        Self::NotificationFd,
        Self::TimeoutKill,
        Self::DownSignal,
        Self::DownGroup,
        Self::TimeoutFinish,
        Self::BackOff,
        Self::MaxRestarts,
        Self::Down,
    ];

    fn name(self) -> &'static CStr {
        match self {
            Self::Start => c"start",
            Self::Run => c"run",
            Self::Finish => c"finish",
            Self::Stop => c"stop",
            Self::Notify => c"notify",
            Self::Log => c"log",
            Self::NoSetsid => c"no-setsid",
            Self::Encore => c"encore",
            Self::Setsid => c"setsid",
            Self::NotificationFd => c"notification-fd",
            Self::TimeoutKill => c"timeout-kill",
            Self::DownSignal => c"down-signal",
            Self::DownGroup => c"down-group",
            Self::TimeoutFinish => c"timeout-finish",
            Self::BackOff => c"back-off",
            Self::MaxRestarts => c"max-restarts",
            Self::Down => c"down",
        }
    }

    /// Whether it counts only as an executable file.
    fn is_script(self) -> bool {
        match self {
            Self::Start | Self::Finish | Self::Stop | Self::Notify | Self::Log => true,
            // A `run` that isn't executable is an error, not a service without one.
            Self::Run
            | Self::NoSetsid
            | Self::Encore
            | Self::Setsid
            | Self::NotificationFd
            | Self::TimeoutKill
            | Self::DownSignal
            | Self::DownGroup
            | Self::TimeoutFinish
            | Self::BackOff
            | Self::MaxRestarts
            | Self::Down => false,
        }
    }
}

impl Names {
    fn has(self, file: File) -> bool {
        self.0 & 1 << file as u32 != 0
    }

    fn with(self, file: File) -> Self {
        Self(self.0 | 1 << file as u32)
    }
}

/// Looks which of the files there are in the working directory.
fn survey() -> Result<Names, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let directory = fs::open(c".", flags, Mode::empty())?;
    let mut buffer = [MaybeUninit::uninit(); 1024];
    let mut entries = RawDir::new(&directory, &mut buffer);
    let mut names = Names::default();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let found = File::ALL.into_iter().find(|file| file.name() == entry.file_name());
        if let Some(file) = found
            && (!file.is_script() || is_executable(file.name(), entry.file_type()))
        {
            names = names.with(file);
        }
    }
    Ok(names)
}

fn is_executable(name: &CStr, kind: FileType) -> bool {
    let any = Mode::XUSR | Mode::XGRP | Mode::XOTH;
    kind != FileType::Directory
        && fs::stat(name).is_ok_and(|stat| {
            FileType::from_raw_mode(stat.st_mode).is_file()
                && Mode::from_raw_mode(stat.st_mode).intersects(any)
        })
}

/// What a file says. One that is gone by now is absent.
fn value<T>(file: File, parse: fn(&[u8]) -> Option<T>, bad: &mut impl FnMut(Bad)) -> Option<T> {
    let mut bytes = [0; LONGEST];
    let length = match content(file.name(), &mut bytes) {
        Ok(length) => length,
        Err(Errno::NOENT) => return None,
        Err(errno) => {
            bad(Bad { file: file.name(), content: Err(errno) });
            return None;
        }
    };
    let text = bytes[..length].trim_ascii();
    let parsed = if length < LONGEST { parse(text) } else { None };
    if parsed.is_none() {
        bad(Bad { file: file.name(), content: Ok(Shown::new(text)) });
    }
    parsed
}

fn content(name: &CStr, bytes: &mut [u8]) -> Result<usize, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::open(name, flags, Mode::empty())?;
    let mut length = 0;
    while length < bytes.len() {
        match sys::read(&file, &mut bytes[length..])? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOWS: [How; 5] =
        [How::Exit(0), How::Exit(1), How::Exit(100), How::Signal(15), How::Unknown];

    fn with(files: &[File]) -> Options {
        let names = files.iter().fold(Names::default(), |names, file| names.with(*file));
        Options { names, ..Options::default() }
    }

    #[test]
    fn each_file_has_a_bit_of_its_own() {
        for (bit, file) in File::ALL.into_iter().enumerate() {
            assert_eq!(with(&[file]).names, Names(1 << bit));
        }
    }

    #[test]
    fn a_plain_directory_is_plain() {
        let plain = with(&[File::Run, File::Finish, File::TimeoutKill, File::BackOff, File::Down]);
        assert!(!plain.is_encore() && !plain.session() && !plain.has_log() && !plain.notifies());
        assert!(HOWS.into_iter().all(|how| plain.verdict(Script::Run, how).is_none()));
        assert!(plain.has(Script::Run) && !plain.has(Script::Start) && plain.has(Script::Finish));
        assert!(Options::default().has(Script::Run), "missing, and to be complained of");
    }

    #[test]
    fn encores_rules() {
        for file in [File::Start, File::Stop, File::Notify, File::Log, File::NoSetsid, File::Encore]
        {
            let options = with(&[File::Run, file]);
            assert!(options.is_encore());
            assert_eq!(options.session(), file != File::NoSetsid);
            assert_eq!(options.verdict(Script::Run, How::Exit(100)), Some(Failure::Exit));
            assert_eq!(options.verdict(Script::Run, How::Exit(1)), None);
        }
        assert!(with(&[File::NoSetsid, File::DownGroup]).session());
        assert!(with(&[File::NoSetsid, File::Setsid]).session());
        assert!(!with(&[File::Start]).has(Script::Run), "a service without `run`");
    }

    #[test]
    fn what_is_a_failure() {
        let options = with(&[File::Start]);
        let failing = |script| HOWS.map(|how| options.verdict(script, how));
        let start = Some(Failure::Start);
        assert_eq!(failing(Script::Start), [None, start, start, start, None]);
        assert_eq!(failing(Script::Stop), [None; 5]);
        assert_eq!(failing(Script::Finish), [None; 5]);
        let finish = options.verdict(Script::Finish, How::Exit(125));
        assert_eq!(finish, Some(Failure::Finish));
    }

    #[test]
    fn only_what_is_fit_is_shown() {
        assert_eq!(Shown::new(b"a\n\x1b\xff").as_bytes(), b"a???");
        assert_eq!(Shown::new(&[b'x'; 99]).as_bytes(), [b'x'; 32]);
    }
}
