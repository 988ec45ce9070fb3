//! Being told at once that something changed. Where inotify doesn't work, the regular scans have to do.
//!
//! Watched are the scan directory; what counts on the ways that its links lead ([`crate::trail`]); the locks that others hold; and what the chosen service's supervise writes. What inotify can't see is
//! a change that another host makes on a shared file system (there, [`Watch::is_complete`] says no), a file system that is
//! mounted over a service directory, and permissions that are changed on the way to one: the next regular scan sees them.

use crate::trail::{Step, Walker};
use alloc::collections::BTreeMap;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use sys::fs::CWD;
use sys::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use sys::{AsFd, BorrowedFd, Errno, OwnedFd};

/// What has happened since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Something happened: a scan may find something.
    pub any: bool,
    /// Directories that were made in place in the scan directory, and may not be finished yet.
    pub made: Vec<CString>,
    /// A directory was made where a link leads, likewise.
    pub made_behind: bool,
    /// The chosen service's supervise has written something.
    pub chosen: bool,
}

/// An inotify descriptor, and what it watches.
pub struct Watch {
    fd: OwnedFd,
    scan: i32,
    chosen: Option<i32>,
    /// The ways of links, by watch descriptor: hashes of the names that count there.
    behind: BTreeMap<i32, Vec<u64>>,
    complete: bool,
}

/// An entry of a directory becomes another one.
const ENTRIES: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE);

/// A directory goes elsewhere.
const ITSELF: WatchFlags = WatchFlags::MOVE_SELF.union(WatchFlags::ONLYDIR);

impl Watch {
    /// Watches the working directory.
    ///
    /// # Errors
    /// As `inotify_init1(2)` and `inotify_add_watch(2)`.
    pub fn new() -> Result<Self, Errno> {
        let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let scan = inotify::add_watch(&fd, c".", ENTRIES | ITSELF)?;
        Ok(Self { fd, scan, chosen: None, behind: BTreeMap::new(), complete: !is_shared(c".") })
    }

    /// Watches the ways on which these entries of the scan directory lead to service directories, and nothing else.
    pub fn follow<'a>(&mut self, entries: impl Iterator<Item = &'a CStr>) {
        let mut walker = Walker::default();
        let mut places: BTreeMap<Vec<u8>, Vec<u64>> = BTreeMap::new();
        let mut complete = !is_shared(c".");
        for name in entries {
            let readlink =
                |path: &[u8]| sys::fs::readlinkat(CWD, path, Vec::new()).map(CString::into_bytes);
            let step = |step: Step<'_>| {
                let (at, name) = match step {
                    Step::Entry(at, name) => (at, Some(name)),
                    Step::Through(at) => (at, None),
                };
                if !at.is_empty() && !places.contains_key(at) {
                    places.insert(at.to_vec(), Vec::new());
                }
                if let (Some(names), Some(name)) = (places.get_mut(at), name) {
                    names.push(hash(name));
                }
            };
            complete &= walker.walk(name.to_bytes(), readlink, step).is_ok();
        }
        let mut behind: BTreeMap<i32, Vec<u64>> = BTreeMap::new();
        for (place, names) in places {
            match self.add(place, !names.is_empty()) {
                Some(watch) => behind.entry(watch).or_default().extend(names),
                None => complete = false,
            }
        }
        for names in behind.values_mut() {
            names.sort_unstable();
            names.dedup();
        }
        for left in self.behind.keys().filter(|watch| !behind.contains_key(watch)) {
            if *left != self.scan && Some(*left) != self.chosen {
                let _ = inotify::remove_watch(&self.fd, *left);
            }
        }
        self.behind = behind;
        self.complete = complete;
    }

    /// Whether every change of a way to a service directory is told of.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    fn add(&self, directory: Vec<u8>, entries: bool) -> Option<i32> {
        let path = CString::new(directory).ok()?;
        if is_shared(&path) {
            return None;
        }
        // The same directory may be reached by several paths.
        let flags = if entries { ENTRIES | ITSELF } else { ITSELF } | WatchFlags::MASK_ADD;
        inotify::add_watch(&self.fd, path, flags).ok()
    }

    /// Has it tell, once, when a supervise that isn't ours lets go of its lock at this path.
    ///
    /// Who watches the lock is woken when any writer closes it; who only probes it (we do) opens it for reading.
    pub fn lock(&self, path: &CStr) {
        // Without it, the next regular scan finds out.
        let _ = inotify::add_watch(&self.fd, path, WatchFlags::CLOSE_WRITE | WatchFlags::ONESHOT);
    }

    /// Has it tell when the chosen service's supervise writes to its directory.
    pub fn choose(&mut self, directory: &CStr) {
        let flags = WatchFlags::MOVED_TO | WatchFlags::MODIFY | WatchFlags::ONLYDIR;
        self.chosen = inotify::add_watch(&self.fd, directory, flags).ok();
    }

    /// Whether it tells.
    #[must_use]
    pub fn is_choosing(&self) -> bool {
        self.chosen.is_some()
    }

    /// Reads all that has happened.
    pub fn news(&self) -> News {
        let mut news = News::default();
        let mut buffer = Vec::with_capacity(4096);
        let mut events = Reader::new(&self.fd, buffer.spare_capacity_mut());
        loop {
            match events.next() {
                Ok(event) => self.sort(&event, &mut news),
                Err(Errno::INTR) => {}
                Err(_) => return news,
            }
        }
    }

    fn sort(&self, event: &inotify::Event<'_>, news: &mut News) {
        let watch = event.wd();
        if Some(watch) == self.chosen {
            news.chosen = true;
            return;
        }
        // A watch that was taken off says so, too.
        if event.events().contains(ReadFlags::IGNORED) && !self.behind.contains_key(&watch) {
            return;
        }
        let made = event.events().contains(ReadFlags::CREATE | ReadFlags::ISDIR);
        let counts = |names: &Vec<u64>| {
            event.file_name().is_none_or(|n| names.binary_search(&hash(n.to_bytes())).is_ok())
        };
        if watch == self.scan {
            news.any = true;
            if made {
                news.made.extend(event.file_name().map(CString::from));
            }
        } else if self.behind.get(&watch).is_none_or(counts) {
            news.any |= !made;
            news.made_behind |= made;
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether the directory is on a file system that others may change without our kernel's knowing.
fn is_shared(path: &CStr) -> bool {
    /// NFS, SMB (three kinds), FUSE, 9P, Ceph, AFS, Coda, GFS2, OCFS2, Lustre: statfs(2).
    const KINDS: [u64; 12] = [
        0x6969,
        0x517B,
        0xFF53_4D42,
        0xFE53_4D42,
        0x6573_5546,
        0x0102_1997,
        0x00C3_6400,
        0x5346_414F,
        0x7375_7245,
        0x0116_1970,
        0x7461_636F,
        0x0BD0_0BD0,
    ];
    sys::fs::statfs(path).is_ok_and(|stat| KINDS.contains(&(stat.f_type as u64 & 0xFFFF_FFFF)))
}

/// FNV-1a. That two names have one hash is a scan for nothing.
fn hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
