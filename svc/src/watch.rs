//! Being told when something changes in many service directories, by one inotify descriptor: two
//! watches a directory, no descriptor each.
//!
//! It works with every supervise: 0.76's and ours rename a new status into place, daemontools-encore's
//! writes it anew; our details are rewritten; and a supervise that ends closes its `ok`. What
//! inotify can't tell (no watch to be had, a `supervise/` that isn't there yet), [`Again`] finds out.

use alloc::vec::Vec;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use core::time::Duration;
use supervise::place::{File, Place};
use sys::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// Watches of service directories, each of which is known by a number of the caller's.
pub(crate) struct Watch {
    fd: OwnedFd,
    /// Each watch with each directory that it is for, in order. (Several names may lead to one.)
    whose: Vec<(i32, usize)>,
}

/// What has happened to a service directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// A status was published.
    Status,
    /// Something else has changed.
    Other,
    /// A supervise is about to be gone: it lets go of its `ok` in a moment.
    Leaving,
    /// A watch is lost: it wants a new one.
    Lost,
}

impl Watch {
    /// # Errors
    /// There is no inotify instance to be had: as `inotify_init1(2)`.
    pub(crate) fn new() -> Result<Self, Errno> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { fd, whose: Vec::new() })
    }

    /// Watches the service in the working directory. A watch that is there already stays.
    ///
    /// # Errors
    /// Not all of it can be watched, so that it must be looked at now and then.
    pub(crate) fn add(&mut self, number: usize, place: &Place) -> Result<(), Errno> {
        let files = WatchFlags::MOVED_TO
            | WatchFlags::MODIFY
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        match self.add_path(number, &place.directory(), files) {
            Err(Errno::NOENT) if !place.directory().to_bytes().contains(&b'/') => {
                let coming = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONESHOT;
                return self.add_path(number, c".", coming);
            }
            result => result?,
        }
        // Only a supervise opens it for reading; we and our like knock, by opening it for writing.
        self.add_path(number, &place.path(File::Ok), WatchFlags::CLOSE_NOWRITE)
    }

    fn add_path(&mut self, number: usize, path: &CStr, flags: WatchFlags) -> Result<(), Errno> {
        let watch = inotify::add_watch(&self.fd, path, flags)?;
        if let Err(place) = self.whose.binary_search(&(watch, number)) {
            self.whose.insert(place, (watch, number));
        }
        Ok(())
    }

    /// Tells all that has happened since it was last asked, without waiting. `None` is every directory:
    /// the kernel had to leave something out.
    pub(crate) fn news(&mut self, mut tell: impl FnMut(Option<usize>, News)) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.fd, &mut buffer);
        loop {
            match events.next() {
                Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => {
                    tell(None, News::Status);
                }
                Ok(event) => {
                    let Some(news) = meaning(event.events(), event.file_name()) else { continue };
                    let first = self.whose.partition_point(|(watch, _)| *watch < event.wd());
                    let after = self.whose.partition_point(|(watch, _)| *watch <= event.wd());
                    self.whose[first..after]
                        .iter()
                        .for_each(|(_, number)| tell(Some(*number), news));
                    if event.events().contains(ReadFlags::IGNORED) {
                        self.whose.drain(first..after);
                    }
                }
                Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// What an event means; `None` for one that means nothing: a status that isn't in place yet, letters
/// in the control FIFO.
fn meaning(events: ReadFlags, name: Option<&CStr>) -> Option<News> {
    if events.intersects(ReadFlags::IGNORED | ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF) {
        return Some(News::Lost);
    }
    if events.contains(ReadFlags::CLOSE_NOWRITE) {
        return Some(News::Leaving);
    }
    match name.map(CStr::to_bytes) {
        Some(b"status") => Some(News::Status),
        Some(b"status.new" | b"control" | b"process" | b"logpipe" | b"lock") => None,
        _ => Some(News::Other),
    }
}

/// When to look again though nothing is told: soon, then less and less often, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Again {
    due: Duration,
    step: Duration,
    end: Duration,
}

impl Again {
    const FIRST: Duration = Duration::from_millis(1);
    const LAST: Duration = Duration::from_secs(1);

    /// From now on, for so long.
    pub(crate) fn new(now: Duration, long: Duration) -> Self {
        Self { due: now + Self::FIRST, step: Self::FIRST, end: now.saturating_add(long) }
    }

    /// When the next look is due.
    pub(crate) fn due(self) -> Duration {
        self.due
    }

    /// After a look that was due; `None` when the while is over.
    #[must_use]
    pub(crate) fn next(self, now: Duration) -> Option<Self> {
        let step = (self.step * 2).min(Self::LAST);
        (now < self.end).then(|| Self { due: (now + step).min(self.end), step, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_in_place_is_news() {
        let news = |events, name: &'static CStr| meaning(events, Some(name));
        assert_eq!(news(ReadFlags::MOVED_TO, c"status"), Some(News::Status));
        assert_eq!(news(ReadFlags::MODIFY, c"status"), Some(News::Status));
        assert_eq!(news(ReadFlags::MODIFY, c"detail"), Some(News::Other));
        assert_eq!(news(ReadFlags::MODIFY, c"status.new"), None);
        assert_eq!(news(ReadFlags::MODIFY, c"control"), None);
        assert_eq!(news(ReadFlags::CREATE, c"supervise"), Some(News::Other));
        assert_eq!(meaning(ReadFlags::CLOSE_NOWRITE, None), Some(News::Leaving));
        assert_eq!(meaning(ReadFlags::IGNORED, None), Some(News::Lost));
    }

    #[test]
    fn looks_get_rarer_and_end() {
        let mut again = Some(Again::new(Duration::ZERO, Duration::from_secs(10)));
        let mut looks = Vec::new();
        while let Some(next) = again {
            looks.push(next.due().as_millis());
            again = next.next(next.due());
        }
        assert_eq!(looks[..5], [1, 3, 7, 15, 31]);
        assert_eq!(looks.last(), Some(&10_000));
        assert!(looks.len() < 25 && looks.windows(2).all(|pair| pair[1] - pair[0] <= 1_000));
    }
}
