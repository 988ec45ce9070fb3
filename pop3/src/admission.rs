//! Who may have a session now: with `POP3LOCK`, one at a time; with `POP3LOGINDELAY`, one in so many
//! seconds (RFC 2449, sections 8.1.1 and 8.1.2).
//!
//! The lock is one of flock(2) on the Maildir itself, so there is no file that may be left behind, and no
//! delivery is held up. When the last session began is the time of modification of
//! `qmail-pop3d.login` in the Maildir, an empty file.

use core::ffi::CStr;
use core::time::Duration;
use sys::fs::{
    AtFlags, FileType, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, openat, statat,
    utimensat,
};
use sys::{BorrowedFd, Env, Errno, OwnedFd};

/// What tells when the last session began.
const LOGIN: &CStr = c"qmail-pop3d.login";

/// What is asked of a session before it begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Admission {
    /// There is only one at a time: `POP3LOCK` is set, and isn't empty.
    pub exclusive: bool,
    /// So long after the beginning of the last one: `POP3LOGINDELAY`.
    pub delay: Option<Duration>,
}

/// Why there is no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is another one.
    InUse,
    /// The last one began a moment ago.
    TooSoon,
    /// There is no telling whether there is another one.
    Unlockable(Errno),
}

impl Admission {
    /// What the environment asks for, and `login_delay`, in seconds.
    #[must_use]
    pub fn from_env(env: Env, login_delay: Option<u64>) -> Self {
        Self {
            exclusive: env.get(b"POP3LOCK").is_some_and(|value| !value.is_empty()),
            delay: login_delay.map(Duration::from_secs),
        }
    }

    /// Lets a session begin at `now`, since 1970, or not. What is given is the lock: it is held for as
    /// long as it is kept.
    ///
    /// # Errors
    /// There is to be none.
    pub fn admit(
        &self,
        maildir: BorrowedFd<'_>,
        now: Duration,
    ) -> Result<Option<OwnedFd>, Refusal> {
        let lock = match self.exclusive {
            false => None,
            true => Some(lock(maildir)?),
        };
        if let Some(delay) = self.delay {
            if last(maildir).is_some_and(|last| last <= now && now - last < delay) {
                return Err(Refusal::TooSoon);
            }
            note(maildir);
        }
        Ok(lock)
    }
}

fn lock(maildir: BorrowedFd<'_>) -> Result<OwnedFd, Refusal> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let lock = openat(maildir, c".", flags, Mode::empty()).map_err(Refusal::Unlockable)?;
    match sys::lock(&lock, Duration::ZERO) {
        Ok(()) => Ok(lock),
        Err(Errno::WOULDBLOCK) => Err(Refusal::InUse),
        Err(errno) => Err(Refusal::Unlockable(errno)),
    }
}

/// When the last session began.
fn last(maildir: BorrowedFd<'_>) -> Option<Duration> {
    let stat = statat(maildir, LOGIN, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let is_file = FileType::from_raw_mode(stat.st_mode).is_file();
    let nanoseconds = u32::try_from(stat.st_mtime_nsec).ok()?;
    is_file.then_some(Duration::new(u64::try_from(stat.st_mtime).ok()?, nanoseconds))
}

/// Notes that one begins. Where that can't be, because of a full disk for example, nobody is kept from
/// their mail.
fn note(maildir: BorrowedFd<'_>) {
    let time = |nanoseconds| Timespec { tv_sec: 0, tv_nsec: nanoseconds };
    let now = Timestamps { last_access: time(UTIME_OMIT), last_modification: time(UTIME_NOW) };
    if utimensat(maildir, LOGIN, &now, AtFlags::SYMLINK_NOFOLLOW) == Err(Errno::NOENT) {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let _ = openat(maildir, LOGIN, flags, Mode::RUSR | Mode::WUSR);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use std::time::SystemTime;
    use std::{env, format, fs, process, vec};

    struct Directory(PathBuf, fs::File);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = env::temp_dir().join(format!("pop3-{name}.{}", process::id()));
            fs::create_dir_all(&path).unwrap();
            let file = fs::File::open(&path).unwrap();
            Self(path, file)
        }

        fn admit(&self, admission: Admission, now: Duration) -> Result<Option<OwnedFd>, Refusal> {
            admission.admit(sys::borrow(std::os::fd::AsRawFd::as_raw_fd(&self.1)).unwrap(), now)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn what_the_environment_says() {
        let with = |entry: &CStr| Admission::from_env(Env::new(vec![entry.to_owned()]), Some(7));
        let delay = Some(Duration::from_secs(7));
        assert_eq!(with(c"POP3LOCK=1"), Admission { exclusive: true, delay });
        assert_eq!(with(c"POP3LOCK="), Admission { exclusive: false, delay });
        assert_eq!(Admission::from_env(Env::new(vec![]), None), Admission::default());
    }

    #[test]
    fn one_at_a_time() {
        let directory = Directory::new("exclusive");
        let exclusive = Admission { exclusive: true, delay: None };
        let lock = directory.admit(exclusive, Duration::ZERO).unwrap();
        assert!(lock.is_some());
        assert_eq!(directory.admit(exclusive, Duration::ZERO).unwrap_err(), Refusal::InUse);
        // Who doesn't ask for it isn't kept away.
        assert!(directory.admit(Admission::default(), Duration::ZERO).unwrap().is_none());
        drop(lock);
        assert!(directory.admit(exclusive, Duration::ZERO).is_ok());
        assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 0);
    }

    #[test]
    fn one_in_so_many_seconds() {
        let directory = Directory::new("delay");
        let slow = Admission { exclusive: false, delay: Some(Duration::from_secs(60)) };
        let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert!(directory.admit(slow, now()).is_ok());
        let soon = now() + Duration::from_secs(50);
        assert_eq!(directory.admit(slow, soon).unwrap_err(), Refusal::TooSoon);
        // A refusal isn't a login; a minute later there is one.
        assert!(directory.admit(slow, now() + Duration::from_secs(61)).is_ok());
        assert_eq!(directory.admit(slow, soon).unwrap_err(), Refusal::TooSoon);
        // A time that is yet to come means nothing.
        assert!(directory.admit(slow, Duration::from_secs(9)).is_ok());
        let file = directory.0.join("qmail-pop3d.login");
        assert_eq!(fs::metadata(&file).unwrap().len(), 0);
        // What isn't a file doesn't either, and isn't followed.
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", &file).unwrap();
        assert!(directory.admit(slow, now()).is_ok());
        assert!(directory.admit(slow, now()).is_ok());
    }
}
