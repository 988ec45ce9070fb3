//! x86-64 Linux, without a C library.

use super::{Action, How, Timespec};
use crate::seccomp::Instruction;
use core::arch::{asm, global_asm};
use core::ffi::{CStr, c_char};
use core::ptr;
use rustix::event::PollFd;
use rustix::io::Errno;
use rustix::process::Pid;

const RT_SIGACTION: usize = 13;
const RT_SIGPROCMASK: usize = 14;
const CLONE: usize = 56;
const EXECVE: usize = 59;
const PRCTL: usize = 157;
const EXIT_GROUP: usize = 231;
const PPOLL: usize = 271;
const CLOSE_RANGE: usize = 436;

const SIGCHLD: usize = 17;
const CLONE_VM: usize = 0x100;
const CLONE_VFORK: usize = 0x4000;
const CLONE_CHILD_CLEARTID: usize = 0x20_0000;
/// The kernel's `sigset_t`, in bytes.
const SIGSET_SIZE: usize = 8;

pub(crate) fn execve(path: &CStr, argv: *const *const c_char, envp: *const *const c_char) -> Errno {
    // SAFETY: the path is a C string, and the arrays come from a `Vector`: NULL-terminated arrays
    // of C strings that live through the call.
    let result = unsafe { syscall(EXECVE, path.as_ptr().addr(), argv.addr(), envp.addr(), 0, 0) };
    Errno::from_raw_os_error(-(result as i32))
}

pub(crate) fn fork() -> Result<Option<Pid>, Errno> {
    // SAFETY: without CLONE_VM the child has a copy of all memory, and a stack like ours.
    let result = unsafe { syscall(CLONE, SIGCHLD, 0, 0, 0, 0) };
    check(result).map(|pid| Pid::from_raw(pid as i32))
}

/// Clones a child that shares this process's memory, and waits until it has run another program
/// or ended. The child runs `child(argument)`.
pub(crate) fn vfork(
    child: extern "C" fn(*const u8) -> !,
    argument: *const u8,
) -> Result<Pid, Errno> {
    // SAFETY: CLONE_VFORK keeps this process still until the child has left, so the frames of the two,
    // which are on one stack, don't meet, and all that the child looks at stays.
    unsafe { clone(CLONE_VFORK, child, argument, ptr::null_mut(), ptr::null_mut()) }
}

/// Clones a child that shares this process's memory, and doesn't wait for it. The child runs
/// `child(argument)` on the stack that ends at `top`; when it has run another program or ended, the
/// kernel sets `busy` to 0.
///
/// # Safety
/// Until then the stack is nobody else's, what `argument` points to is only read, and all of it stays
/// where it is.
pub(crate) unsafe fn clone_beside(
    child: extern "C" fn(*const u8) -> !,
    argument: *const u8,
    top: *mut u8,
    busy: *mut i32,
) -> Result<Pid, Errno> {
    // SAFETY: the caller answers for it.
    unsafe { clone(CLONE_CHILD_CLEARTID, child, argument, top, busy) }
}

/// A child in the same memory. Without a `top` it runs on this stack, below the frame of this function.
///
/// # Safety
/// Nobody else writes to the child's stack, or to what it looks at, until it has left.
unsafe fn clone(
    flag: usize,
    child: extern "C" fn(*const u8) -> !,
    argument: *const u8,
    top: *mut u8,
    busy: *mut i32,
) -> Result<Pid, Errno> {
    let result: isize;
    // SAFETY: the child never returns into this frame; a call pushes, and without `nostack` nothing of
    // ours is in the red zone below. The kernel gives each its own registers; `syscall` itself spoils
    // rcx and r11. For the rest, the caller answers.
    unsafe {
        asm!(
            "syscall",
            "test rax, rax",
            "jnz 2f",
            "xor ebp, ebp",
            "mov rdi, r12",
            "and rsp, -16",
            "call r13",
            "ud2",
            "2:",
            inlateout("rax") CLONE as isize => result,
            in("rdi") CLONE_VM | SIGCHLD | flag,
            in("rsi") top,
            in("rdx") 0,
            in("r10") busy,
            in("r8") 0,
            in("r12") argument,
            in("r13") child,
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    let pid = check(result)?;
    Pid::from_raw(pid as i32).ok_or(Errno::AGAIN)
}

pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: ends the process: nothing runs after it.
    unsafe {
        asm!("syscall", in("rax") EXIT_GROUP, in("rdi") code as isize, options(noreturn));
    }
}

/// The kernel's `struct sigaction`.
#[repr(C)]
struct KernelAction {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

const SA_RESTORER: u64 = 0x0400_0000;

global_asm!(
    ".pushsection .text.daemontools_sigreturn,\"ax\",@progbits",
    ".globl daemontools_sigreturn",
    ".hidden daemontools_sigreturn",
    ".type daemontools_sigreturn,@function",
    "daemontools_sigreturn:",
    "mov eax, 15",
    "syscall",
    ".popsection",
);

unsafe extern "C" {
    fn daemontools_sigreturn();
}

pub(crate) fn sigaction(number: i32, action: Action) {
    let action = KernelAction {
        handler: match action {
            Action::Default => 0,
            Action::Ignore => 1,
            Action::Handler(handler) => handler as usize,
        },
        flags: SA_RESTORER,
        restorer: daemontools_sigreturn as *const () as usize,
        mask: u64::MAX,
    };
    // SAFETY: the struct is the kernel's own and lives through the call; a handler of ours only
    // touches an atomic, and returns through rt_sigreturn. A signal that can't be changed (KILL)
    // is refused with EINVAL, as it should be.
    unsafe {
        syscall(RT_SIGACTION, number as usize, (&raw const action).addr(), 0, SIGSET_SIZE, 0);
    }
}

/// Whether a signal is ignored.
pub(crate) fn is_ignored(number: i32) -> bool {
    let mut old = KernelAction { handler: 0, flags: 0, restorer: 0, mask: 0 };
    // SAFETY: the struct is the kernel's own and lives through the call, which changes nothing.
    unsafe {
        let old = (&raw mut old).expose_provenance();
        syscall(RT_SIGACTION, number as usize, 0, old, SIGSET_SIZE, 0);
    }
    old.handler == 1
}

pub(crate) fn sigprocmask(how: How, set: Option<u64>) -> u64 {
    let mut old = 0_u64;
    let new = set.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: both sets are 8 bytes that live through the call; a null one is left out.
    unsafe {
        syscall(
            RT_SIGPROCMASK,
            how as usize,
            new.addr(),
            (&raw mut old).expose_provenance(),
            SIGSET_SIZE,
            0,
        );
    }
    old
}

pub(crate) fn ppoll(
    fds: &mut [PollFd<'_>],
    timeout: Option<Timespec>,
    mask: Option<u64>,
) -> Result<usize, Errno> {
    // The kernel writes the time that was left into its copy: ours isn't read again.
    let mut timeout = timeout;
    let time = timeout.as_mut().map_or(ptr::null_mut(), ptr::from_mut);
    let set = mask.as_ref().map_or(ptr::null(), ptr::from_ref);
    // SAFETY: `PollFd` is transparent over the kernel's struct pollfd, and the slice gives
    // their number; time and set live through the call, null ones are left out.
    let result = unsafe {
        syscall(
            PPOLL,
            fds.as_mut_ptr().expose_provenance(),
            fds.len(),
            time.expose_provenance(),
            set.addr(),
            SIGSET_SIZE,
        )
    };
    check(result)
}

pub(crate) fn seccomp(filter: &[Instruction], length: u16) -> Result<(), Errno> {
    let program = super::FilterProgram { length, filter: filter.as_ptr() };
    // SAFETY: the struct is the kernel's own (`struct sock_fprog`) and names as many instructions as
    // there are; the kernel makes a copy of them.
    let result = unsafe {
        let program = (&raw const program).expose_provenance();
        syscall(PRCTL, super::PR_SET_SECCOMP, super::SECCOMP_MODE_FILTER, program, 0, 0)
    };
    check(result).map(drop)
}

/// Closes the descriptors from `first` to `last`.
pub(crate) fn close_range(first: u32, last: u32) -> Result<(), Errno> {
    // SAFETY: a descriptor is a mere number: closing one harms no memory. That nobody uses these any
    // more, the caller answers for.
    check(unsafe { syscall(CLOSE_RANGE, first as usize, last as usize, 0, 0, 0) }).map(drop)
}

fn check(result: isize) -> Result<usize, Errno> {
    usize::try_from(result).map_err(|_| Errno::from_raw_os_error(-(result as i32)))
}

/// # Safety
/// As the system call with this number requires.
unsafe fn syscall(number: usize, a: usize, b: usize, c: usize, d: usize, e: usize) -> isize {
    let result: isize;
    // SAFETY: the kernel keeps all registers but rax, rcx and r11; the caller answers for what
    // the call itself reads and writes.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number as isize => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            in("r10") d,
            in("r8") e,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}
