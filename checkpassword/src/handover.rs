//! From the user who logged in to the program that runs as them.

use crate::dovecot::Question;
use common::env::Environment;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use std::ffi::CString;
use sys::exec::Program;
use sys::process::{Gid, Uid, chdir};
use sys::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};
use sys::{Args, Env, Errno};

/// The user whom the program runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name, for `USER`.
    pub name: Vec<u8>,
    /// The ids to take on; `None` to stay who we are.
    pub ids: Option<Ids>,
    /// The directory to run in, and `HOME`.
    pub home: Vec<u8>,
    /// The login shell, for `SHELL`.
    pub shell: Vec<u8>,
}

/// The ids of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// The user id.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// All groups.
    pub groups: Vec<u32>,
}

/// Becomes `user` and runs the program in `command`, found through `PATH`, in this one's place,
/// with its arguments; `USER`, `HOME` and `SHELL` are the user's, all else in `env` is kept.
///
/// The groups go first and the uid last: what comes after it has no rights left. The directory
/// is entered as the user, who must be allowed to.
///
/// Where Dovecot asks, nobody becomes anyone: see [`crate::dovecot`]. `secret` is what it may be told.
///
/// Comes back only with the failure, whose exit code is 111.
#[must_use]
pub fn run(
    name: Name,
    user: &User,
    secret: &[u8],
    question: Question,
    command: Args,
    env: Env,
) -> Failure {
    let trouble = |parts: &[&[u8]], errno| name.fatal_errno(Exit::TEMPORARY.0, parts, errno);
    let Some(program) = command.get(0) else {
        return trouble(&[b"unable to run a program"], Errno::NOENT);
    };
    let mut environment = Environment::new(env);
    environment.set(b"USER", &user.name);
    environment.set(b"HOME", &user.home);
    environment.set(b"SHELL", &user.shell);
    if question == Question::Session {
        if let Some(ids) = &user.ids
            && let Err((what, errno)) = take_on(ids)
        {
            return trouble(&[b"unable to set ", what], errno);
        }
        if let Err(errno) = enter(&user.home) {
            return trouble(&[b"unable to change directory to ", &user.home], errno);
        }
    } else {
        question.answer(user, secret, &mut environment);
    }
    let errno = Program::find(program, environment.get(b"PATH"))
        .exec(&command.vector(), &environment.vector());
    trouble(&[b"unable to run ", program.to_bytes()], errno)
}

fn take_on(ids: &Ids) -> Result<(), (&'static [u8], Errno)> {
    let groups: Vec<Gid> = ids.groups.iter().copied().map(Gid::from_raw).collect();
    let (gid, uid) = (Gid::from_raw(ids.gid), Uid::from_raw(ids.uid));
    set_thread_groups(&groups).map_err(|errno| (&b"supplementary groups"[..], errno))?;
    // Real, effective and saved: there is no way back.
    set_thread_res_gid(gid, gid, gid).map_err(|errno| (&b"gid"[..], errno))?;
    set_thread_res_uid(uid, uid, uid).map_err(|errno| (&b"uid"[..], errno))
}

fn enter(home: &[u8]) -> Result<(), Errno> {
    let home: CString = CString::new(home).map_err(|_| Errno::NOENT)?;
    let home: &CStr = &home;
    chdir(home)
}
