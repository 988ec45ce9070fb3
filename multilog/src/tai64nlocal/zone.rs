//! Which time zone: `$TZ`, or the host's.

use super::rules::Rules;
use super::tzif::TzFile;
use alloc::ffi::CString;
use alloc::vec::Vec;
use sys::fs::{Mode, OFlags, open};
use sys::{Env, Errno};

/// The zone of a host whose administrator set one.
const HOST: &[u8] = b"/etc/localtime";

/// Where zones have their files, unless `$TZDIR` says otherwise.
const DIRECTORY: &[u8] = b"/usr/share/zoneinfo";

/// The largest file of them all has 4 kB; any that is larger than this isn't one.
const MAX_SIZE: usize = 1 << 20;

/// A time zone.
pub(crate) enum Zone {
    Utc,
    Rules(Rules),
    File(TzFile),
}

/// The difference between UTC and local time at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset {
    /// What must be added to get local time: seconds east of UTC, less the leap seconds that the
    /// host's clock counts (which only files below `right/` know of).
    pub(crate) seconds: i64,
    /// Seconds east of UTC alone.
    pub(crate) east: i64,
    /// Whether the clock shows second 60.
    pub(crate) is_leap: bool,
}

/// A time throughout which the difference is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) offset: Offset,
    /// Its first second, since 1970.
    pub(crate) first: i64,
    /// Its last second.
    pub(crate) last: i64,
}

impl Span {
    /// Whether that second is in it.
    pub(crate) fn has(&self, unix: i64) -> bool {
        self.first <= unix && unix <= self.last
    }

    /// A time in which clocks are so far from UTC, and count no leap seconds.
    fn plain(east: i64, first: i64, last: i64) -> Self {
        Self { offset: Offset { seconds: east, east, is_leap: false }, first, last }
    }
}

impl Zone {
    /// The zone that the C library would take: without `$TZ`, that of /etc/localtime; else that of the
    /// file it names (after a colon or not), below [`DIRECTORY`] unless it is absolute; else that of
    /// the rules which it is. UTC where nothing else is to be found.
    pub(crate) fn of(env: Env) -> Self {
        let Some(name) = env.get(b"TZ") else {
            return read(HOST).map_or(Self::Utc, Self::File);
        };
        let name = name.strip_prefix(b":").unwrap_or(name);
        if name.is_empty() {
            return Self::Utc;
        }
        read(&path(name, env.get(b"TZDIR")))
            .map(Self::File)
            .or_else(|| Rules::parse(name).map(Self::Rules))
            .unwrap_or(Self::Utc)
    }

    /// The difference at this time, in seconds since 1970, and how long around it. What comes just before and
    /// after may have the same one again.
    pub(crate) fn span(&self, unix: i64) -> Span {
        match self {
            Self::Utc => Span::plain(0, i64::MIN, i64::MAX),
            Self::Rules(rules) => {
                let (east, first, last) = rules.span(unix);
                Span::plain(east, first, last)
            }
            Self::File(file) => file.span(unix),
        }
    }
}

fn path(name: &[u8], directory: Option<&[u8]>) -> Vec<u8> {
    if name.starts_with(b"/") {
        return name.into();
    }
    let directory = directory.filter(|directory| !directory.is_empty()).unwrap_or(DIRECTORY);
    [directory, b"/", name].concat()
}

/// The file, if it is a zone's.
fn read(path: &[u8]) -> Option<TzFile> {
    TzFile::parse(&whole(&CString::new(path).ok()?).ok()?)
}

fn whole(path: &core::ffi::CStr) -> Result<Vec<u8>, Errno> {
    // A FIFO that nobody writes to must not keep us for ever.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = open(path, flags, Mode::empty())?;
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = sys::read(&file, &mut buffer)?;
        text.extend_from_slice(&buffer[..count]);
        if count == 0 || text.len() > MAX_SIZE {
            return Ok(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(entries: &[&std::ffi::CStr]) -> Zone {
        Zone::of(Env::new(entries.iter().map(|entry| CString::from(*entry)).collect()))
    }

    #[test]
    fn names_are_below_the_directory_unless_they_are_absolute() {
        assert_eq!(path(b"A/B", None), b"/usr/share/zoneinfo/A/B");
        assert_eq!(path(b"A", Some(b"")), b"/usr/share/zoneinfo/A");
        assert_eq!(path(b"A", Some(b"/z")), b"/z/A");
        assert_eq!(path(b"/A", Some(b"/z")), b"/A");
    }

    #[test]
    fn what_is_no_file_is_read_as_rules_and_else_it_is_utc() {
        let seconds = |entry| zone(&[entry]).span(0).offset.seconds;
        assert_eq!(seconds(c"TZ=ABC-3"), 10_800);
        assert_eq!(seconds(c"TZ=:ABC-3"), 10_800);
        assert_eq!(seconds(c"TZ=No/Where"), 0);
        assert_eq!(seconds(c"TZ="), 0);
        assert_eq!(seconds(c"TZ=:"), 0);
        assert_eq!(seconds(c"TZ=/dev/zero"), 0);
        assert_eq!(seconds(c"TZ=/"), 0);
    }
}
