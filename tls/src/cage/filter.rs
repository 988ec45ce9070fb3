//! The system calls that a relay makes, as a filter for the kernel's BPF machine (seccomp(2)).
//!
//! Reading, writing and waiting on descriptors that it has; time, random numbers, memory that can't
//! be run as a program; its only child's end, and its own. No other call is ever made once the
//! cage is shut, so whoever makes one has broken in: the kernel kills the process.

use super::super::pipe::WIDE;
use sys::seccomp::Instruction;

/// How the kernel names this processor (`AUDIT_ARCH_...`), in whose numbers the calls are written.
/// `None`: a processor that nobody has tried it on, or one whose arguments stand the other way round.
const ARCHITECTURE: Option<u32> = if cfg!(target_endian = "big") {
    None
} else if cfg!(all(target_arch = "x86_64", target_pointer_width = "64")) {
    Some(0xC000_003E)
} else if cfg!(target_arch = "aarch64") {
    Some(0xC000_00B7)
} else if cfg!(target_arch = "riscv64") {
    Some(0xC000_00F3)
} else {
    None
};

/// Calls that are allowed whatever their arguments are.
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_ppoll,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_shutdown,
    libc::SYS_close,
    libc::SYS_clock_gettime,
    libc::SYS_getrandom,
    libc::SYS_munmap,
    // It moves what is there, and keeps its protection.
    libc::SYS_mremap,
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_wait4,
    libc::SYS_rt_sigreturn,
    // After a signal in a wait that has a limit.
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

// The kernel's `struct seccomp_data`: number, architecture, instruction pointer, six arguments.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const SECOND_ARGUMENT: u32 = 16 + 8;
const THIRD_ARGUMENT: u32 = 16 + 2 * 8;

// linux/bpf_common.h: class, size, mode or operation, and source, in one number.
const LOAD: u16 = 0x20;
const IF_EQUAL: u16 = 0x15;
const IF_AT_LEAST: u16 = 0x35;
const IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

// linux/seccomp.h.
const KILL: u32 = 0x8000_0000;
const ALLOW: u32 = 0x7FFF_0000;

/// The filter. `None`: there is none for this processor.
pub(super) fn program() -> Option<Vec<Instruction>> {
    let architecture = ARCHITECTURE?;
    let mut program = vec![load(ARCH), when(IF_EQUAL, architecture, 1), answer(KILL), load(NUMBER)];
    let mut calls: Vec<_> = ALLOWED.iter().map(|call| Call::new(*call, [answer(ALLOW)])).collect();
    calls.push(Call::new(
        libc::SYS_mmap,
        // New memory, unless it could be run.
        [
            load(THIRD_ARGUMENT),
            when(IF_ANY_BIT, libc::PROT_EXEC.cast_unsigned(), 1),
            answer(ALLOW),
            answer(KILL),
        ],
    ));
    calls.push(Call::new(
        libc::SYS_fcntl,
        // A pipe that holds more, so much and no other size. And std asks whether a descriptor is open
        // before it closes it, where it is built to look for mistakes.
        [
            load(SECOND_ARGUMENT),
            unless(IF_EQUAL, libc::F_GETFD.cast_unsigned(), 1),
            answer(ALLOW),
            unless(IF_EQUAL, libc::F_SETPIPE_SZ.cast_unsigned(), 3),
            load(THIRD_ARGUMENT),
            unless(IF_EQUAL, WIDE.cast_unsigned(), 1),
            answer(ALLOW),
            answer(KILL),
        ],
    ));
    calls.sort_by_key(|call| call.number);
    program.extend(look_up(&calls)?);
    Some(program)
}

/// A call, and what is done about it.
struct Call {
    number: u32,
    body: Vec<Instruction>,
}

impl Call {
    fn new(call: libc::c_long, body: impl Into<Vec<Instruction>>) -> Self {
        Self { number: number(call), body: body.into() }
    }
}

/// Finds the call by halves. One comparison after the other would do as well, but the kernel tries a new
/// filter on every call that there is: that cost a connection 60 us more, of some 800.
fn look_up(calls: &[Call]) -> Option<Vec<Instruction>> {
    if let [call] = calls {
        let head = [when(IF_EQUAL, call.number, 1), answer(KILL)];
        return Some([&head, &call.body[..]].concat());
    }
    let (low, high) = calls.split_at(calls.len() / 2);
    let lower = look_up(low)?;
    let first = high.first()?.number;
    let mut program = vec![when(IF_AT_LEAST, first, u8::try_from(lower.len()).ok()?)];
    program.extend(lower);
    program.extend(look_up(high)?);
    Some(program)
}

/// As the kernel sees it: all numbers are small.
fn number(call: libc::c_long) -> u32 {
    u32::try_from(call).unwrap_or(u32::MAX)
}

fn load(offset: u32) -> Instruction {
    Instruction { code: LOAD, jt: 0, jf: 0, k: offset }
}

/// Leaves out the next `count` instructions if the comparison with `k` holds.
fn when(code: u16, k: u32, count: u8) -> Instruction {
    Instruction { code, jt: count, jf: 0, k }
}

/// Leaves them out if it doesn't.
fn unless(code: u16, k: u32, count: u8) -> Instruction {
    Instruction { code, jt: 0, jf: count, k }
}

fn answer(what: u32) -> Instruction {
    Instruction { code: RETURN, jt: 0, jf: 0, k: what }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel's machine makes of a call: as much of it as the filter needs.
    fn judged(architecture: u32, call: u32, second: u32, third: u32) -> u32 {
        let program = program().expect("a processor that we know");
        let (mut at, mut value) = (0, 0);
        loop {
            let Instruction { code, jt, jf, k } = program[at];
            let holds = match code {
                LOAD => {
                    value = match k {
                        NUMBER => call,
                        ARCH => architecture,
                        SECOND_ARGUMENT => second,
                        THIRD_ARGUMENT => third,
                        _ => panic!("nothing stands at {k}"),
                    };
                    false
                }
                IF_EQUAL => value == k,
                IF_AT_LEAST => value >= k,
                IF_ANY_BIT => value & k != 0,
                RETURN => return k,
                _ => panic!("no instruction {code:#x}"),
            };
            at += 1 + usize::from(if holds { jt } else { jf });
        }
    }

    fn here(call: libc::c_long, second: libc::c_int, third: libc::c_int) -> u32 {
        let (second, third) = (second.cast_unsigned(), third.cast_unsigned());
        judged(ARCHITECTURE.unwrap(), number(call), second, third)
    }

    #[test]
    fn what_a_relay_does_is_allowed_and_nothing_else() {
        for call in 0..1000 {
            let expected = if ALLOWED.contains(&call) { ALLOW } else { KILL };
            assert_eq!(here(call, 0, libc::PROT_EXEC), expected, "call {call}");
        }
        for forbidden in [libc::SYS_execve, libc::SYS_socket, libc::SYS_kill, libc::SYS_mprotect] {
            assert_eq!(here(forbidden, 0, 0), KILL);
        }
    }

    #[test]
    fn no_memory_that_can_be_run() {
        let (read_write, run) = (libc::PROT_READ | libc::PROT_WRITE, libc::PROT_EXEC);
        assert_eq!(here(libc::SYS_mmap, 0, read_write), ALLOW);
        assert_eq!(here(libc::SYS_mmap, 0, read_write | run), KILL);
        assert_eq!(here(libc::SYS_mmap, 0, run), KILL);
    }

    #[test]
    fn of_a_descriptor_it_may_be_asked_only_whether_it_is_open_and_for_a_wide_pipe() {
        assert_eq!(here(libc::SYS_fcntl, libc::F_GETFD, 0), ALLOW);
        assert_eq!(here(libc::SYS_fcntl, libc::F_SETPIPE_SZ, WIDE), ALLOW);
        assert_eq!(here(libc::SYS_fcntl, libc::F_SETPIPE_SZ, WIDE + 1), KILL);
        for operation in [libc::F_DUPFD, libc::F_SETFD, libc::F_SETFL, libc::F_SETOWN] {
            assert_eq!(here(libc::SYS_fcntl, operation, 0), KILL);
        }
    }

    #[test]
    fn other_sets_of_calls_are_not_mistaken_for_ours() {
        let read = number(libc::SYS_read);
        assert_eq!(judged(0x4000_0003, read, 0, 0), KILL);
        // On x86-64, the numbers of x32 begin there.
        assert_eq!(judged(ARCHITECTURE.unwrap(), 0x4000_0000 + read, 0, 0), KILL);
    }
}
