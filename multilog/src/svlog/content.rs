//! What is in a file, compressed or not, a piece at a time.

mod feed;
mod gzip;
mod zstandard;

use super::directory::about;
use alloc::boxed::Box;
use alloc::rc::Rc;
use feed::Feed;
use gzip::Gzip;
use sys::{Errno, OwnedFd};
use zstandard::Zstandard;

/// Why a file can't be read (on).
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

/// An open file.
pub(crate) enum Content {
    Plain(Plain),
    Gzip(Box<Gzip>),
    Zstandard(Box<Zstandard>),
}

/// A file as it is. Several may read the same one, each at its own place.
pub(crate) struct Plain {
    file: Rc<OwnedFd>,
    at: u64,
    /// What is beyond this isn't read.
    end: u64,
}

/// What compressed files that can't be read here begin with, and who writes them.
const FOREIGN: [(&[u8], &[u8]); 4] = [
    (b"\xFD7zXZ\0", b"xz"),
    (b"BZh", b"bzip2"),
    (b"\x04\x22\x4D\x18", b"lz4"),
    (b"\x1F\x9D", b"compress"),
];

impl Content {
    /// A finished file, from byte `start` of what it holds on. Whether it is compressed, its first bytes
    /// tell: the names that processors' files get don't.
    ///
    /// # Errors
    /// It can't be read here.
    pub(crate) fn of_finished(file: Rc<OwnedFd>, start: u64) -> Result<Self, Trouble> {
        let mut magic = [0; 6];
        let length = read_at(&file, &mut magic, 0)?;
        let magic = &magic[..length];
        if let Some((_, by)) = FOREIGN.iter().find(|(begin, _)| magic.starts_with(begin)) {
            return Err(Trouble::Foreign(by));
        }
        let mut content = if magic.starts_with(&gzip::MAGIC) {
            Self::Gzip(Box::new(Gzip::new(Feed::new(file))))
        } else if zstandard::is_magic(magic) {
            Self::Zstandard(Box::new(Zstandard::new(Feed::new(file))))
        } else {
            return Ok(Self::plain(file, start, u64::MAX));
        };
        content.pass_over(start)?;
        Ok(content)
    }

    fn pass_over(&mut self, mut count: u64) -> Result<(), Trouble> {
        let mut buffer = [0; 4096];
        while count > 0 {
            let most = usize::try_from(count).unwrap_or(usize::MAX).min(buffer.len());
            match self.read(&mut buffer[..most])? {
                0 => break,
                read => count -= read as u64,
            }
        }
        Ok(())
    }

    /// A file that isn't compressed, from `start` to `end`.
    pub(crate) fn plain(file: Rc<OwnedFd>, start: u64, end: u64) -> Self {
        Self::Plain(Plain { file, at: start, end })
    }

    /// Reads some bytes, at least one unless it is at the end.
    ///
    /// # Errors
    /// What is wrong with it. What was read before is good, as far as could be told.
    pub(crate) fn read(&mut self, into: &mut [u8]) -> Result<usize, Trouble> {
        match self {
            Self::Plain(plain) => plain.read(into),
            Self::Gzip(gzip) => gzip.read(into),
            Self::Zstandard(zstandard) => zstandard.read(into),
        }
    }
}

impl Plain {
    pub(crate) fn file(&self) -> &OwnedFd {
        &self.file
    }

    /// Up to where it is read.
    pub(crate) fn size(&self) -> u64 {
        about(&self.file).map_or(0, |about| about.size).min(self.end)
    }

    fn read(&mut self, into: &mut [u8]) -> Result<usize, Trouble> {
        let most =
            usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX).min(into.len());
        let count = read_at(&self.file, &mut into[..most], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Reads once, from this place.
pub(crate) fn read_at(file: &OwnedFd, into: &mut [u8], at: u64) -> Result<usize, Errno> {
    loop {
        match sys::io::pread(file, &mut *into, at) {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}

/// Whether both hold the same bytes.
pub(crate) fn alike(one: &mut Content, other: &mut Content) -> bool {
    let mut buffers = [[0; 4096]; 2];
    let [first, second] = &mut buffers;
    loop {
        let lengths = (whole(one, first), whole(other, second));
        let (Some(length), Some(other_length)) = lengths else { return false };
        if first[..length] != second[..other_length] {
            return false;
        }
        if length < first.len() {
            return true;
        }
    }
}

/// Fills the buffer, unless the end comes before; `None` if there is trouble.
fn whole(content: &mut Content, buffer: &mut [u8]) -> Option<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match content.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(_) => return None,
        }
    }
    Some(length)
}

#[cfg(test)]
mod tests;
