//! What was compressed, a piece at a time: gzip and Zstandard, whoever has written them.

mod feed;
mod gzip;
mod zstandard;

pub(crate) use feed::Feed;

use alloc::boxed::Box;
use alloc::vec;
use gzip::Gzip;
use sys::Errno;
use zstandard::Zstandard;

/// Why something can't be read (on).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    Errno(Errno),
    /// It is compressed, and its bytes are not what a compressor has written.
    Damaged,
    /// It is compressed with a window for which there isn't enough memory.
    Window,
    /// It is compressed in a way that isn't understood here: by this program.
    Foreign(&'static [u8]),
}

impl From<Errno> for Trouble {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

/// As many bytes tell how something is compressed.
pub(crate) const MAGIC: usize = 6;

/// How something is compressed.
enum Format {
    Gzip,
    Zstandard,
    Foreign(&'static [u8]),
}

/// What compressed files that can't be read here begin with, and who writes them.
const FOREIGN: [(&[u8], &[u8]); 4] = [
    (b"\xFD7zXZ\0", b"xz"),
    (b"BZh", b"bzip2"),
    (b"\x04\x22\x4D\x18", b"lz4"),
    (b"\x1F\x9D", b"compress"),
];

impl Format {
    /// That of what begins so; `None` if it isn't compressed.
    fn of(begin: &[u8]) -> Option<Self> {
        if begin.starts_with(&gzip::MAGIC) {
            return Some(Self::Gzip);
        }
        if zstandard::is_magic(begin) {
            return Some(Self::Zstandard);
        }
        let (_, by) = FOREIGN.iter().find(|(magic, _)| begin.starts_with(magic))?;
        Some(Self::Foreign(by))
    }
}

/// Whether what begins so is compressed, even if it can't be read here.
pub(crate) fn is_compressed(begin: &[u8]) -> bool {
    Format::of(begin).is_some()
}

/// Gives `see` all of it.
///
/// # Errors
/// What is wrong with it, at the end, too.
pub(crate) fn expand(feed: Feed<'_>, mut see: impl FnMut(&[u8])) -> Result<(), Trouble> {
    let mut expansion = Expansion::new(feed)?;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        match expansion.read(&mut buffer)? {
            0 => return Ok(()),
            count => see(&buffer[..count]),
        }
    }
}

/// Something compressed that is read from its beginning on.
pub(crate) enum Expansion<'a> {
    Gzip(Box<Gzip<'a>>),
    Zstandard(Box<Zstandard<'a>>),
}

impl<'a> Expansion<'a> {
    /// Its first bytes tell how it is compressed.
    ///
    /// # Errors
    /// It can't be read here, or isn't compressed at all, which is damage.
    pub(crate) fn new(mut feed: Feed<'a>) -> Result<Self, Trouble> {
        match Format::of(feed.peek(MAGIC)?) {
            Some(Format::Gzip) => Ok(Self::Gzip(Box::new(Gzip::new(feed)))),
            Some(Format::Zstandard) => Ok(Self::Zstandard(Box::new(Zstandard::new(feed)))),
            Some(Format::Foreign(by)) => Err(Trouble::Foreign(by)),
            None => Err(Trouble::Damaged),
        }
    }

    /// Reads some bytes, at least one unless it is at the end.
    ///
    /// # Errors
    /// What is wrong with it. What was read before is good, as far as could be told.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Trouble> {
        match self {
            Self::Gzip(gzip) => gzip.read(into),
            Self::Zstandard(zstandard) => zstandard.read(into),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
