//! What QUIT does to the Maildir (RFC 1939: the UPDATE state): messages marked as deleted are
//! removed, all others are no longer new.
//!
//! The order: what is marked is removed, one unlink(2) after the other; what another program has moved
//! meanwhile, under its new name. Then a thousand messages are moved to `cur/`, so that who looks at the
//! reply finds what is usual; then there is the reply, for which a client shouldn't wait any longer; then
//! the rest is moved. So who is killed in between has removed nothing but what QUIT has asked for, and
//! moved nothing that wasn't seen.

use crate::listing::{Pursuit, pursue};
use crate::maildir::Maildir;
use crate::maildrop::{Maildrop, Place};
use crate::names::FileName;
use crate::transaction::Transaction;
use alloc::vec::Vec;
use core::ops::Range;
use sys::Errno;
use sys::fs::{AtFlags, RenameFlags, renameat, renameat_with, statat, unlinkat};

/// So many messages are moved before QUIT is answered.
pub const BEFORE_REPLY: usize = 1000;

/// What removing did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// So many are gone.
    pub gone: usize,
    /// So many couldn't be removed.
    pub left: usize,
}

/// Removes what is marked as deleted. What is gone already needn't be.
pub fn remove(maildir: &Maildir, maildrop: &mut Maildrop, transaction: &Transaction) -> Removed {
    let mut removed = Removed::default();
    let mut name = FileName::default();
    let mut elsewhere = Vec::new();
    for message in transaction.all_deleted() {
        match unlink(maildir, maildrop, message, &mut name) {
            Ok(()) => removed.gone += 1,
            Err(Errno::NOENT) if elsewhere.try_reserve(1).is_ok() => {
                elsewhere.push(message as u32);
            }
            Err(_) => removed.left += 1,
        }
    }
    if elsewhere.is_empty() {
        return removed;
    }
    let pursuit = pursue(maildir, maildrop, |maildrop| {
        elsewhere.retain(|message| {
            match unlink(maildir, maildrop, *message as usize, &mut name) {
                Ok(()) => removed.gone += 1,
                Err(Errno::NOENT) => return true,
                Err(_) => removed.left += 1,
            }
            false
        });
        elsewhere.is_empty()
    });
    match pursuit {
        Pursuit::Over => {}
        // Somebody else has removed them.
        Pursuit::Gone(_) => removed.gone += elsewhere.len(),
        Pursuit::Unclear => removed.left += elsewhere.len(),
    }
    removed
}

fn unlink(
    maildir: &Maildir,
    maildrop: &Maildrop,
    message: usize,
    name: &mut FileName,
) -> Result<(), Errno> {
    let place = maildrop.name(message, name);
    unlinkat(maildir.directory(place), name.as_c_str(), AtFlags::empty())
}

/// Moves what is left of `new/` among these messages to `cur/`, at most `limit` of them. Gives how many
/// that were, and which message comes next. What can't be moved stays new.
pub fn settle(
    maildir: &Maildir,
    maildrop: &Maildrop,
    transaction: &Transaction,
    messages: Range<usize>,
    limit: usize,
) -> (usize, usize) {
    let mut name = FileName::default();
    let mut seen = Vec::new();
    let mut moved = 0;
    for message in messages.clone() {
        if moved == limit {
            return (moved, message);
        }
        if maildrop.place(message) != Place::New || transaction.is_deleted(message) {
            continue;
        }
        maildrop.name(message, &mut name);
        seen.clear();
        seen.extend_from_slice(name.as_bytes());
        // A name that carries its info already keeps it.
        if !seen.contains(&b':') {
            seen.extend_from_slice(b":2,");
        }
        moved += usize::from(move_without_replacing(maildir, name.as_bytes(), &seen).is_ok());
    }
    (moved, messages.end)
}

/// A message of that name in `cur/` must not be lost.
fn move_without_replacing(maildir: &Maildir, from: &[u8], to: &[u8]) -> Result<(), Errno> {
    let (new, cur) = (maildir.directory(Place::New), maildir.directory(Place::Cur));
    match renameat_with(new, from, cur, to, RenameFlags::NOREPLACE) {
        // The file system can't do both at once.
        Err(Errno::INVAL | Errno::NOSYS) => match statat(cur, to, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => renameat(new, from, cur, to),
            Err(errno) => Err(errno),
            Ok(_) => Err(Errno::EXIST),
        },
        result => result,
    }
}
