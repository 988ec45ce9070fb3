//! A file, line by line, through one small buffer, however big it is.

use crate::Errno;
use crate::account;
use core::ffi::CStr;

/// Shows each line of the file, without its newline, to `see`, until that gives something. A last
/// line without newline is a line.
///
/// # Errors
/// What open(2) and read(2) say; `EFBIG` for a line of more than 1 MiB.
pub fn lines<T>(path: &CStr, see: impl FnMut(&[u8]) -> Option<T>) -> Result<Option<T>, Errno> {
    account::lines(path, see)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_until_one_will_do() {
        let mut seen = 0;
        let first = lines(c"/proc/self/status", |line| {
            seen += 1;
            line.strip_prefix(b"Pid:\t").map(<[u8]>::to_vec)
        });
        let pid = std::process::id().to_string().into_bytes();
        assert_eq!(first, Ok(Some(pid)));
        assert!(seen > 1);
        assert_eq!(lines(c"/proc/self/status", |_| None::<()>), Ok(None));
        assert_eq!(lines(c"/nowhere/at/all", |_| Some(())), Err(Errno::NOENT));
    }
}
