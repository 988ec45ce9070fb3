//! What is typed behind `vpasswd`.

use super::NAME;
use crate::hash::make::Scheme;
use crate::users::line::id;
use common::getopt::{Getopt, Opt};
use common::{Exit, Failure, decimal};
use core::ffi::CStr;
use std::ffi::CString;
use sys::fs::stat;
use sys::process::geteuid;
use sys::{Args, Env};

const USAGE: &str = "[ -c ] [ -f file ] [ -g gid ] [ -m yescrypt|sha512crypt ] [ -q quota ] [ -u uid ] \
    add user home | change user | remove user | list | table";

/// The longest user name, in bytes: with a password and a timestamp it must fit into the 512 of the interface.
const MAX_USER: usize = 200;

/// What is to be done, and how.
pub(super) struct Options {
    pub(super) file: File,
    pub(super) task: Task,
    pub(super) scheme: Scheme,
    /// Whether the password is also kept in clear.
    pub(super) keeps_secret: bool,
    pub(super) quota: Option<Vec<u8>>,
    uid: Option<u32>,
    gid: Option<u32>,
}

/// What is to be done.
pub(super) enum Task {
    Add { user: Vec<u8>, home: Vec<u8> },
    Change { user: Vec<u8> },
    Remove { user: Vec<u8> },
    List,
    Table,
}

/// The file of users.
pub(super) struct File {
    /// The text; that a table is made of, if it is.
    pub(super) text: CString,
    /// Whether a table is made even though there is none yet.
    pub(super) wants_table: bool,
}

impl Options {
    pub(super) fn parse(args: Args, env: Env) -> Result<Self, Failure> {
        let usage = || NAME.usage(USAGE);
        let mut options = Getopt::new(args, b"cf:g:m:q:u:");
        let mut file = env.get(b"VPASSWD").filter(|path| !path.is_empty());
        let (mut keeps_secret, mut scheme, mut quota) = (false, Scheme::Yescrypt, None);
        let (mut uid, mut gid) = (None, None);
        for option in options.by_ref() {
            match option.map_err(|illegal| illegal.with_usage(usage()))? {
                Opt::Flag(b'c') => keeps_secret = true,
                Opt::Value(b'f', value) => file = Some(value.to_bytes()),
                Opt::Value(b'm', value) => {
                    scheme = Scheme::called(value.to_bytes())
                        .ok_or_else(|| wrong(&[b"unknown hash scheme ", value.to_bytes()]))?;
                }
                Opt::Value(b'q', value) => quota = Some(field(b"quota", value)?),
                Opt::Value(b'u', value) => uid = Some(number(b"uid", value)?),
                Opt::Value(b'g', value) => gid = Some(number(b"gid", value)?),
                Opt::Flag(_) | Opt::Value(..) => return Err(usage()),
            }
        }
        if uid == Some(0) {
            return Err(wrong(&[b"uid 0 may not log in"]));
        }
        let rest = options.rest();
        let argument = |index| rest.get(index).map(CStr::to_bytes);
        let (task, wants_table) = match (argument(0), argument(1), argument(2), argument(3)) {
            (Some(b"add"), Some(name), Some(home), None) => {
                (Task::Add { user: user(name)?, home: directory(home)? }, false)
            }
            (Some(b"change"), Some(name), None, None) => {
                (Task::Change { user: user(name)? }, false)
            }
            (Some(b"remove"), Some(name), None, None) => {
                (Task::Remove { user: user(name)? }, false)
            }
            (Some(b"list"), None, ..) => (Task::List, false),
            (Some(b"table"), None, ..) => (Task::Table, true),
            _ => return Err(usage()),
        };
        let path = file.ok_or_else(|| {
            wrong(&[b"unable to find the users: VPASSWD is not set, and there is no -f"])
        })?;
        let (text, is_table) = match path.strip_suffix(b".cdb") {
            Some(text) => (text, true),
            None => (path, false),
        };
        let text = CString::new(text).map_err(|_| usage())?;
        let file = File { text, wants_table: wants_table || is_table };
        Ok(Self { file, task, scheme, keeps_secret, quota, uid, gid })
    }

    /// `uid:gid` for a new user: as given; else, for root, those of the home directory; else none.
    pub(super) fn ids(&self, home: &[u8]) -> Result<Vec<u8>, Failure> {
        let joined = |uid: u32, gid: u32| {
            [decimal(u64::from(uid)).as_bytes(), b":", decimal(u64::from(gid)).as_bytes()].concat()
        };
        match (self.uid, self.gid) {
            (Some(uid), Some(gid)) => return Ok(joined(uid, gid)),
            (None, None) if !geteuid().is_root() => return Ok(b":".to_vec()),
            (None, None) => {}
            (Some(_), None) | (None, Some(_)) => return Err(wrong(&[b"-u and -g go together"])),
        }
        let path = CString::new(home).map_err(|_| NAME.usage(USAGE))?;
        match stat(&*path) {
            Ok(found) if found.st_uid != 0 => Ok(joined(found.st_uid, found.st_gid)),
            Ok(_) => Err(wrong(&[
                b"unable to tell the ids: ",
                home,
                b" is root's, and there is no -u and -g",
            ])),
            Err(errno) => Err(NAME.fatal_errno(
                Exit::USAGE.0,
                &[b"unable to tell the ids without -u and -g: unable to look at ", home],
                errno,
            )),
        }
    }
}

fn user(name: &[u8]) -> Result<Vec<u8>, Failure> {
    let fits = !name.is_empty() && name.len() <= MAX_USER && name[0] != b'#';
    if fits && name.iter().all(|byte| *byte > b' ' && *byte != b':' && *byte != 0x7f) {
        Ok(name.to_vec())
    } else {
        Err(wrong(&[b"not a user name: ", &crate::request::printable(name)]))
    }
}

fn directory(home: &[u8]) -> Result<Vec<u8>, Failure> {
    let clean = home.len() <= 1024 && home.iter().all(|byte| *byte >= b' ' && *byte != b':');
    if clean && home.first() == Some(&b'/') {
        Ok(home.to_vec())
    } else {
        Err(wrong(&[
            b"not an absolute path that can stand in a line: ",
            &crate::request::printable(home),
        ]))
    }
}

fn field(what: &[u8], value: &CStr) -> Result<Vec<u8>, Failure> {
    let value = value.to_bytes();
    let clean = value.len() <= 100 && value.iter().all(|byte| *byte >= b' ' && *byte != b':');
    if clean { Ok(value.to_vec()) } else { Err(wrong(&[what, b" can't stand in a line"])) }
}

fn number(what: &[u8], value: &CStr) -> Result<u32, Failure> {
    id(value.to_bytes()).ok_or_else(|| wrong(&[what, b" is not a number: ", value.to_bytes()]))
}

fn wrong(parts: &[&[u8]]) -> Failure {
    NAME.fatal(Exit::USAGE.0, parts)
}
