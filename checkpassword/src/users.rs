//! The file of virtual users: text, one user a line ([`line`]; `#` begins a comment line), or a cdb
//! ([`table`]) with the same, whose key is the name and whose value is what follows it.

pub mod line;
pub mod table;

use crate::lines::{self, Line};
use core::ffi::CStr;
use line::{Fields, named};
use sys::fs::{FileType, Mode, OFlags, fstat, open};
use sys::process::geteuid;
use sys::{Errno, OwnedFd};
use zeroize::Zeroizing;

/// What the file says of a user.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number, in a file of lines.
    pub number: Option<u64>,
    /// What follows the name and its colon; hash and, perhaps, secret are in it.
    pub rest: Zeroizing<Vec<u8>>,
}

/// Why the file can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It can't be opened or read.
    Unreadable(Errno),
    /// It isn't a file that can be trusted, and why.
    Untrusted(&'static str),
    /// The user's line can't be used: its number, if it has one, and why.
    Line(Option<u64>, &'static str),
}

/// What makes a file trustworthy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    /// Whose it may be besides root's and ours.
    pub owner: Option<u32>,
    /// Whether everybody may read it: where nobody else gets into its directory.
    pub readable: bool,
}

/// The file, open and found trustworthy.
#[derive(Debug)]
pub struct Users {
    file: OwnedFd,
    is_table: bool,
}

impl Users {
    /// Opens the file at `path`, and sees to it that nobody but root, ourselves or whom `trust` names could have
    /// written it, and that not everybody can read the hashes. A name that ends with `.cdb`, or is
    /// `cdb`, is that of a table.
    ///
    /// # Errors
    /// It can't be opened, or trusted.
    pub fn open(path: &CStr, trust: Trust) -> Result<Self, Trouble> {
        // NONBLOCK: a FIFO by that name must not hold us.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = open(path, flags, Mode::empty()).map_err(Trouble::Unreadable)?;
        let status = fstat(&file).map_err(Trouble::Unreadable)?;
        let untrusted = |why| Err(Trouble::Untrusted(why));
        if FileType::from_raw_mode(status.st_mode) != FileType::RegularFile {
            return untrusted("not a regular file");
        }
        let owner = status.st_uid;
        if owner != 0 && owner != geteuid().as_raw() && trust.owner != Some(owner) {
            return untrusted("owned by another user");
        }
        if status.st_mode & 0o022 != 0 {
            return untrusted("writable by others (chmod go-w)");
        }
        if status.st_mode & 0o004 != 0 && !trust.readable {
            return untrusted("readable by everybody (chmod o-r)");
        }
        let is_table = [&b".cdb"[..], b"/cdb"].iter().any(|end| path.to_bytes().ends_with(end));
        Ok(Self { file, is_table })
    }

    /// What the file says of `user`; `None` if nothing. The first line that begins with the name counts.
    ///
    /// # Errors
    /// The file can't be read, or the user's line is longer than any may be.
    pub fn find(&self, user: &[u8]) -> Result<Option<Entry>, Trouble> {
        if self.is_table {
            return table::find(&self.file, user);
        }
        let visit = |line: Line<'_>| entry(line, user);
        lines::find(&self.file, visit).map_err(Trouble::Unreadable)?.transpose()
    }

    /// The first hash in the file that `usable` takes: instead of [`Users::find`], which reads on from here.
    #[must_use]
    pub fn hash(&self, usable: impl Fn(&[u8]) -> bool) -> Option<Zeroizing<Vec<u8>>> {
        let hash_of = |rest: &[u8]| {
            let hash = Fields::parse(rest).ok()?.hash;
            usable(hash).then(|| Zeroizing::new(hash.to_vec()))
        };
        if self.is_table {
            return table::first(&self.file, hash_of);
        }
        lines::find(&self.file, |line| hash_of(named(line.text)?.1)).ok()?
    }
}

pub(crate) fn entry(line: Line<'_>, user: &[u8]) -> Option<Result<Entry, Trouble>> {
    let rest = line::of(line.text, user)?;
    if !line.whole {
        return Some(Err(Trouble::Line(Some(line.number), "line is too long")));
    }
    Some(Ok(Entry { number: Some(line.number), rest: Zeroizing::new(rest.to_vec()) }))
}
