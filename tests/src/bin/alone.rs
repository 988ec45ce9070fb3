//! alone: runs a command in namespaces of its own: `alone COMMAND [ARGUMENT ...]`.
//!
//! Mounts are private, /proc is the new one, the network is a loopback that is up, the command is PID 1's only child and all
//! that it leaves behind dies with it. For an ordinary user, a user namespace in which it is root. Exit: the command's code,
//! 128 + n if signal n ended it, 111 if the namespaces can't be had.

use std::error::Error;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, sendto, socket,
};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{Pid, getegid, geteuid};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).peekable();
    let first_in_there = args.next_if(|arg| arg == "--first").is_some();
    let args: Vec<_> = args.collect();
    let code = if first_in_there { inside(&args) } else { outside(&args) };
    match code {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("alone: fatal: {error}");
            ExitCode::from(111)
        }
    }
}

/// Makes the namespaces and starts the first process in them.
fn outside(args: &[std::ffi::OsString]) -> Outcome<u8> {
    let (uid, gid) = (geteuid(), getegid());
    let mut flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    if !uid.is_root() {
        flags |= CloneFlags::CLONE_NEWUSER;
    }
    unshare(flags).map_err(|e| format!("unable to make namespaces: {e}"))?;
    if !uid.is_root() {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
        fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    }
    set_pdeathsig(Signal::SIGKILL)?;
    let status = Command::new("/proc/self/exe").arg("--first").args(args).status()?;
    Ok(code(status))
}

/// PID 1 in there: prepares the place, runs the command, and reaps what it leaves behind.
fn inside(args: &[std::ffi::OsString]) -> Outcome<u8> {
    set_pdeathsig(Signal::SIGKILL)?;
    let nothing = None::<&str>;
    mount(nothing, "/", nothing, MsFlags::MS_REC | MsFlags::MS_PRIVATE, nothing)
        .map_err(|e| format!("unable to make mounts private: {e}"))?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), nothing)
        .map_err(|e| format!("unable to mount /proc: {e}"))?;
    loopback_up().map_err(|e| format!("unable to bring loopback up: {e}"))?;
    let (program, args) = args.split_first().ok_or("usage: alone COMMAND [ARGUMENT ...]")?;
    let child = Command::new(program)
        .args(args)
        .spawn()
        .map_err(|e| format!("unable to run {}: {e}", program.display()))?;
    let child = Pid::from_raw(child.id().cast_signed());
    loop {
        let ended = wait()?;
        if ended.pid() != Some(child) {
            continue;
        }
        if let WaitStatus::Exited(_, code) = ended {
            exit(code);
        }
        if let WaitStatus::Signaled(_, signal, _) = ended {
            exit(128 + signal as i32);
        }
    }
}

/// One rtnetlink request, since `ip` may not be installed: RTM_NEWLINK for interface 1, IFF_UP. See rtnetlink(7).
fn loopback_up() -> nix::Result<()> {
    const LENGTH: u32 = 32;
    const RTM_NEWLINK: u16 = 16;
    const NLM_F_REQUEST: u16 = 1;
    const IFF_UP: u32 = 1;
    let mut request = Vec::new();
    request.extend(LENGTH.to_ne_bytes());
    request.extend(RTM_NEWLINK.to_ne_bytes());
    request.extend(NLM_F_REQUEST.to_ne_bytes());
    request.extend([0; 8]); // sequence, port
    request.extend([0; 4]); // family, padding, type
    request.extend(1_i32.to_ne_bytes());
    request.extend(IFF_UP.to_ne_bytes());
    request.extend(IFF_UP.to_ne_bytes()); // which flags change
    let socket = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    )?;
    sendto(socket.as_raw_fd(), &request, &NetlinkAddr::new(0, 0), MsgFlags::empty())?;
    Ok(())
}

fn code(status: std::process::ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(111)
}
