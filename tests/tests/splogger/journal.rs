//! The journal, or what behaves like it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use tests::{Run, Scratch, program};

use super::SOON;

/// What the next entry holds, as the journal reads it, and whether it came in a file.
fn entry(socket: &UnixDatagram) -> (BTreeMap<String, Vec<u8>>, bool) {
    socket.set_read_timeout(Some(SOON)).expect("a timeout");
    let mut buffer = vec![0; 1 << 20];
    let number = sys::borrow(socket.as_raw_fd()).expect("it is open");
    let (count, files) = sys::rights::receive(number, &mut buffer).expect("an entry in time");
    buffer.truncate(count);
    let in_file = !files.is_empty();
    for file in files {
        assert!(buffer.is_empty());
        let path = format!("/proc/self/fd/{}", sys::fd::AsRawFd::as_raw_fd(&file));
        // Opened anew, it is read from its beginning.
        let mut file = File::open(path).expect("the file");
        file.read_to_end(&mut buffer).expect("its content");
    }
    (fields(&buffer), in_file)
}

fn fields(mut bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut fields = BTreeMap::new();
    while !bytes.is_empty() {
        let at = bytes.iter().position(|byte| matches!(byte, b'=' | b'\n')).expect("a name");
        let name = String::from_utf8(bytes[..at].to_vec()).expect("ASCII");
        let rest = &bytes[at + 1..];
        let (value, later) = if bytes[at] == b'=' {
            let end = rest.iter().position(|byte| *byte == b'\n').expect("an end");
            (&rest[..end], &rest[end + 1..])
        } else {
            let (length, rest) = rest.split_first_chunk::<8>().expect("a length");
            let (value, later) = rest.split_at(u64::from_le_bytes(*length) as usize);
            (value, later.strip_prefix(b"\n").expect("an end"))
        };
        assert!(fields.insert(name, value.to_vec()).is_none());
        bytes = later;
    }
    fields
}

fn splogger(socket: &Path, args: &[&str]) -> Run {
    let run = Run::new(program("softlimit")).args(["-m", "5000000"]).arg(program("splogger"));
    run.args(["--to", &format!("journal:{}", socket.display())]).args(args)
}

#[test]
fn an_entry_has_fields() {
    let scratch = Scratch::new("splogger-journal");
    let path = scratch.join("socket");
    let socket = UnixDatagram::bind(&path).expect("bound");
    // The service's directory, with a status of 0.76: process 258.
    scratch.dir("pop3d/log");
    scratch.dir("pop3d/supervise");
    let status = [&[0; 12][..], &[2, 1, 0, 0], b"\0u"].concat();
    scratch.file("pop3d/supervise/status", status);
    let outcome = splogger(&path, &["tag", "3"])
        .cwd(scratch.join("pop3d/log"))
        .stdin(b"warning: \xff\0\t\nplain\n")
        .output();
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
    let (mut first, in_file) = entry(&socket);
    assert!(!in_file);
    let stamp =
        String::from_utf8(first.remove("SYSLOG_TIMESTAMP").expect("a time")).expect("ASCII");
    assert!(stamp.len() == 27 && stamp.ends_with('Z'), "{stamp}");
    let expected: [(&str, &[u8]); 6] = [
        ("MESSAGE", b"warning: \xff\0\t"),
        ("PRIORITY", b"4"),
        ("SERVICE", b"pop3d"),
        ("SYSLOG_FACILITY", b"3"),
        ("SYSLOG_IDENTIFIER", b"tag"),
        ("SYSLOG_PID", b"258"),
    ];
    assert_eq!(first, expected.map(|(name, value)| (name.to_owned(), value.to_vec())).into());
    assert_eq!(entry(&socket).0["MESSAGE"], b"plain");
}

#[test]
fn without_a_service_nothing_is_made_up() {
    let scratch = Scratch::new("splogger-journal-none");
    let path = scratch.join("socket");
    let socket = UnixDatagram::bind(&path).expect("bound");
    let run = |args: &[&str]| splogger(&path, args).cwd(scratch.path()).stdin("x\n").output();
    assert_eq!(run(&["tag"]).code, 0);
    let (fields, _) = entry(&socket);
    assert!(!fields.contains_key("SERVICE") && !fields.contains_key("SYSLOG_PID"), "{fields:?}");
    assert_eq!(run(&["--service", "a\nb", "tag"]).code, 0);
    assert_eq!(entry(&socket).0["SERVICE"], b"a\nb");
}

#[test]
fn what_is_too_large_for_a_datagram_comes_in_a_file() {
    let scratch = Scratch::new("splogger-journal-large");
    let path = scratch.join("socket");
    let socket = UnixDatagram::bind(&path).expect("bound");
    let line = "x".repeat(256 * 1024);
    let outcome = splogger(&path, &["tag"]).stdin(format!("{line}yyy\nnext\n")).output();
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
    let (first, in_file) = entry(&socket);
    assert!(in_file && first["MESSAGE"] == line.as_bytes() && !first.contains_key("CONTINUES"));
    let (rest, in_file) = entry(&socket);
    assert!(!in_file && rest["MESSAGE"] == b"yyy" && rest["CONTINUES"] == b"1");
    assert!(!entry(&socket).0.contains_key("CONTINUES"));
}

#[test]
fn a_journal_that_is_away_is_waited_for() {
    let scratch = Scratch::new("splogger-journal-away");
    let path = scratch.join("socket");
    let mut child = splogger(&path, &["tag"]).spawn();
    child.write(b"one\n");
    child.expect_stderr("splogger: warning: unable to send to journal:");
    let socket = UnixDatagram::bind(&path).expect("bound");
    child.write(b"two\n");
    child.close();
    assert_eq!(entry(&socket).0["MESSAGE"], b"one");
    assert_eq!(entry(&socket).0["MESSAGE"], b"two");
    assert_eq!(child.wait(SOON).code, 0);
}
