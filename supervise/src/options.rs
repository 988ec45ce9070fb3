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

mod files;
mod parse;
mod value;

use crate::detail::{Failure, How};
use crate::machine::Script;
use crate::status::Want;
use core::time::Duration;
use files::{File, Names, survey};
use sys::signal::Signal;
use sys::{Errno, fs};
use value::value;

pub use value::{Bad, Shown};

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
}
