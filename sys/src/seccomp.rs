//! seccomp(2): a filter that judges every system call that this process makes from now on.
//!
//! The filter is a program for the kernel's BPF machine, made by whoever wants one; here is only
//! the call that installs it.

use crate::raw;
use rustix::io::Errno;

/// One instruction of a filter: the kernel's `struct sock_filter`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Instruction {
    /// What to do.
    pub code: u16,
    /// Where a comparison that holds goes on: so many instructions are left out.
    pub jt: u8,
    /// Where one that doesn't hold goes on.
    pub jf: u8,
    /// The number that it is done with.
    pub k: u32,
}

/// The kernel takes no longer filter.
pub const LONGEST: usize = 4096;

/// Puts this process under `filter`, for good: it holds for its children and the programs that they
/// run, too. Needs [`crate::thread::set_no_new_privs`] first, or a capability.
///
/// # Errors
/// `EINVAL`: the kernel has no such filters, or takes this one for a wrong program (an empty one,
/// one beyond [`LONGEST`]). `EACCES`: new privileges may still be had.
pub fn install(filter: &[Instruction]) -> Result<(), Errno> {
    match u16::try_from(filter.len()) {
        Ok(length) if (1..=LONGEST).contains(&filter.len()) => raw::seccomp(filter, length),
        _ => Err(Errno::INVAL),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fork::{Fork, exit, fork};
    use crate::process::{WaitOptions, waitpid};

    /// `BPF_RET`: what the kernel does is in the instruction.
    const RETURN: u16 = 6;
    const ALLOW: u32 = 0x7FFF_0000;

    #[test]
    fn a_filter_is_installed_and_a_wrong_one_refused() {
        assert_eq!(install(&[]), Err(Errno::INVAL));
        let allow = Instruction { code: RETURN, jt: 0, jf: 0, k: ALLOW };
        match fork().expect("a process") {
            Fork::Parent(pid) => {
                let (_, status) = waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap();
                assert_eq!(status.exit_status(), Some(0));
            }
            Fork::Child => {
                // One that ends without an answer is no program.
                let load = Instruction { code: 0x20, ..allow };
                let good = crate::thread::set_no_new_privs(true).is_ok()
                    && install(&[load]) == Err(Errno::INVAL)
                    && install(&[allow]).is_ok();
                exit(u8::from(!good));
            }
        }
    }
}
