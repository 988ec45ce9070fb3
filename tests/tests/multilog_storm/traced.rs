//! A multilog that is killed when it is about to make a certain system call.

use std::io::PipeReader;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// How a life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Killed,
    /// By itself, with this code.
    Exited(i32),
}

/// Runs a program and kills it before its N-th system call, from 1: that one isn't made. What the program starts isn't
/// followed.
pub(crate) fn killed_before(
    nth: u64,
    program: &Path,
    args: &[&str],
    dir: &Path,
    stdin: &PipeReader,
) -> End {
    let mut calls = 0;
    let is_last = |_| {
        calls += 1;
        calls == nth
    };
    live(program, args, dir, stdin, is_last)
}

/// Runs a program to its end. Gives the numbers of its system calls, in order.
#[cfg(target_arch = "x86_64")]
pub(crate) fn calls(program: &Path, args: &[&str], dir: &Path, stdin: &PipeReader) -> Vec<i64> {
    let mut calls = Vec::new();
    let end = live(program, args, dir, stdin, |pid| {
        calls.push(ptrace::getregs(pid).expect("registers").orig_rax.cast_signed());
        false
    });
    assert_eq!(end, End::Exited(0));
    calls
}

/// Runs a program, and kills it before the call of which that is said. Only the thread that calls this may wait for it.
fn live(
    program: &Path,
    args: &[&str],
    dir: &Path,
    stdin: &PipeReader,
    mut is_last: impl FnMut(Pid) -> bool,
) -> End {
    // It waits for us, stopped, in a shell that the program then takes the place of.
    #[allow(clippy::zombie_processes)] // By its pid, below.
    let mut child = Command::new("/bin/sh")
        .args(["-c", "kill -STOP $$; exec \"$0\" \"$@\""])
        .arg(program)
        .args(args)
        .current_dir(dir)
        .stdin(Stdio::from(stdin.try_clone().expect("a copy")))
        .spawn()
        .expect("started");
    let pid = Pid::from_raw(child.id().cast_signed());
    waitpid(pid, Some(WaitPidFlag::WUNTRACED)).expect("it stops");
    let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACEEXEC;
    ptrace::seize(pid, options).expect("traced");
    kill(pid, Signal::SIGCONT).expect("it goes on");
    let (mut is_program, mut within) = (false, false);
    loop {
        let mut received = None;
        match waitpid(pid, Some(WaitPidFlag::__WALL)) {
            Err(Errno::EINTR) => continue,
            Ok(WaitStatus::Exited(_, code)) => return End::Exited(code),
            Ok(WaitStatus::Signaled(..)) | Err(_) => return End::Killed,
            Ok(WaitStatus::PtraceSyscall(_)) => {
                within = !within;
                if is_program && within && is_last(pid) {
                    child.kill().expect("killed");
                }
            }
            Ok(WaitStatus::PtraceEvent(_, _, nix::libc::PTRACE_EVENT_EXEC)) => is_program = true,
            Ok(WaitStatus::Stopped(_, signal)) => received = Some(signal),
            Ok(WaitStatus::PtraceEvent(..) | WaitStatus::Continued(_) | WaitStatus::StillAlive) => {
            }
        }
        // It may have been killed meanwhile.
        let _ = ptrace::syscall(pid, received);
    }
}
