//! The rules of `-x`: what they say about a client. The file is opened anew for each.

use crate::options::Access;
use std::ffi::CStr;
use sys::Errno;
use sys::fs::{Mode, OFlags, open};
use ucspi::cdb::{Damage, File, Reader};
use ucspi::rules::{Found, Instruction, Peer, look_up};

/// The rules of a server, if it has any.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    file: Option<&'static CStr>,
    may_be_missing: bool,
}

/// What the rules say about a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Let it in, with these changes (`NAME=value`) to the program's environment.
    Allow(Vec<Vec<u8>>),
    /// Don't.
    Deny,
}

impl Rules {
    /// The rules of `-x` and `-X`.
    #[must_use]
    pub fn new(access: &Access) -> Self {
        Self { file: access.rules, may_be_missing: access.rules_may_be_missing }
    }

    /// The file's name; empty if there are no rules.
    #[must_use]
    pub fn file(&self) -> &'static [u8] {
        self.file.unwrap_or_default().to_bytes()
    }

    /// What they say about this client. A few reads of a file that is in memory, as a rule.
    ///
    /// # Errors
    /// A file that can't be read, or isn't a database ("protocol error"). With `-X` a file that
    /// doesn't exist lets everybody in.
    pub fn verdict(&self, peer: &Peer<'_>) -> Result<Verdict, Errno> {
        let Some(file) = self.file else { return Ok(Verdict::Allow(Vec::new())) };
        // A FIFO mustn't keep the server.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let opened = match open(file, flags, Mode::empty()) {
            Err(Errno::NOENT) if self.may_be_missing => return Ok(Verdict::Allow(Vec::new())),
            opened => opened?,
        };
        let reader = File::new(&opened).map_err(Damage).and_then(Reader::new);
        let found = reader.and_then(|reader| look_up(&reader, peer));
        found.map(|found| of(found.as_ref())).map_err(|Damage(errno)| errno)
    }
}

fn of(found: Option<&Found>) -> Verdict {
    let mut changes = Vec::new();
    for instruction in found.into_iter().flat_map(Found::instructions) {
        match instruction {
            Instruction::Deny => return Verdict::Deny,
            Instruction::Set(change) => changes.push(change.to_vec()),
        }
    }
    Verdict::Allow(changes)
}
