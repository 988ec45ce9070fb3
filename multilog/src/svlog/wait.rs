//! Waiting for a log to get more.

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
use core::time::Duration;
use sys::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use sys::poll::{PollFd, PollFlags, poll};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// How often to look at what tells when it changes: a directory may be put in place of another, and a file system of
/// the network tells nothing.
const NOW_AND_THEN: Duration = Duration::from_secs(5);

/// How often to look at what can't be watched.
const OFTEN: Duration = Duration::from_millis(500);

/// Lines are written, and files made, renamed and removed. (That the directory itself is removed isn't told as long as it is
/// held open, and where another one is made, nobody watches.)
const CHANGES: WatchFlags = WatchFlags::MODIFY
    .union(WatchFlags::CREATE)
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::DELETE_SELF)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR);

/// Directories that are watched.
pub(crate) struct Wait {
    paths: Vec<CString>,
    watch: Option<OwnedFd>,
    is_whole: bool,
}

impl Wait {
    /// From now on, what happens in these directories ends a wait.
    pub(crate) fn new(paths: Vec<CString>) -> Self {
        let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        let mut wait = Self { paths, watch, is_whole: false };
        wait.watch_all();
        wait
    }

    /// A directory that is watched already stays so.
    fn watch_all(&mut self) {
        let Some(watch) = &self.watch else { return };
        let is_watched =
            |path: &&CString| inotify::add_watch(watch, path.as_c_str(), CHANGES).is_ok();
        self.is_whole =
            self.paths.iter().filter(|path| is_watched(path)).count() == self.paths.len();
    }

    /// Waits until there may be something new; not for long if `a_log_has_moved`, or isn't there, so that its
    /// coming may not be told. Gives whether somebody still reads the output.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub(crate) fn wait(
        &mut self,
        output: BorrowedFd<'_>,
        a_log_has_moved: bool,
    ) -> Result<bool, Errno> {
        if a_log_has_moved {
            self.watch_all();
        }
        let output = PollFd::from_borrowed_fd(output, PollFlags::empty());
        let mut fds = [output.clone(), output];
        let count = 1 + usize::from(self.watch.is_some());
        if let Some(watch) = &self.watch {
            fds[1] = PollFd::from_borrowed_fd(watch.as_fd(), PollFlags::IN);
        }
        let timeout = if self.is_whole && !a_log_has_moved { NOW_AND_THEN } else { OFTEN };
        let ready = match poll(&mut fds[..count], Some(timeout), None) {
            Ok(ready) => ready,
            Err(Errno::INTR) => 0,
            Err(errno) => return Err(errno),
        };
        let is_read = !fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP);
        if self.was_lost() || ready == 0 {
            self.watch_all();
        }
        Ok(is_read)
    }

    /// Takes note of what has happened: whether a directory isn't watched any more.
    fn was_lost(&self) -> bool {
        let Some(watch) = &self.watch else { return false };
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(watch, &mut buffer);
        let mut lost = false;
        loop {
            match events.next() {
                Ok(event) => {
                    let gone = ReadFlags::IGNORED | ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF;
                    lost |= event.events().intersects(gone);
                }
                Err(Errno::INTR) => {}
                Err(_) => return lost,
            }
        }
    }
}
