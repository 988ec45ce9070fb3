//! What /proc tells that no system call does: when a process started, and which boot this is.

use core::ffi::CStr;
use sys::fs::{self, OFlags};
use sys::process::Pid;
use sys::time::{ClockId, clock_gettime};

/// Clock ticks a second, as /proc counts them (on every Linux but Alpha's).
pub const TICKS: u64 = 100;

/// The random number that the kernel draws when it starts, mixed with when process 1 started.
pub type BootId = [u8; 16];

/// When a process started, in ticks from boot; `None` if there is none of this id, or no /proc.
#[must_use]
pub fn start_of(pid: Pid) -> Option<u64> {
    let mut bytes = [0; 512];
    parse_field(stat(pid, &mut bytes)?, START)
}

/// The process's line of /proc/PID/stat.
fn stat(pid: Pid, bytes: &mut [u8]) -> Option<&[u8]> {
    let number = common::decimal(u64::from(pid.as_raw_pid().unsigned_abs()));
    let mut path = [0; 32];
    let mut length = 0;
    for part in [b"/proc/", number.as_bytes(), b"/stat\0"] {
        path[length..length + part.len()].copy_from_slice(part);
        length += part.len();
    }
    read(CStr::from_bytes_until_nul(&path).ok()?, bytes)
}

/// Whether a process leads a process group of its own; false if it can't be told. (Not by getpgid(2),
/// whose answer of 0 for a group of another namespace is no process id.)
#[must_use]
pub fn leads_group(pid: Pid) -> bool {
    let mut bytes = [0; 512];
    let group = stat(pid, &mut bytes).and_then(|line| parse_field(line, GROUP));
    group == Some(u64::from(pid.as_raw_pid().unsigned_abs()))
}

/// This host's boot id; `None` where the kernel doesn't tell, without /proc: nothing can be taken
/// over then.
#[must_use]
pub fn boot_id() -> Option<BootId> {
    let mut bytes = [0; 64];
    let mut id = parse_boot_id(read(c"/proc/sys/kernel/random/boot_id", &mut bytes)?)?;
    // Containers share the kernel's number, but each start of one has a process 1 of its own.
    let init = start_of(Pid::INIT).unwrap_or(0);
    id.iter_mut().zip(init.to_le_bytes()).for_each(|(byte, mixed)| *byte ^= mixed);
    Some(id)
}

/// Now, on the clock that /proc's start times are counted on.
#[must_use]
pub fn ticks() -> u64 {
    let now = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let part = u64::try_from(now.tv_nsec).unwrap_or(0) / (1_000_000_000 / TICKS);
    seconds * TICKS + part
}

/// The process group in a line of /proc/PID/stat (proc(5)): field 5.
const GROUP: usize = 5;

/// The start time: field 22.
const START: usize = 22;

/// A number in a line of /proc/PID/stat, counted as in proc(5). The name of the program, field 2, may
/// hold anything; it ends at the last parenthesis.
fn parse_field(line: &[u8], field: usize) -> Option<u64> {
    let name_end = line.iter().rposition(|byte| *byte == b')')?;
    let field = line[name_end + 1..].split(|byte| *byte == b' ').nth(field - 2)?;
    common::number::whole(field)
}

/// 32 hexadecimal digits among dashes.
fn parse_boot_id(text: &[u8]) -> Option<BootId> {
    let mut digits = text.trim_ascii_end().iter().filter(|byte| **byte != b'-');
    let mut id = BootId::default();
    for byte in &mut id {
        for _ in 0..2 {
            let digit = char::from(*digits.next()?).to_digit(16)?;
            *byte = *byte << 4 | digit as u8;
        }
    }
    digits.next().is_none().then_some(id)
}

fn read<'a>(path: &CStr, buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, fs::Mode::empty()).ok()?;
    let length = sys::read(&file, buffer).ok()?;
    Some(&buffer[..length])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn our_own_start_is_in_the_past() {
        let start = start_of(sys::process::getpid()).expect("/proc");
        assert!(start <= ticks());
        assert!(boot_id().is_some());
    }

    #[test]
    fn a_name_with_parentheses_and_spaces() {
        let line = b"7 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21";
        assert_eq!(parse_field(line, START), Some(4242));
        assert_eq!(parse_field(line, GROUP), Some(2));
        assert_eq!(parse_field(b"7 (x) S 1", START), None);
        assert_eq!(parse_field(b"", GROUP), None);
    }

    #[test]
    fn boot_ids() {
        let id = parse_boot_id(b"00010203-0405-0607-0809-0a0b0c0d0e0f\n");
        assert_eq!(id, Some([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]));
        for text in [&b""[..], b"0001", b"zz010203-0405-0607-0809-0a0b0c0d0e0f"] {
            assert_eq!(parse_boot_id(text), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_upset_the_readers(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse_field(&bytes, START);
            let _ = parse_boot_id(&bytes);
        }
    }
}
