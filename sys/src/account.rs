//! Accounts and groups as the host sees them, without NSS in the process (design, decision 4).
//!
//! `nsswitch.conf` tells who is asked. As long as it says `files`, the answer is read from
//! `/etc/passwd`, `/etc/group` and `/etc/shadow`; what isn't found there, and everything from
//! the first other source on, is asked of getent(1) in a child, bounded in time and size. So LDAP
//! and SSSD accounts are found, and no module is loaded into a process of root's.

mod file;
mod getent;
mod line;
mod nsswitch;

use crate::Errno;
use alloc_crate::vec::Vec;
use core::ffi::CStr;
use file::Kind;
use nsswitch::{Chain, Database, Source, Status};

/// An account, as passwd(5) has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name, as the source spells it.
    pub name: Vec<u8>,
    /// What stands in the place of the password: `x` where that is in shadow(5), or a hash, on a host without.
    pub password: Vec<u8>,
    /// The user id; never `u32::MAX`, which system calls take for "leave it as it is".
    pub uid: u32,
    /// The primary group's id; never `u32::MAX` either.
    pub gid: u32,
    /// The home directory; may be empty.
    pub home: Vec<u8>,
    /// The login shell; empty means `/bin/sh`.
    pub shell: Vec<u8>,
}

/// A password and its ages, as shadow(5) has them. Times are days, `last_change` and `expire`
/// since 1970-01-01; what the entry leaves open is `None`.
#[derive(Clone, PartialEq, Eq)]
pub struct Shadow {
    /// The password's hash; empty if none is needed; begins with `!` or `*` if none will do.
    pub hash: Vec<u8>,
    /// When the password was last changed; 0: it must be changed at the next login.
    pub last_change: Option<i64>,
    /// The age that a password must have before it may be changed.
    pub min: Option<i64>,
    /// The age at which it must be changed.
    pub max: Option<i64>,
    /// How long before that the user is warned.
    pub warn: Option<i64>,
    /// How long after that the password is still taken.
    pub inactive: Option<i64>,
    /// The day from which the account can't be used.
    pub expire: Option<i64>,
}

/// Why a look-up has no answer: `unable to {action}: {errno's reason}`. Always temporary: an
/// account that doesn't exist is `Ok(None)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// What could not be done, such as `read /etc/passwd`.
    pub action: &'static str,
    /// Why. `ETIMEDOUT`: getent took too long; `EIO`: it failed; `EFBIG`: an answer or a line of
    /// a file was longer than anything sane.
    pub errno: Errno,
}

/// The account called `name`, or `None` if the host has none.
///
/// # Errors
/// A file or getent that can't be read or run: see [`Trouble`].
pub fn by_name(name: &[u8]) -> Result<Option<Account>, Trouble> {
    account(&HOST, name, getent::ask)
}

/// The shadow entry of the account called `name`, or `None` if it has none. Only root may read it.
///
/// # Errors
/// A file or getent that can't be read or run: see [`Trouble`].
pub fn shadow(name: &[u8]) -> Result<Option<Shadow>, Trouble> {
    shadow_entry(&HOST, name, getent::ask)
}

/// The groups of the account called `name`, as initgroups(3) sets them: the primary one, `gid`,
/// first, then each that has the account as a member, none twice.
///
/// # Errors
/// A file or getent that can't be read or run: see [`Trouble`].
pub fn groups(name: &[u8], gid: u32) -> Result<Vec<u32>, Trouble> {
    memberships(&HOST, name, gid, getent::ask)
}

/// For [`crate::lines`]: nothing secret is in such a file.
pub(crate) fn lines<T>(
    path: &CStr,
    see: impl FnMut(&[u8]) -> Option<T>,
) -> Result<Option<T>, Errno> {
    file::lines(path, Kind::Public, see)
}

/// The files that are read.
struct Files<'a> {
    nsswitch: &'a CStr,
    passwd: &'a CStr,
    group: &'a CStr,
    shadow: &'a CStr,
}

const HOST: Files<'static> = Files {
    nsswitch: c"/etc/nsswitch.conf",
    passwd: c"/etc/passwd",
    group: c"/etc/group",
    shadow: c"/etc/shadow",
};

/// As many groups as a process can be in (`NGROUPS_MAX`).
const MAX_GROUPS: usize = 65_536;

fn account(
    files: &Files<'_>,
    name: &[u8],
    ask: impl Fn(&'static CStr, &[u8]) -> Result<Option<Vec<u8>>, Trouble>,
) -> Result<Option<Account>, Trouble> {
    let in_files = || first(files.passwd, "read /etc/passwd", Kind::Public, name, line::passwd);
    let elsewhere = || {
        // getent takes a number for an id, and would give another account.
        if !getent::is_name(name) || getent::is_number(name) {
            return Ok(None);
        }
        let answer = ask(c"passwd", name)?;
        Ok(answer.and_then(|text| text.split(is_newline).find_map(line::passwd)))
    };
    look_up(files, Database::Passwd, name, in_files, elsewhere)
}

fn shadow_entry(
    files: &Files<'_>,
    name: &[u8],
    ask: impl Fn(&'static CStr, &[u8]) -> Result<Option<Vec<u8>>, Trouble>,
) -> Result<Option<Shadow>, Trouble> {
    let in_files = || first(files.shadow, "read /etc/shadow", Kind::Secret, name, line::shadow);
    let elsewhere = || {
        if !getent::is_name(name) {
            return Ok(None);
        }
        let Some(mut answer) = ask(c"shadow", name)? else { return Ok(None) };
        let entry = answer.split(is_newline).find_map(line::shadow);
        file::forget(&mut answer);
        Ok(entry)
    };
    look_up(files, Database::Shadow, name, in_files, elsewhere)
}

/// Asks the sources of `database`, one after the other, until one has the last word.
fn look_up<T>(
    files: &Files<'_>,
    database: Database,
    name: &[u8],
    in_files: impl Fn() -> Result<Found<T>, Trouble>,
    elsewhere: impl Fn() -> Result<Option<T>, Trouble>,
) -> Result<Option<T>, Trouble> {
    if !line::may_be_in_files(name) {
        return Ok(None);
    }
    for step in Chain::read(files.nsswitch, database)?.steps() {
        match step.source {
            // getent asks the files again, and everything that follows: its answer is the host's.
            Source::Other => return elsewhere(),
            Source::Files => match in_files()? {
                Found::Entry(entry) if step.ends_at(Status::Success) => return Ok(Some(entry)),
                // `[SUCCESS=continue]`: rare enough to leave the outcome to the host.
                Found::Entry(_) => return elsewhere(),
                Found::Nothing if step.ends_at(Status::NotFound) => return Ok(None),
                Found::NoFile if step.ends_at(Status::Unavailable) => return Ok(None),
                Found::Nothing | Found::NoFile => {}
            },
        }
    }
    Ok(None)
}

fn memberships(
    files: &Files<'_>,
    name: &[u8],
    gid: u32,
    ask: impl Fn(&'static CStr, &[u8]) -> Result<Option<Vec<u8>>, Trouble>,
) -> Result<Vec<u32>, Trouble> {
    let mut groups = Vec::from([gid]);
    if !line::may_be_in_files(name) {
        return Ok(groups);
    }
    let mut add = |gid| {
        if groups.len() < MAX_GROUPS && !groups.contains(&gid) {
            groups.push(gid);
        }
    };
    let chain = Chain::read(files.nsswitch, Database::Initgroups)?;
    for step in chain.steps() {
        match step.source {
            Source::Other => {
                if getent::is_name(name)
                    && let Some(answer) = ask(c"initgroups", name)?
                {
                    line::initgroups(&answer).for_each(&mut add);
                }
                break;
            }
            Source::Files => {
                let mut any = false;
                let scan = file::lines(files.group, Kind::Public, |text| {
                    if let Some(gid) = line::group_of(text, name) {
                        any = true;
                        add(gid);
                    }
                    None::<()>
                });
                let status = match scan {
                    Err(Errno::NOENT) => Status::Unavailable,
                    Err(errno) => return Err(Trouble { action: "read /etc/group", errno }),
                    Ok(_) if any => Status::Success,
                    Ok(_) => Status::NotFound,
                };
                if step.ends_at(status) {
                    break;
                }
            }
        }
    }
    Ok(groups)
}

enum Found<T> {
    Entry(T),
    Nothing,
    NoFile,
}

/// The first entry for `name` in the file at `path`.
fn first<T>(
    path: &CStr,
    action: &'static str,
    kind: Kind,
    name: &[u8],
    parse: fn(&[u8]) -> Option<T>,
) -> Result<Found<T>, Trouble> {
    let entry =
        file::lines(
            path,
            kind,
            |text| {
                if line::is_called(text, name) { parse(text) } else { None }
            },
        );
    match entry {
        Ok(Some(entry)) => Ok(Found::Entry(entry)),
        Ok(None) => Ok(Found::Nothing),
        Err(Errno::NOENT) => Ok(Found::NoFile),
        Err(errno) => Err(Trouble { action, errno }),
    }
}

fn is_newline(byte: &u8) -> bool {
    *byte == b'\n'
}

#[cfg(test)]
mod tests;
