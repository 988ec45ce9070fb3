//! The timestamps that a digest is made of: the banner's for APOP, and a challenge for CRAM-MD5.

use alloc::vec::Vec;
use common::decimal;
use sys::Errno;
use sys::rand::{GetRandomFlags, getrandom};

/// How much of a host name is shown: what the checker reads is at most 512 bytes in all.
const HOST_LIMIT: usize = 128;

/// `<PID.SECONDS@HOST>`, the original's, unlike that of any other connection to this host.
#[must_use]
pub fn banner(pid: u64, seconds: u64, host: &[u8]) -> Vec<u8> {
    stamp(&[pid, seconds], host)
}

/// `<NUMBER.PID.SECONDS@HOST>`: the number is random, and nobody knows it in advance.
///
/// # Errors
/// No random number could be had.
pub fn challenge(pid: u64, seconds: u64, host: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut number = [0; 8];
    // So few bytes come whole, or not at all (getrandom(2)).
    while getrandom(&mut number, GetRandomFlags::empty())? < number.len() {}
    Ok(stamp(&[u64::from_ne_bytes(number), pid, seconds], host))
}

fn stamp(numbers: &[u64], host: &[u8]) -> Vec<u8> {
    let mut stamp = b"<".to_vec();
    for number in numbers {
        stamp.extend_from_slice(decimal(*number).as_bytes());
        stamp.push(b'.');
    }
    stamp.pop();
    stamp.push(b'@');
    let shown = |byte: &&u8| byte.is_ascii_graphic() && !matches!(**byte, b'<' | b'>');
    stamp.extend(host.iter().take(HOST_LIMIT).filter(shown));
    stamp.push(b'>');
    stamp
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_cannot_break_it() {
        assert_eq!(banner(1896, 697_170_952, b"h.example"), b"<1896.697170952@h.example>");
        assert_eq!(banner(1, 2, b"a>\r\n+OK <\0b\xFF c"), b"<1.2@a+OKbc>");
        assert_eq!(banner(1, 2, &[b'x'; 999]).len(), "<1.2@>".len() + HOST_LIMIT);
    }

    #[test]
    fn no_challenge_comes_twice() {
        let one = challenge(1, 2, b"h").unwrap();
        assert!(one.starts_with(b"<") && one.ends_with(b".1.2@h>"));
        assert_ne!(one, challenge(1, 2, b"h").unwrap());
    }
}
