//! The log's lines, as the original writes them with `-v`.

use crate::address;
use crate::options::NAME;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};

/// A field is cut after so many bytes.
const LONGEST_FIELD: usize = 100;

/// One end of a connection, as the log and the environment know it.
#[derive(Debug, Clone, Copy)]
pub struct End<'a> {
    /// Its name, if that is known.
    pub name: Option<&'a [u8]>,
    /// Its address and port.
    pub address: SocketAddr,
}

/// `status: 3/40`.
#[must_use]
pub fn status(running: usize, limit: usize) -> Vec<u8> {
    format!("{}: status: {running}/{limit}\n", NAME.0).into_bytes()
}

/// `pid 77 from 192.0.2.1`.
#[must_use]
pub fn pid(pid: i32, remote: IpAddr) -> Vec<u8> {
    let address = address::text(remote);
    format!("{}: pid {pid} from {address}\n", NAME.0).into_bytes()
}

/// `ok 77 mail.example:192.0.2.9:25 client.example:192.0.2.1:joe:4000`, or `deny`: name, address and
/// port of the local end, and then of the remote one, with what the client's host says of the
/// client between address and port. A remark tells why.
#[must_use]
pub fn verdict(
    word: &str,
    pid: i32,
    local: End<'_>,
    remote: End<'_>,
    info: Option<&[u8]>,
    remark: &str,
) -> Vec<u8> {
    let mut line = format!("{}: {word} {pid} ", NAME.0).into_bytes();
    append_end(&mut line, local, None);
    line.push(b' ');
    append_end(&mut line, remote, Some(info.unwrap_or_default()));
    line.extend_from_slice(remark.as_bytes());
    line.push(b'\n');
    line
}

fn append_end(line: &mut Vec<u8>, end: End<'_>, info: Option<&[u8]>) {
    append_field(line, end.name.unwrap_or_default());
    // Writing to a vector can't fail.
    let _ = write!(line, ":{}:", address::field(end.address.ip()));
    if let Some(info) = info {
        append_field(line, info);
        line.push(b':');
    }
    let _ = write!(line, "{}", end.address.port());
}

/// `refuse 192.0.2.1: 5 connections from 192.0.2.1`: without a process.
#[must_use]
pub fn refuse(remote: IpAddr, reason: &str) -> Vec<u8> {
    format!("{}: refuse {}: {reason}\n", NAME.0, address::field(remote)).into_bytes()
}

/// `end 77 status 256`: the status as wait(2) has it.
#[must_use]
pub fn end(pid: i32, status: i32) -> Vec<u8> {
    format!("{}: end {pid} status {status}\n", NAME.0).into_bytes()
}

/// What others chose, made harmless: a reader tells fields apart by blanks and colons.
fn append_field(line: &mut Vec<u8>, text: &[u8]) {
    line.extend(text.iter().take(LONGEST_FIELD).map(|byte| match byte {
        b'%' | b':' => b'?',
        b'!'..=b'~' => *byte,
        _ => b'?',
    }));
    // The original's dots already follow a text of exactly that length.
    if text.len() >= LONGEST_FIELD {
        line.extend_from_slice(b"...");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn end_at<'a>(name: Option<&'a [u8]>, address: &str) -> End<'a> {
        End { name, address: address.parse().expect("address and port") }
    }

    fn text(line: Vec<u8>) -> String {
        String::from_utf8(line).expect("ASCII")
    }

    #[test]
    fn as_the_original() {
        let local = end_at(Some(b"0"), "127.0.0.1:40025");
        let remote = end_at(None, "127.0.0.1:47676");
        assert_eq!(text(status(1, 40)), "tcpserver: status: 1/40\n");
        assert_eq!(text(pid(9859, remote.address.ip())), "tcpserver: pid 9859 from 127.0.0.1\n");
        assert_eq!(
            text(verdict("ok", 9859, local, remote, None, "")),
            "tcpserver: ok 9859 0:127.0.0.1:40025 :127.0.0.1::47676\n"
        );
        assert_eq!(text(end(9859, 768)), "tcpserver: end 9859 status 768\n");
        let (info, name) = (Some(&b"joe"[..]), Some(&b"client"[..]));
        let remote = End { name, ..remote };
        assert_eq!(
            text(verdict("deny", 9859, local, remote, info, "")),
            "tcpserver: deny 9859 0:127.0.0.1:40025 client:127.0.0.1:joe:47676\n"
        );
    }

    #[test]
    fn ipv6_is_bracketed_where_colons_separate() {
        let (local, remote) = (end_at(Some(b"h"), "[::1]:110"), end_at(None, "[::ffff:1.2.3.4]:5"));
        assert_eq!(text(pid(1, local.address.ip())), "tcpserver: pid 1 from ::1\n");
        assert_eq!(
            text(verdict("ok", 1, local, remote, None, "")),
            "tcpserver: ok 1 h:[::1]:110 :1.2.3.4::5\n"
        );
    }

    #[test]
    fn fields_are_made_harmless_and_cut() {
        let field = |text: &[u8]| {
            let mut line = Vec::new();
            append_field(&mut line, text);
            line
        };
        assert_eq!(field("a%b:c d\té\x7F".as_bytes()), b"a?b?c?d????");
        let x = |count| vec![b'x'; count];
        assert_eq!(field(&x(99)), x(99));
        assert_eq!(field(&x(100)), [x(100), b"...".to_vec()].concat());
        assert_eq!(field(&x(101)), [x(100), b"...".to_vec()].concat());
    }

    proptest! {
        #[test]
        fn no_name_breaks_the_lines_form(name: Vec<u8>) {
            let local = end_at(Some(&name), "10.0.0.1:25");
            let remote = end_at(Some(&name), "10.0.0.2:9");
            let line = text(verdict("deny", 1, local, remote, Some(&name), ""));
            prop_assert!(line.bytes().all(|byte| (b' '..=b'~').contains(&byte) || byte == b'\n'));
            let words: Vec<&str> = line.trim_end().split(' ').collect();
            prop_assert_eq!(words.len(), 5);
            prop_assert_eq!(words[3].split(':').count(), 3);
            let field = words[3].split(':').next().unwrap_or_default();
            prop_assert_eq!(words[4], format!("{field}:10.0.0.2:{field}:9"));
        }
    }
}
