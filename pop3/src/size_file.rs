//! What a session remembers for the next one, in the file `qmail-pop3d.sizes`: the sizes of messages as
//! sent, and which messages there were. Its form alone; [`crate::memory`] reads and writes it.
//!
//! Nobody needs the file, and nothing in it is believed that stat(2) doesn't confirm. It is read in
//! blocks of bounded size, each with a digest: a file that is damaged, or isn't whole, is as good as none.
//!
//! A block is its length (4 bytes), a digest (8), and so many bytes; all numbers begin with their least
//! significant byte. The first block holds a title, how many messages follow, whether their names all
//! differ, the stamps of `new/` and `cur/`, and the forms of names ([`crate::names`]), each with its
//! length before it. The others hold messages, in the order in which clients see them: when it was
//! modified, its size (the uppermost bit says whether it is as sent; what doesn't fit follows behind the
//! check in 8 bytes), its check, and its encoded name.

use crate::maildrop::{Facts, Place, Size};
use crate::names::{FileName, Forms, LONGEST_ENCODED};
use alloc::vec::Vec;
use sys::Errno;

/// What the file begins with; another form of it gets another title.
pub const TITLE: &[u8] = b"qmail-pop3d.sizes 1\n";

/// The most that a block holds.
const BLOCK: usize = 32 * 1024;
const HEAD: usize = 4 + 8;

/// More of a record than its encoded name.
const FACTS: usize = 4 + 4 + 4 + 8;

const AS_SENT: u32 = 1 << 31;
const LARGE: u32 = AS_SENT - 1;

/// What tells whether a directory is as it was: all zero for one that can't be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Its inode.
    pub inode: u64,
    /// When an entry was made, renamed or removed: seconds, nanoseconds.
    pub modified: (u64, u32),
    /// When anything about it was changed: seconds, nanoseconds.
    pub changed: (u64, u32),
}

/// What the file says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Title {
    /// How many messages follow.
    pub messages: u32,
    /// No two messages share the unique part of their names.
    pub distinct: bool,
    /// What `new/` was like when these were its messages.
    pub new: Stamp,
    /// What `cur/` was like when these were its messages.
    pub cur: Stamp,
}

impl Title {
    /// The stamp of a place.
    #[must_use]
    pub fn stamp(&self, place: Place) -> Stamp {
        match place {
            Place::New => self.new,
            Place::Cur => self.cur,
        }
    }

    /// Sets it.
    pub fn set_stamp(&mut self, place: Place, stamp: Stamp) {
        match place {
            Place::New => self.new = stamp,
            Place::Cur => self.cur = stamp,
        }
    }
}

/// The file can't be believed, from here on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

/// Where the file comes from.
pub trait Source {
    /// Reads the next bytes, and says how many; 0 at the end.
    ///
    /// # Errors
    /// What read(2) says.
    fn read(&mut self, space: &mut [u8]) -> Result<usize, Errno>;
}

impl<F: FnMut(&mut [u8]) -> Result<usize, Errno>> Source for F {
    fn read(&mut self, space: &mut [u8]) -> Result<usize, Errno> {
        self(space)
    }
}

/// Reads the file.
pub struct Reader<R> {
    source: R,
    title: Title,
    left: u32,
    blocks: u32,
    block: Vec<u8>,
    taken: usize,
    forms: Forms,
}

/// A message in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it was.
    pub place: Place,
    /// What was known of it.
    pub facts: Facts,
    /// Its name, as the file has it.
    pub encoded: &'a [u8],
}

impl<R: Source> Reader<R> {
    /// Begins with the file's title.
    ///
    /// # Errors
    /// It isn't such a file, or damaged.
    pub fn new(source: R) -> Result<Self, Damaged> {
        let (title, forms) = (Title::default(), Forms::default());
        let mut reader =
            Self { source, title, left: 0, blocks: 0, block: Vec::new(), taken: 0, forms };
        if !reader.fill()? || reader.take(TITLE.len())? != TITLE {
            return Err(Damaged);
        }
        let messages = reader.number()?;
        let distinct = match reader.take(1)? {
            [flag @ 0..=1] => *flag == 1,
            _ => return Err(Damaged),
        };
        let (new, cur) = (reader.stamp()?, reader.stamp()?);
        reader.title = Title { messages, distinct, new, cur };
        reader.left = messages;
        reader.forms = Forms::parse(&reader.block[reader.taken..]).ok_or(Damaged)?;
        reader.taken = reader.block.len();
        Ok(reader)
    }

    /// What the file says of itself.
    #[must_use]
    pub fn title(&self) -> Title {
        self.title
    }

    /// The forms of the names, to decode them with: they are given away.
    pub fn forms(&mut self) -> Forms {
        core::mem::take(&mut self.forms)
    }

    /// The next message; its name is put into `name`. `None` at the end.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn next(
        &mut self,
        forms: &Forms,
        name: &mut FileName,
    ) -> Result<Option<Record<'_>>, Damaged> {
        if self.taken == self.block.len() && !self.fill()? {
            return if self.left == 0 { Ok(None) } else { Err(Damaged) };
        }
        self.left = self.left.checked_sub(1).ok_or(Damaged)?;
        let (modified, size, check) = (self.number()?, self.number()?, self.number()?);
        let octets = match size & LARGE {
            LARGE => self.long_number()?,
            octets => u64::from(octets),
        };
        let size = if size & AS_SENT == 0 { Size::OnDisk(octets) } else { Size::AsSent(octets) };
        let (place, length) = forms.decode(&self.block[self.taken..], name).ok_or(Damaged)?;
        let bytes = name.as_bytes();
        let dot = matches!(bytes.first(), None | Some(b'.'));
        if dot || memchr::memchr2(0, b'/', bytes).is_some() {
            return Err(Damaged);
        }
        let facts = Facts { modified, size, check };
        Ok(Some(Record { place, facts, encoded: self.take(length)? }))
    }

    /// Reads the next block; false at the end of the file.
    fn fill(&mut self) -> Result<bool, Damaged> {
        let mut head = [0; HEAD];
        let count = read_whole(&mut self.source, &mut head)?;
        if count == 0 {
            return Ok(false);
        }
        let (length, digest) = head.split_at(4);
        let length = length.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes)) as usize;
        if count < HEAD || length > BLOCK {
            return Err(Damaged);
        }
        if self.block.capacity() == 0 {
            self.block.try_reserve_exact(BLOCK).map_err(|_| Damaged)?;
        }
        self.block.resize(length, 0);
        self.taken = 0;
        if read_whole(&mut self.source, &mut self.block)? < length
            || digest_of(self.blocks, &self.block).to_le_bytes() != digest
        {
            return Err(Damaged);
        }
        self.blocks += 1;
        Ok(true)
    }

    fn take(&mut self, count: usize) -> Result<&[u8], Damaged> {
        let taken = self.block.get(self.taken..self.taken + count).ok_or(Damaged)?;
        self.taken += count;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, Damaged> {
        self.take(4)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)).ok_or(Damaged)
    }

    fn long_number(&mut self) -> Result<u64, Damaged> {
        self.take(8)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)).ok_or(Damaged)
    }

    fn stamp(&mut self) -> Result<Stamp, Damaged> {
        Ok(Stamp {
            inode: self.long_number()?,
            modified: (self.long_number()?, self.number()?),
            changed: (self.long_number()?, self.number()?),
        })
    }
}

/// Fills `space`, unless the file ends before.
fn read_whole(source: &mut impl Source, space: &mut [u8]) -> Result<usize, Damaged> {
    let mut filled = 0;
    while filled < space.len() {
        match source.read(&mut space[filled..]).map_err(|_| Damaged)? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

/// Writes the file. `W` writes all of the bytes that it is given.
pub struct Writer<W> {
    write: W,
    blocks: u32,
    block: Vec<u8>,
}

impl<W: FnMut(&[u8]) -> Result<(), Errno>> Writer<W> {
    /// Begins with the title.
    ///
    /// # Errors
    /// What `write` says; `ENOMEM`.
    pub fn new(write: W, title: &Title, forms: &Forms) -> Result<Self, Errno> {
        let mut block = Vec::new();
        block.try_reserve_exact(HEAD + BLOCK).map_err(|_| Errno::NOMEM)?;
        block.extend_from_slice(&[0; HEAD]);
        let mut writer = Self { write, blocks: 0, block };
        writer.put(TITLE);
        writer.put(&title.messages.to_le_bytes());
        writer.put(&[u8::from(title.distinct)]);
        for stamp in [title.new, title.cur] {
            writer.put(&stamp.inode.to_le_bytes());
            for (seconds, nanoseconds) in [stamp.modified, stamp.changed] {
                writer.put(&seconds.to_le_bytes());
                writer.put(&nanoseconds.to_le_bytes());
            }
        }
        for form in forms.iter() {
            writer.put(&[form.len() as u8]);
            writer.put(form);
        }
        writer.flush()?;
        Ok(writer)
    }

    /// Adds a message.
    ///
    /// # Errors
    /// What `write` says.
    pub fn add(&mut self, facts: Facts, encoded: &[u8]) -> Result<(), Errno> {
        if self.block.len() + FACTS + LONGEST_ENCODED > HEAD + BLOCK {
            self.flush()?;
        }
        let (octets, flag) = match facts.size {
            Size::OnDisk(octets) => (octets, 0),
            Size::AsSent(octets) => (octets, AS_SENT),
        };
        let small = u32::try_from(octets).unwrap_or(LARGE).min(LARGE);
        self.put(&facts.modified.to_le_bytes());
        self.put(&(small | flag).to_le_bytes());
        self.put(&facts.check.to_le_bytes());
        if small == LARGE {
            self.put(&octets.to_le_bytes());
        }
        self.put(encoded);
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// What `write` says.
    pub fn finish(mut self) -> Result<(), Errno> {
        if self.block.len() > HEAD { self.flush() } else { Ok(()) }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.block.extend_from_slice(bytes);
    }

    fn flush(&mut self) -> Result<(), Errno> {
        let length = (self.block.len() - HEAD) as u32;
        let digest = digest_of(self.blocks, &self.block[HEAD..]);
        self.block[..4].copy_from_slice(&length.to_le_bytes());
        self.block[4..HEAD].copy_from_slice(&digest.to_le_bytes());
        self.blocks += 1;
        let written = (self.write)(&self.block);
        self.block.truncate(HEAD);
        written
    }
}

/// A digest of the block with this number: against accidents, not against malice, which whoever can
/// write the file could turn on the messages as well.
#[must_use]
pub fn digest_of(number: u32, block: &[u8]) -> u64 {
    let begin = u64::from(number) << 32 | block.len() as u64;
    let (words, rest) = block.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    words.fold(mix(0, begin), mix)
}

/// A word more of a digest.
#[must_use]
pub fn mix(digest: u64, word: u64) -> u64 {
    (digest.rotate_left(23) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ digest >> 32
}

#[cfg(test)]
mod tests;
