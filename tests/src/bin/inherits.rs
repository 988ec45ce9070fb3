//! inherits: tells all that it was started with: arguments, environment in its order, descriptors, signals, limits, ids,
//! process group and session, working directory, umask, niceness. Each line begins with `| `.
//!
//! It is entered without std's main, which would ignore SIGPIPE and open closed descriptors.
#![no_main]

use std::fmt::Write;
use std::fs;

use common::Exit;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{
    Pid, getgroups, getpgid, getpgrp, getpid, getppid, getresgid, getresuid, getsid,
};
use sys::{Args, Env};

common::std_program!(run);

fn run(args: Args, env: Env) -> Result<Exit, common::Failure> {
    // Before anything is opened.
    let descriptors = descriptors();
    let mut told = String::new();
    for (what, strings) in
        [("argument", args.iter().collect::<Vec<_>>()), ("env", env.iter().collect())]
    {
        for string in strings {
            let _ = writeln!(told, "| {what} {}", string.to_bytes().escape_ascii());
        }
    }
    told.push_str(&descriptors);
    let _ = write!(told, "{}{}{}", signals(), limits(), identity());
    // Where neither is open, nobody is told.
    if let Some(output) = sys::borrow(1).or_else(|| sys::borrow(2)) {
        let _ = sys::write_all(output, told.as_bytes());
    }
    Ok(Exit(0))
}

fn descriptors() -> String {
    let open = (0..1024).filter(|number| sys::borrow(*number).is_some());
    let describe = |number| {
        let target = fs::read_link(format!("/proc/self/fd/{number}"));
        let target = target.map_or("?".to_owned(), |path| path.display().to_string());
        // pipe:[NUMBER]
        let target = target.split_once(":[").map_or(target.as_str(), |(kind, _)| kind).to_owned();
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
        let flags = info.lines().find(|line| line.starts_with("flags:")).unwrap_or("flags: ?");
        let flags = flags.split_whitespace().last().unwrap_or("?");
        format!("| descriptor {number} {target} {flags}\n")
    };
    open.map(describe).collect()
}

fn signals() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted =
        |line: &&str| ["SigBlk", "SigIgn", "SigCgt"].iter().any(|field| line.starts_with(field));
    status.lines().filter(wanted).map(|line| format!("| {line}\n")).collect()
}

fn limits() -> String {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    limits.lines().skip(1).map(|line| format!("| {}\n", line.trim_end())).collect()
}

fn identity() -> String {
    let (uid, gid) = (getresuid().expect("uids"), getresgid().expect("gids"));
    let groups = getgroups().expect("groups");
    let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
    let cwd = std::env::current_dir().map_or("?".to_owned(), |dir| dir.display().to_string());
    let mask = umask(Mode::empty());
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let nice = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(16)).unwrap_or("?");
    format!(
        "| uid {} {} {}\n| gid {} {} {}\n| groups {}\n| process group {}\n| session {}\n| in {cwd}\n| umask {:03o}\n\
         | nice {nice}\n",
        uid.real,
        uid.effective,
        uid.saved,
        gid.real,
        gid.effective,
        gid.saved,
        groups.join(" "),
        whose(getpgrp(), getpgid(Some(getppid())).ok()),
        whose(getsid(None).expect("a session"), getsid(Some(getppid())).ok()),
        mask.bits(),
    )
}

/// Whose group or session it is.
fn whose(id: Pid, parents: Option<Pid>) -> &'static str {
    if id == getpid() {
        "its own"
    } else if Some(id) == parents {
        "its parent's"
    } else {
        "another's"
    }
}
