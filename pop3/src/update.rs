//! What QUIT does to the Maildir (RFC 1939: the UPDATE state): messages marked as deleted are
//! removed, all others are no longer new.

use crate::maildir::Maildir;
use crate::maildrop::{Maildrop, Place};
use crate::transaction::Transaction;
use alloc::vec::Vec;
use sys::Errno;
use sys::fs::{AtFlags, RenameFlags, renameat, renameat_with, statat, unlinkat};

/// Removes what is marked as deleted, and moves the rest of `new/` to `cur/`. Gives how many
/// messages couldn't be removed. One that can't be moved stays new.
#[must_use]
pub fn update(maildir: &Maildir, maildrop: &Maildrop, transaction: &Transaction) -> usize {
    let mut left = 0;
    let mut seen = Vec::new();
    for message in 0..maildrop.len() {
        let (place, name) = (maildrop.place(message), maildrop.name(message));
        if transaction.is_deleted(message) {
            let removed = unlinkat(maildir.directory(place), name, AtFlags::empty());
            left += usize::from(removed.is_err());
        } else if place == Place::New {
            seen.clear();
            seen.extend_from_slice(name.to_bytes());
            // A name that carries its info already keeps it.
            if !seen.contains(&b':') {
                seen.extend_from_slice(b":2,");
            }
            let _ = move_without_replacing(maildir, name.to_bytes(), &seen);
        }
    }
    left
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
