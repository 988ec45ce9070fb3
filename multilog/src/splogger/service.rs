//! Whose lines these are: the service beside whose log directory we run.

use alloc::vec::Vec;
use core::ffi::CStr;
use sys::fs::{Mode, OFlags, open};

/// Where supervise keeps the status, seen from the service's `log`, and from the service itself, where one supervise
/// looks after both.
const PLACES: [&CStr; 2] = [c"../supervise/status", c"supervise/status"];

/// The service, as far as supervise tells.
#[derive(Default)]
pub(super) struct Service {
    /// The last part of its directory's name.
    pub(super) name: Option<Vec<u8>>,
    status: Option<&'static CStr>,
}

impl Service {
    /// That of the directory in which we were started: `SERVICE/log`, or `SERVICE` itself.
    pub(super) fn find() -> Self {
        let Ok(directory) = sys::process::getcwd(Vec::new()) else { return Self::default() };
        let mut parts = directory.to_bytes().rsplit(|byte| *byte == b'/');
        let last = parts.next();
        let (name, status) = match last {
            Some(b"log") => (parts.next(), PLACES[0]),
            last => (last, PLACES[1]),
        };
        if process(status).is_none() {
            return Self::default();
        }
        let name = name.filter(|name| !name.is_empty()).map(<[u8]>::to_vec);
        Self { name, status: Some(status) }
    }

    /// The process that supervise runs now. (The status is replaced with each change, so it is opened each time.)
    pub(super) fn process(&self) -> Option<u32> {
        self.status.and_then(process).filter(|process| *process != 0)
    }
}

/// The process in a status: 0 if the service is down, `None` if this is no status. See `supervise::status`.
fn process(path: &CStr) -> Option<u32> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = open(path, flags, Mode::empty()).ok()?;
    let mut status = [0; 18];
    if sys::read(&file, &mut status) != Ok(status.len()) {
        return None;
    }
    Some(u32::from_le_bytes([status[12], status[13], status[14], status[15]]))
}
