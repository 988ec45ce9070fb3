//! What the log says of a login that failed: one line each, which a filter (fail2ban's, say) can
//! match from end to end: `qmail-popup: authentication failed: user NAME from ADDRESS`.

use alloc::vec::Vec;

/// How much of a name is shown.
const CUT: usize = 100;

/// `user NAME from ADDRESS`, where neither is more than one word, whatever the client sent: bytes
/// outside 0x21–0x7E, `%` and `:` in the name become `?`, as in tcpserver's lines, and a name
/// beyond 100 bytes is cut and ends in `...`. Who is at the other end of no network is `unknown`.
#[must_use]
pub fn who(user: &[u8], remote_ip: Option<&[u8]>) -> Vec<u8> {
    let mut line = b"user ".to_vec();
    line.extend(user.iter().take(CUT).map(|byte| match byte {
        b'%' | b':' => b'?',
        byte => visible(*byte),
    }));
    if user.len() > CUT {
        line.extend_from_slice(b"...");
    }
    line.extend_from_slice(b" from ");
    match remote_ip.filter(|ip| !ip.is_empty()) {
        Some(ip) => line.extend(ip.iter().take(CUT).map(|byte| visible(*byte))),
        None => line.extend_from_slice(b"unknown"),
    }
    line
}

fn visible(byte: u8) -> u8 {
    if byte.is_ascii_graphic() { byte } else { b'?' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_that_cannot_be_forged() {
        assert_eq!(who(b"joe", Some(b"192.0.2.7")), b"user joe from 192.0.2.7");
        assert_eq!(
            who(b"joe@b.example", Some(b"2001:db8::1")),
            b"user joe@b.example from 2001:db8::1"
        );
        assert_eq!(who(b"joe", None), b"user joe from unknown");
        assert_eq!(
            who(b"x from 10.0.0.1\nqmail-popup: a%\xFF", Some(b"192.0.2.7")),
            b"user x?from?10.0.0.1?qmail-popup??a?? from 192.0.2.7"
        );
        let long = who(&[b'x'; 101], None);
        assert!(long.ends_with(b"x... from unknown"));
        assert_eq!(long.len(), "user ".len() + 100 + "... from unknown".len());
    }
}
