//! Every other Linux, or x86-64 by choice: the C library makes these calls.

use super::{Action, How, Timespec};
use crate::seccomp::Instruction;
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem::{self, MaybeUninit};
use core::ptr;
use rustix::event::PollFd;
use rustix::io::Errno;
use rustix::process::Pid;

pub(crate) fn execve(path: &CStr, argv: *const *const c_char, envp: *const *const c_char) -> Errno {
    // SAFETY: the path is a C string, and the arrays come from a `Vector`: NULL-terminated arrays
    // of C strings that live through the call.
    unsafe { libc::execve(path.as_ptr(), argv, envp) };
    errno()
}

pub(crate) fn fork() -> Result<Option<Pid>, Errno> {
    // SAFETY: our processes have one thread, so the child may do whatever the parent may.
    let pid = check(unsafe { libc::fork() })?;
    Ok(Pid::from_raw(pid))
}

/// What `clone` hands to the child.
struct Call {
    child: extern "C" fn(*const u8) -> !,
    argument: *const u8,
}

extern "C" fn call(call: *mut c_void) -> c_int {
    // SAFETY: `vfork` passes its own live `Call`, and stands still while the child uses it.
    let call = unsafe { &*call.cast::<Call>() };
    (call.child)(call.argument)
}

/// Enough for the exec loop, with debug builds and large frames in mind.
const STACK_SIZE: usize = 32 * 1024;

#[repr(align(16))]
struct Stack([MaybeUninit<u8>; STACK_SIZE]);

/// Clones a child that shares this process's memory, and waits until it has run another program
/// or ended. The child runs `child(argument)`.
pub(crate) fn vfork(
    child: extern "C" fn(*const u8) -> !,
    argument: *const u8,
) -> Result<Pid, Errno> {
    let mut call_data = Call { child, argument };
    let mut stack = Stack([MaybeUninit::uninit(); STACK_SIZE]);
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the child has a stack of its own within this frame, 16-byte aligned at its top, and
    // CLONE_VFORK keeps this frame alive until the child no longer uses our memory.
    let pid = check(unsafe {
        let top = stack.0.as_mut_ptr().add(STACK_SIZE).cast();
        libc::clone(call, top, flags, (&raw mut call_data).cast())
    })?;
    Pid::from_raw(pid).ok_or(Errno::AGAIN)
}

pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: ends the process: nothing runs after it.
    unsafe { libc::_exit(code) }
}

pub(crate) fn sigaction(number: i32, action: Action) {
    // SAFETY: all-zero bytes are a valid `sigaction`, every field of which counts is set below.
    let mut new: libc::sigaction = unsafe { mem::zeroed() };
    new.sa_sigaction = match action {
        Action::Default => libc::SIG_DFL,
        Action::Ignore => libc::SIG_IGN,
        Action::Handler(handler) => handler as usize,
    };
    // SAFETY: the struct is valid and lives through the calls; a handler of ours only touches an
    // atomic. A signal that can't be changed (KILL) is refused with EINVAL, as it should be.
    unsafe {
        libc::sigfillset(&raw mut new.sa_mask);
        libc::sigaction(number, &raw const new, ptr::null_mut());
    }
}

/// Whether a signal is ignored.
pub(crate) fn is_ignored(number: i32) -> bool {
    // SAFETY: all-zero bytes are a valid `sigaction`.
    let mut old: libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: the struct is valid and lives through the call, which changes nothing.
    unsafe { libc::sigaction(number, ptr::null(), &raw mut old) };
    old.sa_sigaction == libc::SIG_IGN
}

pub(crate) fn sigprocmask(how: How, set: Option<u64>) -> u64 {
    let new = set.map(full);
    let how = match how {
        How::Block => libc::SIG_BLOCK,
        How::Set => libc::SIG_SETMASK,
    };
    let mut old = full(0);
    // SAFETY: both sets are valid and live through the call; a null one is left out.
    unsafe {
        libc::sigprocmask(how, new.as_ref().map_or(ptr::null(), ptr::from_ref), &raw mut old);
    }
    (1..=64)
        // SAFETY: the set is valid; a number that the C library keeps to itself gives -1.
        .filter(|number| unsafe { libc::sigismember(&raw const old, *number) } == 1)
        .fold(0, |bits, number| bits | 1 << (number - 1))
}

pub(crate) fn ppoll(
    fds: &mut [PollFd<'_>],
    timeout: Option<Timespec>,
    mask: Option<u64>,
) -> Result<usize, Errno> {
    let time = timeout.map(|time| {
        // SAFETY: all-zero bytes are a valid `timespec` (which has padding on some systems).
        let mut spec: libc::timespec = unsafe { mem::zeroed() };
        spec.tv_sec = libc::time_t::try_from(time.seconds).unwrap_or(libc::time_t::MAX);
        spec.tv_nsec = time.nanoseconds as _;
        spec
    });
    let set = mask.map(full);
    // SAFETY: `PollFd` is transparent over struct pollfd, and the slice gives their number; time
    // and set live through the call, null ones are left out.
    let ready = check(unsafe {
        libc::ppoll(
            fds.as_mut_ptr().cast(),
            fds.len() as libc::nfds_t,
            time.as_ref().map_or(ptr::null(), ptr::from_ref),
            set.as_ref().map_or(ptr::null(), ptr::from_ref),
        )
    })?;
    Ok(ready as usize)
}

pub(crate) fn seccomp(filter: &[Instruction], length: u16) -> Result<(), Errno> {
    let program = super::FilterProgram { length, filter: filter.as_ptr() };
    // SAFETY: the struct is the kernel's own (`struct sock_fprog`) and names as many instructions as
    // there are; the kernel makes a copy of them.
    let result = unsafe {
        libc::prctl(
            super::PR_SET_SECCOMP as c_int,
            super::SECCOMP_MODE_FILTER,
            &raw const program,
            0_usize,
            0_usize,
        )
    };
    check(result).map(drop)
}

/// Closes the descriptors from `first` to `last`.
pub(crate) fn close_range(first: u32, last: u32) -> Result<(), Errno> {
    // SAFETY: a descriptor is a mere number: closing one harms no memory. That nobody uses these any
    // more, the caller answers for.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
    if result == -1 { Err(errno()) } else { Ok(()) }
}

/// The kernel's 64-bit set as the C library's larger one.
fn full(bits: u64) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset makes the set valid, and sigaddset keeps it so; numbers that the C
    // library keeps to itself are refused.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for number in (1..=64).filter(|number| bits & 1 << (number - 1) != 0) {
            libc::sigaddset(set.as_mut_ptr(), number);
        }
        set.assume_init()
    }
}

fn check(result: c_int) -> Result<c_int, Errno> {
    if result == -1 { Err(errno()) } else { Ok(result) }
}

fn errno() -> Errno {
    // SAFETY: the C library gives this thread's own errno.
    Errno::from_raw_os_error(unsafe { *libc::__errno_location() })
}
