//! Runs a program, the shipped one, and lets the N-th of its system calls that can fail do so: it is not made, and the program
//! is told an error that such a call may have. (Programs that make their system calls themselves can't be reached with
//! LD_PRELOAD; and strace(1) counts the calls of each process for itself.)
//!
//! A process that the program makes is traced, too, and its calls are counted with the program's, up to its exec: that is
//! still the program's own work. Only on x86-64, by the names of whose registers the call is changed.

use std::error::Error;
use std::ffi::OsString;
use std::path::Path;

use nix::errno::Errno;
use nix::libc::{self, c_long};

/// What to let fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The how-manieth call of those that can fail, from 1.
    pub nth: u64,
    /// Which of its errors; counted in a circle.
    pub variant: usize,
}

/// A system call that can fail, and how.
struct Call {
    number: c_long,
    name: &'static str,
    errors: &'static [Errno],
}

const fn call(number: c_long, name: &'static str, errors: &'static [Errno]) -> Call {
    Call { number, name, errors }
}

/// What supervise and svscan may find failing, for reasons that are not their own mistake.
static CAN_FAIL: &[Call] = &[
    call(libc::SYS_read, "read", &[Errno::EIO, Errno::EINTR]),
    call(libc::SYS_pread64, "pread64", &[Errno::EIO, Errno::EINTR]),
    call(libc::SYS_write, "write", &[Errno::ENOSPC, Errno::EIO, Errno::EINTR]),
    call(libc::SYS_pwrite64, "pwrite64", &[Errno::ENOSPC, Errno::EIO]),
    call(libc::SYS_open, "open", &[Errno::EMFILE, Errno::ENOMEM, Errno::EIO, Errno::EINTR]),
    call(libc::SYS_openat, "openat", &[Errno::EMFILE, Errno::ENOMEM, Errno::EIO, Errno::EINTR]),
    call(libc::SYS_stat, "stat", &[Errno::ENOMEM, Errno::EIO]),
    call(libc::SYS_lstat, "lstat", &[Errno::ENOMEM, Errno::EIO]),
    call(libc::SYS_newfstatat, "newfstatat", &[Errno::ENOMEM, Errno::EIO]),
    call(libc::SYS_statfs, "statfs", &[Errno::ENOMEM, Errno::EIO]),
    call(libc::SYS_fstatfs, "fstatfs", &[Errno::ENOMEM, Errno::EIO]),
    // More processors than it has room for.
    call(libc::SYS_sched_getaffinity, "sched_getaffinity", &[Errno::EINVAL]),
    call(libc::SYS_statx, "statx", &[Errno::ENOMEM, Errno::EIO]),
    call(libc::SYS_fstat, "fstat", &[Errno::ENOMEM, Errno::EIO]),
    call(libc::SYS_poll, "poll", &[Errno::ENOMEM, Errno::EINTR]),
    call(libc::SYS_ppoll, "ppoll", &[Errno::ENOMEM, Errno::EINTR]),
    call(libc::SYS_nanosleep, "nanosleep", &[Errno::EINTR]),
    call(libc::SYS_clock_nanosleep, "clock_nanosleep", &[Errno::EINTR]),
    call(libc::SYS_mmap, "mmap", &[Errno::ENOMEM]),
    call(libc::SYS_mremap, "mremap", &[Errno::ENOMEM]),
    call(libc::SYS_munmap, "munmap", &[Errno::ENOMEM]),
    call(libc::SYS_pipe2, "pipe2", &[Errno::EMFILE, Errno::ENFILE]),
    call(libc::SYS_dup3, "dup3", &[Errno::EMFILE, Errno::EINTR]),
    call(libc::SYS_dup2, "dup2", &[Errno::EMFILE, Errno::EINTR]),
    call(libc::SYS_clone, "clone", &[Errno::EAGAIN, Errno::ENOMEM]),
    call(libc::SYS_clone3, "clone3", &[Errno::EAGAIN, Errno::ENOMEM]),
    call(libc::SYS_vfork, "vfork", &[Errno::EAGAIN, Errno::ENOMEM]),
    call(libc::SYS_fork, "fork", &[Errno::EAGAIN, Errno::ENOMEM]),
    call(libc::SYS_execve, "execve", &[Errno::ENOMEM, Errno::EMFILE, Errno::EIO]),
    call(libc::SYS_wait4, "wait4", &[Errno::EINTR]),
    call(libc::SYS_waitid, "waitid", &[Errno::EINTR]),
    call(libc::SYS_pidfd_open, "pidfd_open", &[Errno::EMFILE, Errno::ENOMEM, Errno::ENOSYS]),
    call(libc::SYS_flock, "flock", &[Errno::EINTR, Errno::ENOLCK]),
    call(libc::SYS_ftruncate, "ftruncate", &[Errno::EIO, Errno::EINTR]),
    call(libc::SYS_chdir, "chdir", &[Errno::EIO, Errno::ENOMEM]),
    call(libc::SYS_fchdir, "fchdir", &[Errno::EIO]),
    call(libc::SYS_getcwd, "getcwd", &[Errno::ENOMEM]),
    call(libc::SYS_rename, "rename", &[Errno::ENOSPC, Errno::EIO]),
    call(libc::SYS_renameat, "renameat", &[Errno::ENOSPC, Errno::EIO]),
    call(libc::SYS_renameat2, "renameat2", &[Errno::ENOSPC, Errno::EIO]),
    call(libc::SYS_mkdir, "mkdir", &[Errno::ENOSPC, Errno::ENOMEM]),
    call(libc::SYS_mkdirat, "mkdirat", &[Errno::ENOSPC, Errno::ENOMEM]),
    call(libc::SYS_mknodat, "mknodat", &[Errno::ENOSPC, Errno::ENOMEM]),
    call(libc::SYS_unlink, "unlink", &[Errno::EIO]),
    call(libc::SYS_unlinkat, "unlinkat", &[Errno::EIO]),
    call(libc::SYS_readlink, "readlink", &[Errno::EIO]),
    call(libc::SYS_readlinkat, "readlinkat", &[Errno::EIO]),
    call(libc::SYS_faccessat, "faccessat", &[Errno::ENOMEM, Errno::EIO]),
    call(libc::SYS_faccessat2, "faccessat2", &[Errno::ENOMEM, Errno::EIO]),
    call(libc::SYS_access, "access", &[Errno::ENOMEM, Errno::EIO]),
    call(libc::SYS_getdents64, "getdents64", &[Errno::EIO, Errno::ENOMEM]),
    call(libc::SYS_inotify_init1, "inotify_init1", &[Errno::EMFILE, Errno::ENOMEM]),
    call(libc::SYS_inotify_add_watch, "inotify_add_watch", &[Errno::ENOSPC, Errno::ENOMEM]),
    call(libc::SYS_inotify_rm_watch, "inotify_rm_watch", &[Errno::EINVAL]),
    call(libc::SYS_memfd_create, "memfd_create", &[Errno::EMFILE, Errno::ENOMEM]),
    call(libc::SYS_fcntl, "fcntl", &[Errno::EMFILE]),
];

/// What can't fail when it is called rightly, or not without the host being broken: signals to a child of one's own, the
/// clock, a process's own settings. Anything that is on neither list is named by the tracer, and the test fails.
static CANNOT_FAIL: &[c_long] = &[
    // A descriptor is closed whatever close(2) returns, and nobody asks. (In debug builds, rustix asserts that it is 0.)
    libc::SYS_close,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigpending,
    libc::SYS_sigaltstack,
    libc::SYS_kill,
    libc::SYS_pidfd_send_signal,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getpgrp,
    libc::SYS_getpgid,
    libc::SYS_setpgid,
    libc::SYS_setsid,
    libc::SYS_clock_gettime,
    // brk(2) tells of failure by what it returns; allocators turn to mmap(2) then.
    libc::SYS_brk,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_prctl,
    libc::SYS_arch_prctl,
    libc::SYS_set_tid_address,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_getrandom,
    libc::SYS_lseek,
    libc::SYS_umask,
    // rustix asks for a limit, which can't fail; svscan raises its own soft limit, within the hard one.
    libc::SYS_prlimit64,
    // FIONREAD of a pipe.
    libc::SYS_ioctl,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_restart_syscall,
];

/// Runs `command`, and appends to `note`: "PLACE CALL ERROR" for the call that failed (PLACE is "program", or "child" for a
/// process of its own before the exec), "unknown NUMBER" for a call that is on no list. Returns its exit code, or 128 + n if
/// signal n ended it.
///
/// # Errors
/// If it can't be traced.
#[cfg(target_arch = "x86_64")]
pub fn run(fault: Fault, note: &Path, command: &[OsString]) -> Result<u8, Box<dyn Error>> {
    implementation::Tracer::start(fault, note, command)?.go_on()
}

/// Not here.
///
/// # Errors
/// Always.
#[cfg(not(target_arch = "x86_64"))]
pub fn run(_: Fault, _: &Path, _: &[OsString]) -> Result<u8, Box<dyn Error>> {
    Err("system calls are changed on x86-64 only".into())
}

#[cfg(target_arch = "x86_64")]
mod implementation {
    use super::{CAN_FAIL, CANNOT_FAIL, Call, Fault};
    use std::collections::{BTreeSet, HashMap};
    use std::error::Error;
    use std::ffi::OsString;
    use std::fs::{File, OpenOptions};
    use std::io::Write;
    use std::path::Path;
    use std::process::Command;

    use nix::errno::Errno;
    use nix::libc::{self, c_long};
    use nix::sys::ptrace::{self, Options};
    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    use nix::unistd::Pid;

    pub(super) struct Tracer {
        fault: Fault,
        note: File,
        root: Pid,
        counted: u64,
        traced: HashMap<Pid, Traced>,
        unknown: BTreeSet<c_long>,
    }

    /// A process that is followed.
    #[derive(Default)]
    struct Traced {
        /// Whether its calls are the program's.
        counts: bool,
        /// Whether the next stop is a call's end.
        within: bool,
        /// The error that the call that it is in has.
        error: Option<Errno>,
    }

    impl Tracer {
        pub(super) fn start(
            fault: Fault,
            note: &Path,
            command: &[OsString],
        ) -> Result<Tracer, Box<dyn Error>> {
            let note = OpenOptions::new().create(true).append(true).open(note)?;
            // It waits for us, stopped, in a shell that the program then takes the place of.
            let child = Command::new("/bin/sh")
                .args(["-c", "kill -STOP $$; exec \"$0\" \"$@\""])
                .args(command)
                .spawn()?;
            let root = Pid::from_raw(child.id().cast_signed());
            waitpid(root, Some(WaitPidFlag::WUNTRACED))?;
            let options = Options::PTRACE_O_TRACESYSGOOD
                | Options::PTRACE_O_TRACEEXEC
                | Options::PTRACE_O_TRACEFORK
                | Options::PTRACE_O_TRACEVFORK
                | Options::PTRACE_O_TRACECLONE;
            ptrace::seize(root, options)?;
            kill(root, Signal::SIGCONT)?;
            let traced = HashMap::from([(root, Traced::default())]);
            Ok(Tracer { fault, note, root, counted: 0, traced, unknown: BTreeSet::new() })
        }

        pub(super) fn go_on(mut self) -> Result<u8, Box<dyn Error>> {
            loop {
                let status = match waitpid(None, Some(WaitPidFlag::__WALL)) {
                    Err(Errno::EINTR) => continue,
                    status => status?,
                };
                let Some(pid) = status.pid() else { continue };
                let mut signal = None;
                match status {
                    WaitStatus::Exited(_, code) if pid == self.root => {
                        return Ok(u8::try_from(code)?);
                    }
                    WaitStatus::Signaled(_, signal, _) if pid == self.root => {
                        return Ok(u8::try_from(128 + signal as i32)?);
                    }
                    WaitStatus::Exited(..) | WaitStatus::Signaled(..) => {
                        self.traced.remove(&pid);
                        continue;
                    }
                    WaitStatus::PtraceSyscall(_) => self.call(pid)?,
                    WaitStatus::PtraceEvent(_, _, libc::PTRACE_EVENT_EXEC) => {
                        let is_program = pid == self.root;
                        self.traced.entry(pid).or_default().counts = is_program;
                        if !is_program {
                            // From here on it is another program.
                            self.traced.remove(&pid);
                            let _ = ptrace::detach(pid, None);
                            continue;
                        }
                    }
                    WaitStatus::Stopped(_, received) => signal = Some(received),
                    WaitStatus::PtraceEvent(..)
                    | WaitStatus::Continued(_)
                    | WaitStatus::StillAlive => {}
                }
                // A child of the program's shows itself with its first stop.
                self.traced.entry(pid).or_insert(Traced { counts: true, ..Traced::default() });
                // It may have been killed meanwhile.
                let _ = ptrace::syscall(pid, signal);
            }
        }

        /// A traced process begins a call, or ends one.
        fn call(&mut self, pid: Pid) -> Result<(), Box<dyn Error>> {
            let traced =
                self.traced.entry(pid).or_insert(Traced { counts: true, ..Traced::default() });
            traced.within = !traced.within;
            let Ok(mut registers) = ptrace::getregs(pid) else { return Ok(()) };
            if !traced.within {
                if let Some(error) = traced.error.take() {
                    registers.rax = i64::from(-(error as i32)).cast_unsigned();
                    let _ = ptrace::setregs(pid, registers);
                }
                return Ok(());
            }
            if !traced.counts {
                return Ok(());
            }
            let number = registers.orig_rax.cast_signed();
            let Some(call) = can_fail(number, registers.rsi) else {
                let is_known = CANNOT_FAIL.contains(&number) || number == libc::SYS_fcntl;
                if !is_known && self.unknown.insert(number) {
                    writeln!(self.note, "unknown {number}")?;
                }
                return Ok(());
            };
            self.counted += 1;
            if self.counted != self.fault.nth {
                return Ok(());
            }
            let error = call.errors[self.fault.variant % call.errors.len()];
            traced.error = Some(error);
            registers.orig_rax = u64::MAX;
            let _ = ptrace::setregs(pid, registers);
            let place = if pid == self.root { "program" } else { "child" };
            writeln!(self.note, "{place} {} {error:?}", call.name)?;
            Ok(())
        }
    }

    /// What is known of a call; `second` is its second argument.
    fn can_fail(number: c_long, second: u64) -> Option<&'static Call> {
        // Of fcntl(2), only what makes a descriptor.
        let makes =
            [libc::F_DUPFD, libc::F_DUPFD_CLOEXEC].map(|what| u64::from(what.cast_unsigned()));
        if number == libc::SYS_fcntl && !makes.contains(&second) {
            return None;
        }
        CAN_FAIL.iter().find(|call| call.number == number)
    }
}
