//! The few system calls that rustix doesn't offer, each once a mode, and the descriptor calls that
//! are made on mere numbers between clone and exec.

use crate::seccomp::Instruction;
use rustix::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd};
use rustix::io::{Errno, FdFlags};

use core::mem::ManuallyDrop;

#[cfg(freestanding)]
mod freestanding;
#[cfg(freestanding)]
pub(crate) use freestanding::*;

#[cfg(not(freestanding))]
mod hosted;
#[cfg(not(freestanding))]
pub(crate) use hosted::*;

/// What a signal does.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    Default,
    Ignore,
    Handler(extern "C" fn(i32)),
}

/// How `sigprocmask` changes the mask.
#[derive(Clone, Copy)]
pub(crate) enum How {
    Block = 0,
    Set = 2,
}

/// A time as the kernel takes it on 64-bit systems.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Timespec {
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: i64,
}

/// prctl(2)'s operation, and its first argument.
const PR_SET_SECCOMP: usize = 22;
const SECCOMP_MODE_FILTER: usize = 2;

/// The kernel's `struct sock_fprog`.
#[repr(C)]
struct FilterProgram {
    length: u16,
    filter: *const Instruction,
}

/// A copy of descriptor `number`, close-on-exec, at `lowest` or above.
pub(crate) fn duplicate_above(number: i32, lowest: i32) -> Result<i32, Errno> {
    // SAFETY: `number` came from a `BorrowedFd` that the caller of `Spawn::start` still holds.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_dupfd_cloexec(fd, lowest).map(OwnedFd::into_raw_fd)
}

/// Makes descriptor `target` the same file as `source`, to survive exec, even if they are equal.
pub(crate) fn duplicate_onto(source: i32, target: i32) -> Result<(), Errno> {
    // SAFETY: `source` is open: it came from a `BorrowedFd`, or from `duplicate_above`.
    let fd = unsafe { BorrowedFd::borrow_raw(source) };
    if source == target {
        return rustix::io::fcntl_setfd(fd, FdFlags::empty());
    }
    // SAFETY: only a child between clone and exec gets here. Its descriptors are its own, and it
    // runs no destructor; whatever `target` was, nothing in this process uses it any more.
    let mut place = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(target) });
    rustix::io::dup2(fd, &mut place)
}

/// Closes descriptor `number`; one that isn't open is none of the child's concern.
pub(crate) fn close(number: i32) {
    // SAFETY: as in `duplicate_onto`: the child's descriptors are its own.
    unsafe { rustix::io::close(number) };
}
