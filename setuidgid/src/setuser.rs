//! setuser: runs a program as an account that has logged in, so to speak. From daemontools-encore.

use crate::child::Child;
use crate::ids::{self, Groups};
use crate::known::known;
use alloc::ffi::CString;
use common::env::Environment;
use common::{Exit, Failure, Name, decimal};
use sys::account::Account;
use sys::{Args, Env};

const NAME: Name = Name("setuser");

/// `setuser ACCOUNT PROGRAM ARGUMENTS`: sets `$HOME`, `$SHELL`, `$USER`, `$GID` and `$UID` to the
/// account's, goes to its home directory, takes all its groups and its ids, and becomes the program.
///
/// # Errors
/// Wrong usage: 100. An unknown account, a home directory that can't be entered, ids that may not
/// be taken, a program that can't be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let usage = || NAME.usage("account child");
    let account = args.get(1).ok_or_else(usage)?;
    let child = Child::after(args, 2).ok_or_else(usage)?;

    let account = known(NAME, account)?;
    let changed = environment(env, &account);
    // As root still, as encore does: a home may lie below a directory that only root may enter.
    enter_home(&account)?;
    ids::take(NAME, &account, Groups::All)?;
    Err(child.exec(NAME, env, &changed.vector()))
}

fn environment(env: Env, account: &Account) -> Environment {
    // What passwd(5) says of an empty field.
    let shell = if account.shell.is_empty() { b"/bin/sh" } else { &account.shell[..] };
    let mut changed = Environment::new(env);
    changed.set(b"HOME", &account.home);
    changed.set(b"SHELL", shell);
    changed.set(b"USER", &account.name);
    changed.set(b"GID", decimal(account.gid.into()).as_bytes());
    changed.set(b"UID", decimal(account.uid.into()).as_bytes());
    changed
}

fn enter_home(account: &Account) -> Result<(), Failure> {
    // The field comes from a line of text; one with a NUL in it names no directory.
    let home = CString::new(&account.home[..]).unwrap_or_default();
    sys::process::chdir(&*home).map_err(|errno| {
        let parts: [&[u8]; 2] = [b"unable to chdir to ", &account.home];
        NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_of_an_account() {
        let account = Account {
            name: b"alice".to_vec(),
            password: b"x".to_vec(),
            uid: 1000,
            gid: 100,
            home: b"/home/alice".to_vec(),
            shell: Vec::new(),
        };
        let env = Env::new(vec![c"USER=root".into(), c"A=1".into()]);
        let changed = environment(env, &account);
        let texts: Vec<_> = changed.iter().map(|entry| entry.to_str().expect("ASCII")).collect();
        let expected =
            ["A=1", "HOME=/home/alice", "SHELL=/bin/sh", "USER=alice", "GID=100", "UID=1000"];
        assert_eq!(texts, expected);
    }
}
