//! What is in a file, compressed or not, a piece at a time.

pub(crate) use crate::expansion::Trouble;

use super::directory::about;
use crate::expansion::{Expansion, Feed, MAGIC, is_compressed};
use alloc::rc::Rc;
use sys::{OwnedFd, read_at};

/// An open file.
pub(crate) enum Content {
    Plain(Plain),
    Compressed(Expansion<'static>),
}

/// A file as it is. Several may read the same one, each at its own place.
pub(crate) struct Plain {
    file: Rc<OwnedFd>,
    at: u64,
    /// What is beyond this isn't read.
    end: u64,
}

impl Content {
    /// A finished file, from byte `start` of what it holds on. Whether it is compressed, its first bytes
    /// tell: the names that processors' files get don't.
    ///
    /// # Errors
    /// It can't be read here.
    pub(crate) fn of_finished(file: Rc<OwnedFd>, start: u64) -> Result<Self, Trouble> {
        let mut magic = [0; MAGIC];
        let length = read_at(&*file, &mut magic, 0)?;
        if !is_compressed(&magic[..length]) {
            return Ok(Self::plain(file, start, u64::MAX));
        }
        let mut content = Self::Compressed(Expansion::new(Feed::of_file(file))?);
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
            Self::Compressed(expansion) => expansion.read(into),
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
        let count = read_at(&*self.file, &mut into[..most], self.at)?;
        self.at += count as u64;
        Ok(count)
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
